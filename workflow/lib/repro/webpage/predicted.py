"""Predicted: what was predicted for the test part, beside what is true.

Synopsis:
    predicted(evidence)       # of the original's first seed; None where nothing can be compared

Among classes a table of how often which was taken for which; of numbers a picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from repro.report.tables import number
from repro.webpage.evidence import Evidence
from repro.webpage.figure import LINE, ORIGINAL, figure

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

    from repro.record.step import Step

_CLASSES = 20
"""A table of more says nothing on a page; the table of each class's recall has all."""
_POINTS = 400
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ClassRow:
    """One class: how many examples, and how much of it was found."""

    name: str
    examples: int
    recall: str
    precision: str


@dataclass(frozen=True)
class Predicted:
    """What a page shows of predictions; each part may be missing."""

    seed: int
    classes: list[ClassRow]
    confusion: list[list[tuple[int, float]]]
    """For each true class how often which was predicted, and as a share of the true class."""
    picture: Markup | None


def predicted(evidence: Evidence) -> Predicted | None:
    """Of the original's first evaluation; None where there is none, or nothing to show."""
    step = next(iter(evidence.of("evaluate", "original")), None)
    if step is None:
        return None
    classes = _classes(evidence, step)
    pair = _pair(evidence, step)
    confusion = _confusion(*pair) if pair and classes else []
    picture = _picture(*pair) if pair and not classes else None
    if not classes and picture is None:
        return None
    return Predicted(step.seed or 0, classes, confusion, picture)


def _classes(evidence: Evidence, step: Step) -> list[ClassRow]:
    import json

    report = json.loads(evidence.content(step, "metrics.json") or b"{}")
    return [
        ClassRow(
            str(entry["class"]), entry["examples"], number(entry["recall"]),
            number(entry["precision"]),
        )
        for entry in report.get("per_class") or ()
    ]  # fmt: skip


def _pair(evidence: Evidence, step: Step) -> tuple[Array, Array] | None:
    """True and predicted values of the same examples, where there is one array of each."""
    data = next(iter(evidence.of("prepare", step.run)), None)
    content, made = evidence.content(step, "predictions.npz"), "data/test/y.npy"
    truth = evidence.content(data, made) if data else None
    if content is None or truth is None:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if "y" not in arrays:
            return None
        guess: Array = arrays["y"]
    true: Array = np.load(io.BytesIO(truth), allow_pickle=False)
    fitting = len(true) == len(guess) and true.dtype.kind in "biuf" and guess.dtype.kind in "biuf"
    return (true, guess) if fitting else None


def _confusion(true: Array, guess: Array) -> list[list[tuple[int, float]]]:
    if guess.ndim != 2:
        return []
    count = max(guess.shape[1], 2)
    if count > _CLASSES:
        return []
    found = guess.argmax(1) if guess.shape[1] > 1 else (guess[:, 0] > 0.5).astype(int)
    if true.ndim == 2:
        true = true.argmax(1) if true.shape[1] > 1 else true[:, 0]
    true = true.astype(int)
    if true.ndim != 1 or true.min(initial=0) < 0 or true.max(initial=0) >= count:
        return []
    table = np.zeros((count, count), int)
    np.add.at(table, (true, found), 1)
    shares = table / np.maximum(1, table.sum(1, keepdims=True))
    return [
        [(int(n), round(float(share), 3)) for n, share in zip(counts, of, strict=True)]
        for counts, of in zip(table, shares, strict=True)
    ]


def _picture(true: Array, guess: Array) -> Markup | None:
    if true.size != guess.size or not true.size:
        return None
    left, right = (np.asarray(values, float).ravel() for values in (true, guess))
    finite = np.isfinite(left) & np.isfinite(right)
    left, right = left[finite], right[finite]
    if not left.size:
        return None
    every = max(1, -(-left.size // _POINTS))
    ends = min(left.min(), right.min()), max(left.max(), right.max())

    def draw(axes: Axes) -> None:
        axes.plot(ends, ends, color=LINE)
        axes.plot(left[::every], right[::every], "o", color=ORIGINAL, markersize=2.5, alpha=0.6)
        axes.set_xlabel("true")
        axes.set_ylabel("predicted")

    off = np.abs(left - right)
    told = (
        f"{left.size} numbers: the median distance from the truth is "
        f"{number(float(np.median(off)))}, the largest {number(float(off.max()))}."
    )
    return figure("predicted", "Predicted against true values", told, draw)
