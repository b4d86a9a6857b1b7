"""Seed variance: how far a metric scatters from seed to seed, and how well so few seeds tell it.

Synopsis:
    seeds = spread("accuracy", {0: 0.981, 1: 0.978, 2: 0.984})
    seeds.deviation, seeds.low, seeds.high    # between seeds, and what it may as well be
    seeds.expected                            # where the result of one more seed is expected
    bounds(0.003, 3, 0.025)                   # the two limits alone

The spread between seeds says nothing of the test split's own sampling error; see `sampling`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Value = float | str | None
"""A metric as metrics.json has it: a number, or the text `nan`, `inf`, `-inf`."""
Array = npt.NDArray[Any]

CONFIDENCE = 0.95
KURTOSIS = 9.0
"""Shapes are allowed for up to this kurtosis: that of the exponential and of Student's t with 5
degrees of freedom; 3 is the normal distribution's. Fixed, since few seeds cannot tell it."""
LARGEST = 1e150
"""Beyond it squares overflow: as good as infinite."""


@dataclass(frozen=True)
class Spread:
    """Of one metric over `n` seeds: mean and standard deviation, in the metric's unit.

    `low` and `high` bound the deviation, `expected` the result of one more seed, both with 95 %.
    What cannot be known is None, and `why` says why.
    """

    metric: str
    n: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    expected: tuple[float, float] | None
    why: str | None


def finite(value: Value) -> float | None:
    """The number that a metric is; None where it is none, not finite, or too large to square.

    Example:
        >>> finite(0.5), finite("nan")
        (0.5, None)
    """
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None


def std(values: Array) -> Array:
    """Standard deviation along the last axis, with n - 1; exactly 0 where all are the same.

    [..., n] with n at least 2 becomes [...].
    """
    same = values.max(axis=-1) == values.min(axis=-1)  # their rounded mean may lie beside them
    return np.where(same, 0.0, values.std(axis=-1, ddof=1))


def bounds(deviation: Any, n: Any, error: float) -> tuple[Any, Any]:
    """Two limits of a true standard deviation, each wrong with probability `error` at most.

    The variance s² of n values, at least 2, has the mean σ² and the variance
    σ⁴ (κ - (n - 3) / (n - 1)) / n, where κ is the kurtosis. So s² is taken as a chi-squared of as
    many degrees of freedom as give that variance (Satterthwaite 1946; Box 1953, "Non-normality and
    tests on variances"). κ = 3 gives the n - 1 of the textbook, which holds for normal values
    alone; here κ = 9. Deviation and n are numbers or arrays.

    Example:
        >>> [round(float(limit), 2) for limit in bounds(1.0, 20, 0.025)]
        [0.62, 2.47]
    """
    from scipy.stats import chi2

    freedom = 2 * n / (KURTOSIS - (n - 3) / (n - 1))
    least, most = (np.sqrt(freedom / chi2.ppf(p, freedom)) for p in (1 - error, error))
    return deviation * least, deviation * most


def _unknown(metric: str, n: int, mean: float | None, why: str) -> Spread:
    return Spread(metric, n, mean, None, None, None, None, why)


def unusable(values: Mapping[int, Value]) -> Sequence[int]:
    """The seeds whose metric is no finite number."""
    return [seed for seed, value in values.items() if finite(value) is None]


def spread(metric: str, values: Mapping[int, Value]) -> Spread:
    """How far a metric scatters between seeds; all is known from two different finite numbers on.

    `expected` is Student's prediction interval for one more value from the same distribution,
    mean ± t s √(1 + 1/n) with n - 1 degrees of freedom (Hahn and Meeker 1991, "Statistical
    Intervals"). A result in it is no proof that nothing changed, since few seeds make it wide;
    one outside it comes up by chance in 5 % of cases where values are normal.

    Example:
        >>> spread("loss", {0: 1.0, 1: 2.0, 2: 3.0}).deviation
        1.0
    """
    from scipy.stats import t

    n = len(values)
    if odd := unusable(values):
        seeds = ", ".join(map(str, odd))
        return _unknown(metric, n, None, f"{metric} is no finite number for seed {seeds}")
    array = np.array([finite(value) for value in values.values()], dtype=float)
    if n < 2:
        mean = float(array[0]) if n else None
        return _unknown(metric, n, mean, f"{n} seed(s) show no spread; it takes two")
    mean, deviation = float(array.mean()), float(std(array))
    if not deviation:
        why = f"all {n} seeds gave the same {metric}; how far others scatter is not known from that"
        return Spread(metric, n, mean, 0.0, None, None, None, why)
    low, high = bounds(deviation, n, (1 - CONFIDENCE) / 2)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * deviation * math.sqrt(1 + 1 / n)
    return Spread(
        metric, n, mean, deviation, float(low), float(high), (mean - reach, mean + reach), None
    )
