"""The search: nondeterministic, a race, stale state, a factor; and never beyond its budget."""

import itertools
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.cause.fault_isolation import AGAIN, UNVARIED, Factors, Trial, search
from repro.cause.setting import steps_per_epoch
from repro.core.parameters import Threads, Training
from samples import NAMES

ENOUGH = 999


def step(guilty: Collection[Collection[str]]) -> Callable[[Factors], Trial]:
    """A step whose bits change when all factors of one of these sets are varied."""

    def attempt(factors: Factors) -> Trial:
        parts = any(set(needed) <= set(factors) for needed in guilty)
        return Trial("train", factors, not parts, ",".join(factors))

    return attempt


def marks(*given_marks: str) -> Callable[[Factors], Trial]:
    """A step that gives these bits one after the other; "" are the original's."""
    following = itertools.cycle(given_marks)

    def attempt(factors: Factors) -> Trial:
        mark = next(following)
        return Trial("train", factors, mark == "", mark)

    return attempt


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_every_factor_that_acts_alone_is_named(guilty: set[str]) -> None:
    found = search(NAMES, list, step([{name} for name in guilty]), ENOUGH)
    assert found.kind == "factor"
    assert {frozenset(named) for named in found.factors} == {frozenset({n}) for n in guilty}


@given(st.sets(st.sampled_from(NAMES), min_size=2, max_size=3))
def test_factors_that_only_act_together_are_named_together(guilty: set[str]) -> None:
    found = search(NAMES, list, step([guilty]), ENOUGH)
    assert [set(named) for named in found.factors] == [guilty]


@given(st.sampled_from(NAMES))
def test_a_likely_factor_is_tried_before_the_others(guilty: str) -> None:
    found = search(NAMES, lambda: [guilty], step([{guilty}]), ENOUGH)
    assert found.factors == ((guilty,),)
    assert len(found.trials) == UNVARIED + 2 + AGAIN
    assert found.trials[UNVARIED].factors == (guilty,)


def test_no_factor_is_tried_where_runs_differ_with_nothing_varied() -> None:
    found = search(NAMES, list, marks("a", "b", "c"), ENOUGH)
    assert (found.kind, found.factors) == ("random", ())
    assert all(trial.factors == () for trial in found.trials)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (("", "a", ""), "a race"),
        (("a", "a", "b"), "a race"),
        (("a", "", "b"), "a race"),
        (("a", "a", "a"), "stale state"),
        (("", "", ""), "not reproduced"),
    ],
)
def test_what_runs_without_variation_say(seen: tuple[str, ...], kind: str) -> None:
    assert search(NAMES, list, marks(*seen), ENOUGH).kind == kind


def test_a_factor_that_changes_the_bits_only_sometimes_is_a_race() -> None:
    found = search(NAMES, lambda: ["clock"], marks("", "", "", "a", "", "b"), ENOUGH)
    assert (found.kind, found.factors) == ("a race", ())


@given(st.integers(1, 40), st.sets(st.sampled_from(NAMES), max_size=4))
def test_the_budget_is_kept(budget: int, guilty: set[str]) -> None:
    found = search(NAMES, list, step([{name} for name in guilty]), budget)
    assert len(found.trials) <= budget
    assert {name for named in found.factors for name in named} <= guilty


def test_what_was_found_before_the_budget_ended_is_kept() -> None:
    found = search(NAMES, lambda: ["clock"], step([{"clock"}, {"home"}]), UNVARIED + 2 + AGAIN)
    assert (found.kind, found.factors) == ("factor", (("clock",),))


@pytest.mark.parametrize(("dropped", "steps"), [(False, 3), (True, 2)])
def test_a_trial_goes_as_many_steps_as_the_training_has(
    dropped: bool, steps: int, tmp_path: Path
) -> None:
    (tmp_path / "data" / "train").mkdir(parents=True)
    np.save(tmp_path / "data" / "train" / "id.npy", np.arange(10))
    training = Training(1, 4, "auto", "step", Threads(2, 1), drop_remainder=dropped)
    assert steps_per_epoch(tmp_path, training) == steps
