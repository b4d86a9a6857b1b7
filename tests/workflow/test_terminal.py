"""A user's mistake in `model`, run for real: what stands on the terminal, and in which log."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import project
import pytest
import tools
from conftest import Project
from environments import places

pytestmark = pytest.mark.slow

PROBED = "results/small/probe.json"
MESSAGE = "The table is odd:\n  row 1\n\n  row 2"
SENTENCE = (
    "Expected `model` of the experiment's code to run. Received ValueError (The table is odd: …; "
    "the whole message is above) at experiment.py, line {line}. Mend the code."
)
SNAKEMAKES = (
    "RuleException", "CalledProcessError", "Error in rule", "returned non-zero", "Exiting because",
    "Shutting down", "Complete log", "WorkflowError", "At least one job", "Removing output",
    "Traceback",
)  # fmt: skip


@pytest.fixture(scope="module")
def mistaken(new_project: Callable[[str], Project]) -> tuple[Project, str]:
    """A project whose `model` raises what has a message of several lines, and its sentence."""
    made = new_project("mistaken")
    made.edit("    import keras\n\n    dense", f"    raise ValueError({MESSAGE!r})\n    dense")
    lines = (made.folder / "experiment.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "raise ValueError" in text)
    made.configure(small=made.entry(repeat="off"))  # two jobs call it: training and probe
    return made, SENTENCE.format(line=line)


def log_named(folder: Path, text: str) -> str:
    """What stands in the first log that a text names."""
    found = re.search(r"\(Logs?: (.+?\.log)(?: and |[,;)])", text)
    assert found, text
    return (folder / found[1]).read_text("utf-8")


def test_under_run_its_sentence_stands_alone_once_and_last(mistaken: tuple[Project, str]) -> None:
    made, sentence = mistaken
    done = subprocess.run(
        [project.ROOT / "run", "all", "--cores", "2", "--directory", made.folder],
        env=tools.environment(), text=True, check=False, capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert [words for words in SNAKEMAKES if words in done.stderr] == []
    assert done.stderr.count("Mend the code.") == 1
    before, last, after = done.stderr.partition(f"{MESSAGE}\n{sentence} (Log")
    assert last, done.stderr
    assert "pack the programs: done in" in before
    assert after.count("\n") == 1
    assert log_named(made.folder, last[-4:] + after).endswith(f"{MESSAGE}\n{sentence}\n")
    whole = Path(re.findall(r"Snakemake's: (.+)\)", after)[0]).read_text()
    assert "RuleException" in whole


def test_with_plain_snakemake_the_log_that_is_named_ends_with_it(
    mistaken: tuple[Project, str],
) -> None:
    made, sentence = mistaken
    command = ["snakemake", "--snakefile", str(project.ROOT / "Snakefile"), "--cores", "2"]
    command += ["--conda-prefix", str(places.folder()), PROBED]
    done = subprocess.run(
        command, cwd=made.folder, env=tools.environment(), text=True, check=False,
        capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    said = re.search(rf"{re.escape(MESSAGE)}\n{re.escape(sentence)} \(Log: .+\)\n", done.stderr)
    assert said, done.stderr
    assert log_named(made.folder, said[0]).endswith(f"{MESSAGE}\n{sentence}\n")


def test_a_mistake_in_the_configuration_stands_alone(new_project: Callable[[str], Project]) -> None:
    made = new_project("misspelt")
    made.configure(small=made.entry(training={"epcohs": 1, "batch_size": 32}))
    done = subprocess.run(
        [project.ROOT / "run", "all", "--cores", "2", "--directory", made.folder],
        env=tools.environment(), text=True, check=False, capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "config/config.yaml: Expected only known keys in `experiments.small.training`. "
        "Received `epcohs`. Did you mean `epochs`? Correct or remove it."
    )
    assert [words for words in SNAKEMAKES if words in done.stderr] == []
