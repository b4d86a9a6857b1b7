"""Which runs, steps and seeds an experiment has."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.plan.schedule import ORIGINAL, RUN, Schedule

SEEDS = st.lists(st.integers(0, 100), min_size=1, unique=True)


@pytest.mark.parametrize(
    ("repeat", "count", "repeats"),
    [
        ("full", 1, ("repeat",)),
        ("full", 3, ("repeat", "repeat-2", "repeat-3")),
        ({"epochs": 2}, 2, ("repeat", "repeat-2")),
        ("off", 2, ()),
        (False, 1, ()),  # as versions wrote it that read `off` as YAML does
    ],
)
def test_repeats_are_numbered_from_the_second_on(
    repeat: str, count: int, repeats: tuple[str, ...]
) -> None:
    schedule = Schedule("bitwise", repeat, count)
    assert schedule.repeats == repeats
    assert schedule.runs == (ORIGINAL, *repeats)
    assert all(re.fullmatch(RUN, run) for run in schedule.runs)


def seeds_of(schedule: Schedule, seeds: list[int], step: str, run: str) -> list[object]:
    return [names["seed"] for s, names in schedule.steps(seeds) if (s, names["run"]) == (step, run)]


@given(SEEDS, st.integers(1, 4))
def test_a_full_repeat_does_all_that_the_original_did(seeds: list[int], count: int) -> None:
    schedule = Schedule("bitwise", "full", count)
    for run in schedule.runs:
        assert seeds_of(schedule, seeds, "train", run) == seeds
        assert seeds_of(schedule, seeds, "evaluate", run) == seeds


@given(SEEDS)
def test_a_repeat_that_stops_early_has_nothing_to_evaluate(seeds: list[int]) -> None:
    schedule = Schedule("bitwise", {"steps": 3}, 1)
    assert seeds_of(schedule, seeds, "train", "repeat") == seeds
    assert seeds_of(schedule, seeds, "evaluate", "repeat") == []
    assert seeds_of(schedule, seeds, "evaluate", ORIGINAL) == seeds


@given(SEEDS)
def test_one_seed_is_enough_to_execute_the_documented_way(seeds: list[int]) -> None:
    schedule = Schedule("documented", "full", 1)
    assert seeds_of(schedule, seeds, "train", "repeat") == seeds[:1]
    assert seeds_of(schedule, seeds, "train", ORIGINAL) == seeds


@given(SEEDS)
def test_the_data_of_every_run_come_first(seeds: list[int]) -> None:
    schedule = Schedule("metrics", "full", 2)
    steps = list(schedule.steps(seeds))
    assert steps[:3] == [("prepare", {"run": run}) for run in schedule.runs]
    assert not [step for step, _ in steps[3:] if step == "prepare"]
