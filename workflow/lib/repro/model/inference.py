"""Inference: what the same weights predict, apart from training, when the circumstances change.

Synopsis:
    circumstances(predict, predictions, labels, batch_size=64)
    # {"batch size": {"to": "32", "same": False, …}, "processors": {…, "same": True}}
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

_THREADS = Path("/proc/self/task")


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
    pairs = [(array, other[name]) for name, array in one.items()]
    numbers = [(a, b) for a, b in pairs if a.dtype.kind in "fiu"]
    largest = [np.max(np.abs(a.astype(float) - b.astype(float)), initial=0) for a, b in numbers]
    chosen = [
        (classes(labels.get(name), scores), classes(labels.get(name), other[name]))
        for name, scores in one.items()
    ]
    changed = [int(np.sum(a[1] != b[1])) for a, b in chosen if a and b]
    return {
        "to": to,
        "same": same_bits(one, other),
        "largest_difference": repr(float(max(largest))) if largest else None,
        "other_class": changed[0] if len(changed) == 1 else None,
    }


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
    the test part's, by the names of the predictions.
    """
    return {
        "batch size": _in_batches(predict, before, labels, batch_size),
        "processors": _on_one_processor(predict, before, labels, batch_size),
    }


def _in_batches(
    predict: Callable[[int], Predictions], before: Predictions, labels: Predictions,
    batch_size: int,
) -> Circumstance:  # fmt: skip
    examples = max(map(len, before.values()), default=0)
    if examples < 2:
        return {"to": "0", "same": None, "why": "there are too few test examples"}
    size = min(batch_size, examples) // 2 or 2  # batches of one are doubled
    try:
        return _apart(str(size), before, predict(size), labels)
    except UserError:
        return {"to": str(size), "same": None, "why": "the model takes no other batch size"}


def _on_one_processor(
    predict: Callable[[int], Predictions], before: Predictions, labels: Predictions,
    batch_size: int,
) -> Circumstance:  # fmt: skip
    to = "one processor for all threads"
    if not hasattr(os, "sched_setaffinity") or not _THREADS.is_dir():
        return {"to": to, "same": None, "why": "this system binds no process to a processor"}
    with _one_processor():
        return _apart(to, before, predict(batch_size), labels)
