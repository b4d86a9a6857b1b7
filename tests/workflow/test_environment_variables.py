"""A variable of the user's shell that the configuration names, by real Snakemake."""

from collections.abc import Callable

import pytest
from conftest import Project

pytestmark = pytest.mark.slow

PREPARED = "results/small/original/data.manifest.json"
NOTHING = "Nothing to be done"


def test_a_variable_reaches_the_job_and_another_value_runs_it_again(
    new_project: Callable[[str], Project],
) -> None:
    made = new_project("variables")
    made.edit("import numpy as np", "import os\n\nimport numpy as np")
    made.edit('delimiter=","', 'delimiter=os.environ["DELIMITER"]')
    made.configure(small=made.entry(environment_variables=["DELIMITER"]))
    done = made.run(PREPARED)
    assert done.returncode != 0
    assert "Expected the environment variable DELIMITER to be set" in done.stdout
    assert "Traceback" not in done.stdout

    done = made.run(PREPARED, DELIMITER=",")
    assert done.returncode == 0, done.stdout
    again = made.run("--dry-run", PREPARED, DELIMITER=",")
    assert NOTHING in again.stdout
    again = made.run("--dry-run", PREPARED, DELIMITER=";")
    assert "params have changed since last execution: prepare" in again.stdout
