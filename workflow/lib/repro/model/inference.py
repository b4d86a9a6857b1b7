"""Inference: what the same weights predict, apart from training, when the circumstances change.

Synopsis:
    circumstances(predict, predictions, labels, batch_size=64)
    # {"batch size": {"to": "32", "same": False, …}, "processors": {…, "same": True}}
    companions(predict_rows, predictions, batch_size=64)
    # {"examples": 128, "changed": 0, "largest_difference": None}
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Required, TypedDict

import numpy as np
import numpy.typing as npt

from repro.core.errors import UserError
from repro.model.classification import classes

Array = npt.NDArray[Any]
Predictions = Mapping[str, Array]

Rows = npt.NDArray[np.int64]

_THREADS = Path("/proc/self/task")
_BATCHES = 2
_ONE_PROCESSOR = "one processor for all threads"
UNMEASURED = "the model has neither a loss nor a `test_step` of its own"
NOT_CALLED = "the model has neither a `call` nor a `predict_step` of its own"
_BY_ITSELF = "predicting again in the same process gives other predictions by itself"


def same_bits(one: Predictions, other: Predictions) -> bool:
    """Whether two predictions agree to the last bit, NaN and the sign of zero among them."""
    return one.keys() == other.keys() and all(
        array.tobytes() == other[name].tobytes() for name, array in one.items()
    )


class Circumstance(TypedDict, total=False):
    """What predictions did when one circumstance was changed `to` another.

    `same` is whether all bits are, or None where it could not be tried, and `why`;
    `largest_difference` of any number, as text; `other_class` how many examples get another class
    (None where nothing is chosen among classes).
    """

    to: Required[str]
    same: bool | None
    why: str
    largest_difference: str | None
    other_class: int | None


def _apart(to: str, one: Predictions, other: Predictions, labels: Predictions) -> Circumstance:
    """How far two predictions are apart, and how many examples get another class."""
    largest = _largest_difference(one, other)
    chosen = [
        (classes(labels.get(name), scores), classes(labels.get(name), other[name]))
        for name, scores in one.items()
    ]
    changed = [int(np.sum(a[1] != b[1])) for a, b in chosen if a and b]
    return {
        "to": to,
        "same": same_bits(one, other),
        "largest_difference": None if largest is None else repr(largest),
        "other_class": changed[0] if len(changed) == 1 else None,
    }


def _largest_difference(one: Predictions, other: Predictions) -> float | None:
    """That of any number; None where there are none."""
    pairs = [(array, other[name]) for name, array in one.items()]
    numbers = [(a.astype(float), b.astype(float)) for a, b in pairs if a.dtype.kind in "fiu"]
    return max((float(np.max(np.abs(a - b), initial=0)) for a, b in numbers), default=None)


def _bound(processors: set[int]) -> None:
    for thread in _THREADS.iterdir():
        try:
            os.sched_setaffinity(int(thread.name), processors)
        except ProcessLookupError:
            continue  # it has ended


@contextmanager
def _one_processor() -> Generator[None]:
    """All threads of this process on one and the same processor."""
    before = os.sched_getaffinity(0)
    _bound({min(before)})
    try:
        yield
    finally:
        _bound(before)


def circumstances(
    predict: Callable[[int], Predictions], before: Predictions, labels: Predictions,
    batch_size: int,
) -> dict[str, Circumstance]:  # fmt: skip
    """Predicts again under circumstances that change no weight; returns what each did.

    The record is the same on every machine as long as the bits are: it names no processor. The
    predictions `before` were made with `batch_size`; `predict` is given a batch size. `labels` are
    the test part's, by the names of the predictions. Where the same circumstances give other
    predictions, no other circumstance can be blamed for any.
    """
    examples = max(map(len, before.values()), default=0)
    # Batches of one are doubled.
    other = (min(batch_size, examples) // 2 or 2) if examples > 1 else 0
    if why := NOT_CALLED if not before else _unsteady(before, predict(batch_size)):
        return {
            "batch size": {"to": str(other), "same": None, "why": why},
            "processors": {"to": _ONE_PROCESSOR, "same": None, "why": why},
        }
    return {
        "batch size": _in_batches(predict, before, labels, other),
        "processors": _on_one_processor(predict, before, labels, batch_size),
    }


def _unsteady(before: Predictions, after: Predictions) -> str | None:
    return None if same_bits(before, after) else _BY_ITSELF


def _in_batches(
    predict: Callable[[int], Predictions], before: Predictions, labels: Predictions, size: int
) -> Circumstance:
    if not size:
        return {"to": str(size), "same": None, "why": "there are too few test examples"}
    try:
        return _apart(str(size), before, predict(size), labels)
    except UserError:
        return {"to": str(size), "same": None, "why": "the model takes no other batch size"}


def _on_one_processor(
    predict: Callable[[int], Predictions], before: Predictions, labels: Predictions,
    batch_size: int,
) -> Circumstance:  # fmt: skip
    to = _ONE_PROCESSOR
    if not hasattr(os, "sched_setaffinity") or not _THREADS.is_dir():
        return {"to": to, "same": None, "why": "this system binds no process to a processor"}
    with _one_processor():
        return _apart(to, before, predict(batch_size), labels)


class Companions(TypedDict, total=False):
    """What predictions did when other examples shared their batch.

    `changed` of `examples` are others by more than rounding; `largest_difference` of any number,
    as text. `why`, where it could not be looked at.
    """

    examples: Required[int]
    changed: int
    largest_difference: str | None
    why: str


def companions(
    predict: Callable[[Rows], Predictions], before: Predictions, batch_size: int
) -> Companions:
    """Predicts the first examples again, each at its place in its batch, among other examples.

    Place and size stay, so that what is drawn for a place, or rounded by the size, stays too: a
    prediction that changes depends on the others. Every second example is replaced by copies of
    one that is kept, then the others. `predict` is given the rows to be predicted, in batches of
    `batch_size`; the predictions `before` are those of all rows.
    """
    count = min(max(map(len, before.values()), default=0), _BATCHES * batch_size)
    if not before:
        return {"examples": 0, "why": NOT_CALLED}
    if min(count, batch_size) < 2:
        return {"examples": 0}
    rows = np.arange(count)
    kept = {name: array[:count] for name, array in before.items()}
    if not same_bits(kept, predict(rows)):
        return {"examples": 0, "why": _BY_ITSELF}
    changed, largest = np.zeros(count, bool), [0.0]
    for first in (0, 1):
        mixed = np.where(rows % 2 == first, rows, first)
        own, after = ({n: a[first::2] for n, a in p.items()} for p in (kept, predict(mixed)))
        if (odd := _beyond_rounding(own, after)).any():
            changed[first::2] = odd
            largest.append(_largest_difference(own, after) or 0.0)
    return {
        "examples": count, "changed": int(changed.sum()),
        "largest_difference": repr(max(largest)) if changed.any() else None,
    }  # fmt: skip


def _beyond_rounding(one: Predictions, other: Predictions) -> npt.NDArray[np.bool_]:
    """Which examples have another prediction, in more than the lower half of a number's digits."""
    differ = [_rows_beyond_rounding(array, other[name]) for name, array in one.items()]
    return np.logical_or.reduce(differ)


def _rows_beyond_rounding(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    if a.dtype.kind in "fc":
        tolerance = float(np.finfo(a.dtype).eps) ** 0.5
        largest = np.max(np.abs(a), axis=0, where=np.isfinite(a), initial=0)
        differ = ~np.isclose(a, b, tolerance, tolerance * largest, equal_nan=True)
    else:
        differ = a != b
    return np.logical_or.reduce(np.reshape(differ, (len(a), -1)), axis=1)
