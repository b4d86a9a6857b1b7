"""Growth: from where runs diverge, how the difference grows, by trials that keep their weights.

Synopsis:
    grown = grow(divergence, runs, found, budget)
    grown.steps, grown.first_variables, grown.how

The trainings of original and repeat keep no weights but the last. So two trials train again: from
the original's inputs, to the divergence and some way behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from repro.cause.fault_isolation import Factors, Found
from repro.cause.setting import Setting, steps_per_epoch
from repro.cause.trials import Trials, scratch
from repro.compare.divergence import BEFORE_TRAINING, Divergence, place
from repro.compare.growth import growth
from repro.compare.runs import parted
from repro.core import layout
from repro.core.canonical_json import Json
from repro.core.parameters import TrainParameters
from repro.core.text import counted, listed

NEAR = 16
"""So many steps behind the divergence are all looked at; then each at twice the distance."""
FAR = 1024
"""The distance at which trials stop, where training goes on for longer."""
MOST = 2**28
"""The bytes that one trial may keep; of larger weights only some elements are looked at."""
PAIR = 2
"""Fewer trials show nothing."""
_MOST_TRIALS = 4
"""So many at most, where chance decides whether one differs from the first."""
_OUTSIDE = {
    "prepare": "the runs diverge before training", "evaluate": "the runs diverge after training",
}  # fmt: skip
_NOWHERE = "No weight differs at the steps that were looked at."
_BY_KIND = {
    "stale state": "the original's bits did not come again",
    "not reproduced": "no trial gave other bits",
    "not finished": "what the difference depends on was not found",
}


@dataclass(frozen=True)
class Growth:
    """How the difference grows, see `repro.compare.growth.growth`; and how that was taken, or not.

    Where it is not known, the lists are empty and `how` says why.
    """

    how: str
    steps: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])
    first_variables: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])


def chosen(first: int, end: int) -> list[int]:
    """The steps to look at, where runs diverge at step `first` of a training that has `end` steps.

    Example:
        >>> chosen(1, 40)
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 33, 39]
    """
    near = range(max(first - 1, 0), first + NEAR + 1)
    far = [first + 2**n for n in range(NEAR.bit_length(), FAR.bit_length())]
    last = min(end, first + FAR + 1) - 1
    return sorted({last, *(step for step in (*near, *far) if step < last)})


def grow(divergence: Divergence, setting: Setting, found: Found, budget: int) -> Growth:
    """Trains again, in at most `budget` trials, and looks how the difference of the weights grows.

    Args:
        divergence: where original and repeat diverge.
        setting: what the search for the cause ran again.
        found: what it brought.
    """
    if reason := _unfit(setting.step, found.kind, budget):
        return Growth(f"Not taken, since {reason}.")
    parameters = setting.parameters()
    assert isinstance(parameters, TrainParameters)
    training = parameters.training
    steps = steps_per_epoch(setting.runs.original, training)
    first, end = _first(divergence, steps, training.trace == "step"), training.epochs * steps
    if first is None or first >= end:
        return Growth("Not taken, since no step of training follows that place.")
    wanted = chosen(first, end)
    kept = (setting.folder / "weights.safetensors").stat().st_size * len(wanted)
    values = {"steps": [divmod(step, steps) for step in wanted], "every": -(-kept // MOST)}
    limit = {"steps": wanted[-1] + 1}
    with scratch(Setting(setting.runs, "train", lambda _: limit)) as trials:
        return _grown(divergence, trials, found, values, budget)


def _unfit(step: str, kind: str, budget: int) -> str | None:
    """Why no trials can show how the difference grows; None where they may."""
    few = "`search.trials` leaves fewer than two trials for it" if budget < PAIR else None
    return _OUTSIDE.get(step) or _BY_KIND.get(kind) or few


def _first(divergence: Divergence, steps: int, every_step: bool) -> int | None:
    """The first step, counted from the beginning of training, after which weights may differ.

    `every_step` is whether every step was compared, and not the ends of epochs alone.
    """
    if divergence.what in BEFORE_TRAINING:
        return 0
    if divergence.epoch is None:
        return None
    if divergence.step is None:
        return (divergence.epoch + every_step) * steps
    return divergence.epoch * steps + divergence.step


def _grown(
    divergence: Divergence, trials: Trials, found: Found, values: Mapping[str, Any], budget: int
) -> Growth:
    """What a trial with nothing varied shows beside another one that diverges from it."""
    factors = found.factors[0] if found.factors else ()
    left, failed = trials.recorded((), values)
    seed = trials.setting.runs.seed
    while failed is None and trials.made < min(budget, PAIR if factors else _MOST_TRIALS):
        right, failed = trials.recorded(factors, values)
        if failed is None and (at := parted("train", left, right, seed)):
            how = _how(trials.made, factors, None if at == divergence else at, values["every"])
            found_there = growth(*(trials.setting.of(run) / layout.VALUES for run in (left, right)))
            return Growth(how if found_there[0] else f"{how} {_NOWHERE}", *found_there)
    if failed is not None:
        return Growth(f"Not known, since a further training stopped with: {failed}")
    return Growth(
        f"Not known, since {counted(trials.made, 'further training')} gave the same bits."
    )


def _how(made: int, factors: Factors, elsewhere: Divergence | None, every: int) -> str:
    """How the values were taken; `elsewhere` is where the trials diverge, if not where runs do."""
    varied = f"one with nothing varied, one with the {listed(factors)}"
    which = f"{varied} varied" if factors else "with nothing varied"
    said = f"Taken in {counted(made, 'further training')} from the original's inputs, {which}."
    if elsewhere:
        said += f" Two of them first diverge at {place(elsewhere)}."
    return f"{said} Of each variable one element in {every} was looked at." if every > 1 else said
