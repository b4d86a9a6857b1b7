"""What `./run test` runs: every file of the tests, once, and how they can run side by side."""

from collections import Counter
from pathlib import Path

import project
import pytest
from verbs import run_tests

ENTRY = ("snakemake", "tests")


def files_of(stage: run_tests.Stage) -> set[Path]:
    """The test files of a stage."""
    places = [project.ROOT / place for place in stage.tests]
    return {
        file
        for place in places
        for file in ([place] if place.is_file() else place.glob("**/test_*.py"))
    }


@pytest.mark.parametrize("quick", [True, False])
def test_each_file_is_in_one_stage(quick: bool) -> None:
    stages = run_tests.stages(quick=quick)
    run = Counter(file for stage in stages for file in files_of(stage))
    left_out = {"keras"} if quick else set[str]()
    files = {
        file
        for file in (project.ROOT / "tests").glob("*/**/test_*.py")
        if file.relative_to(project.ROOT / "tests").parts[0] not in left_out
    }
    assert run == dict.fromkeys(files, 1)
    for stage in stages:
        assert all(place in " ".join(stage.command) for place in stage.tests)


@pytest.mark.parametrize("quick", [True, False])
def test_what_runs_in_the_environment_shares_no_log_and_no_lock(quick: bool) -> None:
    stages = [s for s in run_tests.stages(quick=quick) if s.command[:2] == ENTRY]
    assert len(stages) > 2
    assert all("--nolock" in stage.command for stage in stages)
    assert len({stage.command[-1] for stage in stages}) == len(stages)


def test_what_takes_longest_is_there_and_comes_first() -> None:
    names = [stage.name for stage in run_tests.stages(quick=False)]
    assert names[: len(run_tests.LONGEST)] == list(run_tests.LONGEST)
