"""What `./run test` runs: every file of the tests, once, and what shares a log never at once."""

from collections import Counter
from pathlib import Path

import project
import pytest
from verbs import run_tests

ENTRY = ("snakemake", "tests")


def files_of(stage: run_tests.Stage) -> set[Path]:
    """The test files below what a stage names."""
    place = project.ROOT / stage.name
    return {place} if place.is_file() else set(place.glob("**/test_*.py"))


@pytest.mark.parametrize("quick", [True, False])
def test_each_file_is_in_one_stage(quick: bool) -> None:
    stages = [stage for chain in run_tests.chains(quick=quick) for stage in chain]
    run = Counter(file for stage in stages for file in files_of(stage))
    left_out = {"keras"} if quick else set[str]()
    files = {
        file
        for file in (project.ROOT / "tests").glob("*/**/test_*.py")
        if file.relative_to(project.ROOT / "tests").parts[0] not in left_out
    }
    assert run == dict.fromkeys(files, 1)
    for stage in (stage for stage in stages if files_of(stage)):
        assert stage.name in " ".join(stage.command)


@pytest.mark.parametrize("quick", [True, False])
def test_what_runs_in_the_environment_is_one_chain(quick: bool) -> None:
    chains = run_tests.chains(quick=quick)
    assert sum(any(stage.command[:2] == ENTRY for stage in chain) for chain in chains) == 1


def test_what_takes_longest_is_there_and_comes_first() -> None:
    names = [chain[0].name for chain in run_tests.chains(quick=False)]
    assert names[1 : 1 + len(run_tests.LONGEST)] == list(run_tests.LONGEST)
    assert all((project.ROOT / name).exists() for name in run_tests.LONGEST)
