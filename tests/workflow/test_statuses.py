"""The exit status of `./run`: what came of it, told apart; Snakemake itself knows but 0 and 1."""

import subprocess

import project
import pytest
import tools

pytestmark = pytest.mark.slow

KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
UNSEEDED = ' + np.random.default_rng().random((len(table), 4), "float32"), "y"'


def status(made, *arguments: str) -> int:
    """What `./run` ends with, for a project in a folder of its own."""
    command = [*arguments, "--cores", "2", "--directory", str(made.folder)]
    done = subprocess.run(
        [project.ROOT / "run", *command], env=tools.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    print(done.stdout)
    return done.returncode


def short(made, **changes):
    """One step is repeated, or what is asked for; no cause is searched for."""
    search = {"search": {"trials": 0}, "training": {"epochs": 1, "batch_size": 32}}
    return made.entry(**{"goal": "documented", **search, **changes})


def test_a_claim_that_holds_beside_one_that_fails_and_then_a_verdict_that_was_edited(new_project):
    made = new_project("held")
    made.configure(failing=short(made, settings={}), small=short(made))
    assert status(made, "verify") == 2  # one of two experiments, which does not stop the other
    verdict = made.results / "small" / "verdict.json"
    assert verdict.is_file()
    assert not (made.results / "failing" / "verdict.json").exists()
    made.configure(small=short(made))
    assert status(made, "verify") == 0
    verdict.write_text(verdict.read_text().replace("documented", "bitwise"))
    assert status(made, "verify") == 2


def test_a_claim_that_does_not_hold_and_one_of_which_nobody_can_tell(new_project):
    made = new_project("parted")
    made.edit('table[:, :-1], "y"', f"table[:, :-1]{UNSEEDED}")
    made.configure(small=short(made, goal="bitwise", repeat={"steps": 1}))
    assert status(made, "all") == 0
    assert status(made, "verify") == 1
    made.configure(small=short(made, goal="bitwise", repeat="off"))
    assert status(made, "verify") == 3


def test_mistakes_are_told_from_what_could_not_run_whatever_was_before(new_project):
    made = new_project("failing")
    made.configure(small=short(made, training={"epochs": "many"}))
    assert status(made, "all") == 2  # before any job
    made.configure(small=short(made), other=short(made, training={"epochs": "many"}))
    assert status(made, "all") == 2
    assert not made.results.exists()
    made.configure(small=short(made))
    assert status(made, "al") == 2
    made.edit("def model(", "def model_(")
    assert status(made, "all") == 2  # in a job
    made.edit("def model_(", "def model(")
    made.edit("    import keras\n\n    dense", "    import keras, nowhere\n\n    dense")
    assert status(made, "all") == 2  # in another one, whose log stays
    made.edit("import numpy as np\n", f"import numpy as np\n{KILLED}")
    assert status(made, "all") == 4
    made.edit(KILLED, "")
    (made.folder / "experiment.py").rename(made.folder / "gone.py")
    assert status(made, "verify") == 2
