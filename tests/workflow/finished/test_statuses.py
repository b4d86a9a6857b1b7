"""The exit status of `./run`: what came of it, told apart; Snakemake itself knows but 0 and 1.

That of a claim that does not hold is in tests/workflow/test_faults.py, beside such claims; that of
one of which nobody can tell is in tests/workflow/conftest.py.
"""

import pytest

pytestmark = pytest.mark.slow

KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
TRAINED = "results/small/original/seed-0/train.manifest.json"


def status(made, *arguments: str) -> int:
    """What `./run` ends with."""
    return made.by_run(*arguments, "--cores", "2").returncode


def test_a_claim_that_holds_beside_one_that_fails_and_then_a_verdict_that_was_edited(finished):
    made = finished("held")
    verdict = made.results / "small" / "verdict.json"
    verdict.unlink()
    text = (made.folder / "experiment.py").read_text()
    (made.folder / "failing.py").write_text(text.replace("def dataset(", "def dataset_("))
    made.configure(failing=made.entry(code="failing.py", repeat="off"), small=made.entry())
    assert status(made, "verify") == 2  # one of two experiments, which does not stop the other
    assert verdict.is_file()
    assert not (made.results / "failing" / "verdict.json").exists()
    made.configure(small=made.entry())
    assert status(made, "verify") == 0
    verdict.write_text(verdict.read_text().replace("bitwise", "documented"))
    assert status(made, "verify") == 2


def test_mistakes_are_told_from_what_could_not_run_whatever_was_before(new_project):
    made = new_project("failing")
    wrong = made.entry(training={"epochs": "many"})
    made.configure(small=made.entry(), other=wrong)
    assert status(made, "all") == 2  # before any job
    assert not made.results.exists()
    made.configure(small=made.entry())
    assert status(made, "al") == 2
    made.edit("    import keras\n\n    dense", "    import keras, nowhere\n\n    dense")
    assert status(made, TRAINED) == 2  # in a job, whose log stays
    made.edit("import numpy as np\n", f"import numpy as np\n{KILLED}")
    assert status(made, TRAINED) == 4
    made.edit(KILLED, "")
    (made.folder / "experiment.py").rename(made.folder / "gone.py")
    assert status(made, "verify") == 2
