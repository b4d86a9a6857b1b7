"""What Snakemake prints of a failure under `./run`: held back where our sentence says all of it."""

import logging
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import outcome
import project
import pytest
import tools
from display.notes import Notes
from failures.snakemake_logger_plugin_repro import LogHandler, LogHandlerSettings
from repro.launch.launcher import JOBS
from snakemake_interface_logger_plugins.tests import MockOutputSettings, TestLogHandlerBase

JOB = """\
import os, sys
from pathlib import Path
sys.path.insert(0, {library!r})
from repro.core.errors import CouldNotRun, UserError
from repro.launch.reporting import reported

def work(say):
{what}

sys.exit(reported(Path(sys.argv[1]), work))
"""
pytestmark = pytest.mark.slow

HELD_BACK = (
    "RuleException", "CalledProcessError", "Error in rule", "non-zero exit status",
    "Exiting because", "Shutting down", "Complete log", "WorkflowError", "At least one job",
    "Removing output", "Elapsed time",
)  # fmt: skip
MISTAKE = "raise UserError('Expected a. Received b. Do c.')"
KILLED = "os.kill(os.getpid(), 9)"
FULL = "raise OSError(28, 'No space left on device')"
TOLD = "Expected a. Received b. Do c. (Log: logs/one.log; Snakemake's: "


class TestThatThePluginKeepsSnakemakesRules(TestLogHandlerBase):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.file = tmp_path / "held"

    def get_log_handler_cls(self) -> type[LogHandler]:
        return LogHandler

    def get_log_handler_settings(self) -> LogHandlerSettings:
        return LogHandlerSettings(self.file)


def rule(name: str, what: str, output: str = "") -> str:
    """A rule whose job does that, and writes a file unless it is told not to."""
    Path(f"{name}.py").write_text(
        JOB.format(
            library=str(project.LIBRARY), what="\n".join(f"    {w}" for w in what.split(";"))
        )
    )
    output = output or f"{name}.txt"
    return (
        f"rule {name}:\n    output: '{name}.txt'\n    log: 'logs/{name}.log'\n"
        f"    shell: '{sys.executable} {name}.py {{log}} && touch {output}'\n"
    )


@pytest.fixture
def ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs real Snakemake for rules; gives the status, and all that stood on the terminal."""
    monkeypatch.chdir(tmp_path)
    tools.write_commands()

    def run(*parts: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
        Path("Snakefile").write_text("".join(parts))
        capfd.readouterr()
        status = outcome.of_snakemake(["--cores", "2", *options], Path())
        out, err = capfd.readouterr()
        assert out == ""
        return status, err

    return run


Ran = Callable[..., tuple[int, str]]


def entry(*names: str) -> str:
    return f"rule all:\n    input: {[f'{name}.txt' for name in names]}\n"


def test_a_mistake_stands_alone_and_last_and_all_else_is_in_the_log_that_is_named(
    ran: Ran,
) -> None:
    Path("one.txt").write_text("of an earlier run")  # which Snakemake removes
    status, shown = ran(
        entry("one"), rule("one", f"Path('one.txt').touch();{MISTAKE}"), options=("-F",)
    )
    assert status == 2
    assert [words for words in HELD_BACK if words in shown] == []
    *_, last = shown.splitlines()
    assert last.startswith(TOLD)
    assert shown.count("Expected a.") == 1
    whole = Path(re.search(r"Snakemake's: (.+)\)", last)[1]).read_text()
    assert [words for words in HELD_BACK if words not in whole] == []


NO_MISTAKES = {
    "killed": (KILLED, "At least one job did not complete successfully."),
    "bug": ("1 / 0", "an error of its own (ZeroDivisionError"),
    "full": (FULL, "No space left on device"),
    "undone": ("raise CouldNotRun('Expected room.')", "Expected room."),
}


@pytest.mark.parametrize("names", [("killed",), ("bug", "full", "undone")], ids=" ".join)
def test_what_is_no_mistake_of_the_users_is_shown_whole(names: tuple[str, ...], ran: Ran) -> None:
    rules = [rule(name, NO_MISTAKES[name][0]) for name in names]
    status, shown = ran(entry(*names), *rules, options=("--keep-going",))
    assert status == 4
    errors = [f"Error in rule {name}" for name in names]
    for words in ("RuleException", *errors, "Exiting because", "Complete log"):
        assert words in shown
    last = "\n".join(shown.splitlines()[-len(names) :])
    for name in names:
        assert NO_MISTAKES[name][1] in last


def test_a_mistake_beside_a_job_that_was_killed_hides_nothing_and_comes_last(ran: Ran) -> None:
    rules = (rule("one", MISTAKE), rule("two", KILLED))
    status, shown = ran(entry("one", "two"), *rules, options=("--keep-going",))
    assert status == 2
    assert "Error in rule two" in shown
    assert shown.splitlines()[-1] == "Expected a. Received b. Do c. (Log: logs/one.log)"


def test_a_mistake_beside_an_output_that_is_missing_hides_nothing(ran: Ran) -> None:
    rules = (rule("one", MISTAKE), rule("two", "pass", output="other.txt"))
    status, shown = ran(entry("one", "two"), *rules, options=("--keep-going", "--latency-wait=0"))
    assert status == 2
    assert "MissingOutputException" in shown


@pytest.mark.parametrize("status", [1, 3])
def test_what_a_judge_answers_needs_no_words_of_snakemakes(status: int, ran: Ran) -> None:
    rules = rule("one", f"say('The claim of one does not hold.');return {status}")
    ended, shown = ran(entry("one"), rules)
    assert ended == status
    assert shown.splitlines()[-1] == "The claim of one does not hold."


def test_after_a_failure_the_progress_of_others_is_shown(ran: Ran) -> None:
    later = rule("two", "pass").replace("output:", "input: 'three.txt'\n    output:")
    rules = (rule("one", MISTAKE), later, rule("three", "pass"))
    status, shown = ran(entry("one", "two"), *rules, options=("--keep-going", "--cores=1"))
    assert status == 2
    assert re.search(r"^two: done in 0:00:0\d \(2 of 4\)$", shown, re.MULTILINE)
    assert "RuleException" not in shown
    assert shown.splitlines()[-1].startswith(TOLD)


def test_who_waits_for_other_jobs_after_a_failure_is_told_so(ran: Ran) -> None:
    # The other job ends when the log has the first one's failure.
    look = "any('Error in rule one' in f.read_text() for f in Path('.snakemake/log').iterdir())"
    rules = (rule("one", MISTAKE), rule("two", f"while not {look}: pass"))
    status, shown = ran(entry("one", "two"), *rules)
    assert status == 2
    assert "Failed: one; waiting for 1 other job.\n" in shown
    assert shown.splitlines()[-1].startswith(TOLD)


def test_a_sentence_with_which_the_workflow_refuses_to_begin_stands_alone(ran: Ran) -> None:
    snakefile = (
        "from snakemake.exceptions import WorkflowError\n"
        "def asked():\n"
        "    raise WorkflowError('config/config.yaml: Expected a. Received b. Do c.')\n"
        "asked()\n"
    )
    assert ran(snakefile) == (2, "config/config.yaml: Expected a. Received b. Do c.\n")


@pytest.mark.parametrize(
    ("snakefile", "words"),
    [
        ("raise ValueError('of a user')\n", "line 1:\nof a user"),
        ("rule one:\n    input: 'gone.csv'\n", "MissingInputException"),
        ("rule one\n", "SyntaxError"),
    ],
)
def test_what_snakemake_itself_refuses_is_shown_whole(snakefile: str, words: str, ran: Ran) -> None:
    status, shown = ran(snakefile)
    assert status == 2
    assert words in shown


def lines(text: str) -> list[str]:
    """What was shown, without times and the names that hold some."""
    return re.sub(r"\[.+\d{4}\]|\S+\.snakemake\.log|\d+:\d\d:.*", "", text).splitlines()


def test_each_job_has_a_line_with_its_name_where_it_starts_and_one_where_it_is_done(
    ran: Ran,
) -> None:
    named = rule("one", "pass").replace("log:", "message: 'make a part'\n    log:")
    rules = (entry("one", "two"), named, rule("two", "pass"))
    status, shown = ran(*rules, options=("--cores=1", "--quiet", "rules"))
    assert status == 0
    after = shown.partition("total")[2].splitlines()
    jobs = [re.sub(r"in \d:\d\d:\d\d", "in TIME", line) for line in after[2:-2]]
    first, second = ("make a part", "two") if jobs[0] == "make a part" else ("two", "make a part")
    assert jobs == [
        first, f"{first}: done in TIME (1 of 3)", second, f"{second}: done in TIME (2 of 3)",
        "all: done in TIME (3 of 3)",
    ]  # fmt: skip


def test_it_is_noted_which_jobs_run_for_whoever_draws_bars(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes(tmp_path / "jobs")
    monkeypatch.setenv(JOBS, str(notes.file))
    ran(entry("one", "two"), rule("one", "pass"), rule("two", KILLED), options=("--cores=1", "-k"))
    noted = sorted((note.what, note.finished, note.job) for note in notes.new())
    assert noted == [(name, ended, True) for name in ("one", "two") for ended in (False, True)]


@pytest.mark.parametrize("quiet", [("progress", "rules"), ("all",)])
def test_who_wants_no_progress_sees_none(quiet: tuple[str, ...], ran: Ran) -> None:
    status, shown = ran(entry("one"), rule("one", "pass"), options=("--quiet", *quiet))
    assert status == 0
    assert "one:" not in shown
    assert "of 2" not in shown


def test_else_the_terminal_shows_what_snakemake_would(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = (entry("one", "two"), rule("one", "pass"), rule("two", "pass"))
    options = ("--forceall", "--cores=1", "--quiet", "host", "reason")
    status, shown = ran(*rules, options=options)
    assert status == 0
    for words in ("Job stats", "rule one", "Complete log"):
        assert words in shown
    monkeypatch.setattr(outcome.held, "options", lambda *_: [])
    for name in ("one.txt", "two.txt"):
        Path(name).unlink()
    shutil.rmtree(".snakemake")
    plain = lines(ran(*rules, options=options)[1])
    jobs = re.compile("Select jobs|Execute 1 jobs|Finished jobid|. of 3 steps|$")
    ours = [line for line in lines(shown) if line and ": done in" not in line]
    assert ours == [line for line in plain if not jobs.match(line)]


def test_what_cannot_be_kept_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    handler = LogHandler(MockOutputSettings(), LogHandlerSettings(tmp_path / "gone" / "held"))
    handler.handle(logging.makeLogRecord({"levelno": logging.ERROR, "msg": "Out of room."}))
    assert "Out of room." in capfd.readouterr().err
