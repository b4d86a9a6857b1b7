"""What is wrong though both runs agree: told from what they recorded, and only where it is."""

import doctest
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import pytest
from repro.record.statement import EXTENSION
from repro.record.step import Step
from repro.record.trace import Trace
from repro.sanity.silent_error import SilentError
from repro.verdict import silent_errors
from repro.verdict.silent_errors import mistakes, seen, unlooked

QUIET: dict[str, Any] = {
    "order": {"bits": 500.0, "even": True},
    "noise": [],
    "seeds": {"first": 0, "other": 7, "steps": 2, "weights": 4, "idle": False, "error": None},
    "unlooked": {},
}
NOTHING = Trace({}, ())


def trace(*batches: Sequence[str], ids: str = "") -> Trace:
    """A trace with these batches in each epoch; `ids`, by default, are new in every epoch."""
    lines: list[dict[str, Any]] = []
    for epoch, steps in enumerate(batches):
        for step, batch in enumerate(steps):
            mark = f"{ids or epoch}-{step}"
            lines.append({"epoch": epoch, "step": step, "batch": batch, "ids": mark})
        lines.append({"epoch": epoch, "weights": {}, "optimizer": {}, "seeds": {}})
    return Trace({}, tuple(lines))


def told(found: Trace = NOTHING, **probe: Any) -> list[SilentError]:
    return mistakes(found, {**QUIET, **probe}, {}, {"changed": []})


def order(bits: float = 500.0, even: bool = True) -> dict[str, Any]:
    return {"bits": bits, "even": even}


@pytest.mark.parametrize(
    ("found", "probe"),
    [
        (trace("abc", "abc"), order()),
        (trace("abc", "abc", "abc", "abc"), order(even=False)),
        (trace("ab", "ab"), order()),
        # The last epoch of a training that stopped early.
        (trace("abc", "abc", "ab"), order()),
        # Few examples have few orders, but not one in so many epochs.
        (trace(*["ab"] * 20), order(bits=4.5)),
    ],
)
def test_one_order_for_every_epoch_is_told(found: Trace, probe: dict[str, Any]) -> None:
    (mistake,) = told(found, order=probe)
    assert mistake.mistake == "one order for every epoch"
    assert f"sequence of {len([n for n in found.lines if n['epoch'] == 0]) - 1} batches" in (
        mistake.evidence
    )


@pytest.mark.parametrize(
    ("found", "probe"),
    [
        (trace("abc", "acb"), order()),
        (trace("abc", "abc", "cab"), order()),
        (trace("abc"), order()),
        (trace("a", "a", "a"), order()),
        (trace("aaa", "aaa"), order()),
        (trace("aab", "aab"), order(even=False)),
        (trace("ab", "ab"), order(even=False)),
        (trace("ab", "ab", "ab"), order(bits=1.0)),
        (trace("abc", "abc"), order(bits=0.0)),
        (trace("abc", "abc", ids="same"), order()),
        (trace("", ""), order()),
        (NOTHING, order()),
    ],
    ids=[
        "two orders", "another order late", "one epoch", "one batch", "all alike",
        "all alike but a smaller last one", "too few to tell", "two examples", "no order to choose",
        "as planned", "no steps", "no trace",
    ],
)  # fmt: skip
def test_what_is_not_one_order_is_left_alone(found: Trace, probe: dict[str, Any]) -> None:
    assert told(found, order=probe) == []


def source(**changes: Any) -> dict[str, Any]:
    whole = {"augment": False, "layer": None, "file": None, "line": None, "why": "it rests"}
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (source(layer="block/noise", file="a.py", line=3),
         "the layer `block/noise` (a.py, line 3): it rests"),
        (source(augment=True, file="a.py", line=3), "`augment` (a.py, line 3): it rests"),
        (source(), "the training step: it rests"),
    ],
)  # fmt: skip
def test_frozen_noise_is_told_with_its_place(found: dict[str, Any], words: str) -> None:
    (mistake,) = told(noise=[found])
    assert mistake.mistake == "frozen noise"
    assert words in mistake.evidence


def test_of_many_places_some_are_shown() -> None:
    (mistake,) = told(noise=[source(layer=f"n{n}") for n in range(5)])
    assert "`n2`: it rests; and 2 more" in mistake.evidence
    assert "`n3`" not in mistake.evidence


def test_an_idle_seed_is_told_with_both_seeds() -> None:
    (mistake,) = told(seeds={**QUIET["seeds"], "idle": True})
    assert mistake.mistake == "a seed that changes nothing"
    assert "seeds 0 and 7, all 4 weight variables" in mistake.evidence


def test_a_seed_that_breaks_is_told() -> None:
    (mistake,) = told(seeds={**QUIET["seeds"], "error": "KeyError at a.py, line 3"})
    assert mistake.mistake == "a seed that breaks the experiment"
    assert "with the seed 7 it fails: KeyError at a.py, line 3" in mistake.evidence


def test_weights_that_evaluation_changed_are_told() -> None:
    (mistake,) = mistakes(NOTHING, QUIET, {}, {"changed": ["norm/moving_mean", "norm/beta"]})
    assert mistake.mistake == "evaluation that changes weights"
    assert "changed 2 weight variable(s): norm/moving_mean; norm/beta" in mistake.evidence


def shared(in_train: int, by_chance: float) -> dict[str, Any]:
    return {"test": {"examples": 50, "in_train": in_train, "by_chance": by_chance},
            "validation": {"examples": 40, "in_train": 0, "by_chance": 0.0}}  # fmt: skip


def test_splits_that_overlap_are_told() -> None:
    (mistake,) = mistakes(NOTHING, QUIET, shared(12, 0.0), {"changed": []})
    assert mistake.mistake == "overlapping splits"
    assert "also in `train`: 12 of 50 in `test`." in mistake.evidence


@pytest.mark.parametrize("overlap", [shared(0, 0.0), shared(12, 11.5), shared(12, 0.5), {}])
def test_splits_that_overlap_by_chance_are_left_alone(overlap: dict[str, Any]) -> None:
    assert mistakes(NOTHING, QUIET, overlap, {"changed": []}) == []


def test_companions_that_change_predictions_are_told() -> None:
    found = {"changed": [], "companions": {"examples": 16, "changed": 15,
                                           "largest_difference": "0.25"}}  # fmt: skip
    (mistake,) = mistakes(NOTHING, QUIET, {}, found)
    assert mistake.mistake == "predictions that depend on the batch"
    assert mistake.evidence.startswith("15 of 16 test examples were predicted otherwise")
    assert mistake.evidence.endswith("by up to 0.25.")


@pytest.mark.parametrize(
    "companions", [{}, {"examples": 0}, {"examples": 0, "why": "it draws"},
                   {"examples": 16, "changed": 0, "largest_difference": None}],
)  # fmt: skip
def test_companions_that_change_nothing_are_left_alone(companions: dict[str, Any]) -> None:
    assert mistakes(NOTHING, QUIET, {}, {"changed": [], "companions": companions}) == []


def test_variables_that_are_not_saved_are_told() -> None:
    found = {"changed": [], "changed by training": ["t", "count", "t"], "read": ["t", "factor"]}
    (mistake,) = mistakes(NOTHING, QUIET, {}, found)
    assert mistake.mistake == "a variable that is not saved"
    assert "changes 1 variable(s) that predictions read and that are no weights" in mistake.evidence
    assert "of the model: t. The file" in mistake.evidence


@pytest.mark.parametrize(
    ("changed", "read"),
    [([], ["t"]), (["t"], []), (["t"], ["factor"]), (None, ["t"]), (["t"], None)],
)
def test_variables_that_change_no_prediction_are_left_alone(changed: Any, read: Any) -> None:
    found = {"changed": [], "changed by training": changed, "read": read}
    assert mistakes(NOTHING, QUIET, {}, found) == []


def step(name: str, **process: Any) -> Step:
    return Step(PurePath(f"{name}.json"), {"predicate": {EXTENSION: {"process": process}}})


def test_what_inference_cannot_show_is_said() -> None:
    companions = {"examples": 0, "why": "it draws"}
    found = seen({"changed": []}, step("train", unsaved=None),
                 step("evaluate", companions=companions, unsaved=None))  # fmt: skip
    assert unlooked(QUIET, found) == [
        "What other examples in a batch do to a prediction was not looked for: it draws.",
        "A variable that is not saved was not looked for: no graph shows which the model uses.",
    ]
    assert mistakes(NOTHING, QUIET, {}, found) == []


def test_manifests_of_earlier_versions_say_nothing() -> None:
    found = seen({"changed": []}, step("train"), step("evaluate"))
    assert unlooked(QUIET, found) == []
    assert mistakes(NOTHING, QUIET, {}, found) == []


def test_what_was_not_looked_for_is_said() -> None:
    assert unlooked(QUIET) == []
    assert unlooked({**QUIET, "unlooked": {"Frozen noise": "so it is"}}) == [
        "Frozen noise was not looked for: so it is."
    ]


def test_the_example_holds() -> None:
    assert doctest.testmod(silent_errors).attempted > 0
    assert doctest.testmod(silent_errors).failed == 0
