"""One answer: whether predictions are better than the same answer for every example.

Synopsis:
    constant(predictions, labels)                    # names of outputs that never change
    no_better_class(train_labels, right, true)       # OneAnswer(…), or None
    no_better_number(train_labels, labels, predicted, metrics)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.stats.shift_tests import pairs

Array = npt.NDArray[Any]

LEVEL = 0.05
SHARE = 0.1
"""Of the errors of one answer for all, this share must be shown to be left."""
POWER = 0.8
"""A test part is large enough where a model that guesses is found in this share of cases."""
_LEAST = 50
_MOST = 2**25
"""More labels than this, as where images are predicted, are not looked at: they take memory."""
_SQUARED = "mean squared error"


@dataclass(frozen=True)
class OneAnswer:
    """A model that is no better than one answer for all, by one measure.

    `model` and `baseline` are its values, `answer` says which answer that is. `p` is that of a
    model that avoids `SHARE` of the baseline's errors.
    """

    measure: str
    answer: str
    examples: int
    model: float
    baseline: float
    p: float


def _varies(array: Array) -> bool:
    return len(array) > 1 and bool((array[1:] != array[:1]).any())


def constant(predictions: Mapping[str, Array], labels: Mapping[str, Array]) -> list[str]:
    """Outputs whose numbers are the same for all examples but for rounding, though labels differ.

    Of floating-point numbers alone: a class may be right for a whole test part by chance.
    """
    if not any(_varies(array) for array in labels.values()):
        return []
    return [name for name, array in predictions.items() if _settled(array)]


def _settled(array: Array) -> bool:
    if array.dtype.kind != "f" or len(array) < 2 or not array.size or not np.isfinite(array).all():
        return False
    values = np.reshape(array, (len(array), -1)).astype(float)
    rounding = 8 * float(np.finfo(array.dtype).eps) * np.abs(values).max(axis=0)
    return bool((np.ptp(values, axis=0) <= rounding).all())


def no_better_class(train: Array, true: Array, right: int) -> OneAnswer | None:
    """A classifier that is no better than the class that is most frequent in training.

    Reported where its share of right answers is not shown to be above that class's, and is shown
    to be below one that avoids `SHARE` of its errors, each at the level `LEVEL` by the exact
    binomial test (`scipy.stats.binomtest`). The class's share among these examples is taken as
    known. A test part is too small where the latter would show less often than in `POWER` of all
    cases for a model that is right as often as that class: chance then decides who is reported.

    Args:
        train: classes of the training part, whole numbers from 0.
        true: those of the test part.
        right: how many of these the classifier found.
    """
    from scipy.stats import binom, binomtest

    frequent, n = int(np.bincount(train).argmax()), len(true)
    share = np.count_nonzero(true == frequent) / n if n else 1.0
    better = share + SHARE * (1 - share)
    if share == 1 or binomtest(right, n, share, "greater").pvalue <= LEVEL:
        return None
    shown = int(binom.ppf(LEVEL, n, better)) - 1  # the most right answers that show it
    if binom.cdf(shown, n, share) < POWER:
        return None
    p = float(binomtest(right, n, better, "less").pvalue)
    answer = f"class {frequent}, the most frequent in `train`"
    return OneAnswer("accuracy", answer, n, right / n, share, p) if p <= LEVEL else None


def no_better_number(
    train: Array, labels: Array, predicted: Array, metrics: Mapping[str, float]
) -> OneAnswer | None:
    """A regression that is no better than the mean, or the median, of the labels in training.

    Only the mean squared and the mean absolute error are looked at, and only where one is among
    the `metrics` by value: else predictions may be meant in other units, or for another loss. Where
    both are, both must be no better. The errors of both answers are compared example by example
    (`repro.stats.shift_tests.pairs`), as in `no_better_class`.
    """
    fits = predicted.size == labels.size and len(predicted) == len(labels)
    if not fits or len(labels) < _LEAST or train.size + labels.size > _MOST:
        return None
    shape = (len(labels), -1)
    y, own = np.reshape(labels, shape).astype(float), np.reshape(predicted, shape).astype(float)
    known = np.reshape(train, (len(train), -1)).astype(float)
    found = [
        _compared(name, answer, errors(y, own), errors(y, one))
        for name, answer, errors, one in _measures(known)
        if _reported(name, float(errors(y, own).mean()), metrics)
    ]
    return found[0] if found and None not in found else None


def _reported(name: str, error: float, metrics: Mapping[str, float]) -> bool:
    forms = (error, error**0.5) if name == _SQUARED else (error,)
    return any(
        math.isclose(form, value, rel_tol=1e-4) for form in forms for value in metrics.values()
    )


def _measures(known: Array) -> Iterator[tuple[str, str, Any, Array]]:
    def squared(y: Array, answer: Array) -> Array:
        return np.mean((y - answer) ** 2, axis=1)

    def absolute(y: Array, answer: Array) -> Array:
        return np.mean(np.abs(y - answer), axis=1)

    yield _SQUARED, "the mean of `train`", squared, known.mean(axis=0)
    yield "mean absolute error", "the median of `train`", absolute, np.median(known, axis=0)


def _compared(measure: str, answer: str, own: Array, baseline: Array) -> OneAnswer | None:
    means = float(own.mean()), float(baseline.mean())
    shift = pairs(baseline, own)
    if not means[1] or float(shift.tail(0.0, "less")) <= LEVEL:
        return None
    p = float(shift.tail(-SHARE * means[1], "greater"))
    return OneAnswer(measure, answer, len(own), *means, p) if p <= LEVEL else None
