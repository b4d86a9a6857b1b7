"""Shift tests: p-values for how far repeats lie from originals of the same seeds, against a margin.

Synopsis:
    shift = pairs(original, repeat)           # [..., n] each, matched by seed
    shift.tail(margin, "less")                # p that the shift is not below the margin
    p_equivalence(shift, low), p_difference(shift, high)   # two-sided, against ± a margin

Every p-value is the greater of Student's and of Wilcoxon's signed ranks. Student's holds for
normal values of few seeds, and for nearly any values of many. The ranks hold for however few seeds,
of any shape. What both allow holds where either does, and costs little power. It also sets the
least number of runs by itself: five pairs, since four lie on one side by chance in 1/16.

All functions take many experiments at once, one in each row, as the calibration needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from repro.stats.seed_variance import std

Array = npt.NDArray[Any]
Side = Literal["less", "greater"]

EXACT = 50
"""Up to so many runs, ranks are counted out; above, their normal limit is close."""
_ROUNDING = 64 * np.finfo(float).eps
"""A smaller share of the values is rounding: two results of 0.98 and 0.97 differ by 0.01."""


@dataclass(frozen=True)
class TestStatistic:
    """Repeat minus original: [...] estimates, standard errors and degrees of freedom.

    `deviation` is that of a difference of one run of each; `ranks(margin, side)` gives p-values.
    """

    estimate: Array
    error: Array
    freedom: int
    deviation: Array
    scale: Array
    ranks: Callable[[Any, Side], Array]

    def tail(self, margin: Any, side: Side) -> Array:
        """The p-value for a true shift below (`less`) or above (`greater`) the margin."""
        from scipy.stats import t

        distance = _settled(self.estimate - margin, self.scale + np.abs(margin))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(distance == 0, 0.0, distance / self.error)
        p = t.cdf(ratio if side == "less" else -ratio, self.freedom)
        return np.maximum(p, self.ranks(margin, side))


def _settled(values: Array, scale: Any) -> Array:
    return np.where(np.abs(values) <= _ROUNDING * scale, 0.0, values)


def _scale(*arrays: Array) -> Array:
    return np.max([np.abs(array).max(axis=-1) for array in arrays], axis=0)


def pairs(original: Array, repeat: Array) -> TestStatistic:
    """The shift of runs that are matched by seed: Student's paired t, Wilcoxon's signed ranks.

    Both sides are [..., n], n at least 2, with the same seeds. The shift is the mean of the
    differences. The rank test asks that these lie symmetrically about it, as they do where the
    repeat scatters like the original (Wilcoxon 1945; ties and zeros are split, and p-values rounded
    up, by `scipy.stats.wilcoxon`).

    Example:
        >>> shift = pairs(np.arange(5.0), np.arange(5.0) + 1)
        >>> float(shift.tail(2.0, "less"))           # all five below: 1/2**5
        0.03125
    """
    scale = _scale(original, repeat)
    apart = _settled(repeat - original, scale[..., None])
    n = apart.shape[-1]

    def ranks(margin: Any, side: Side) -> Array:
        from scipy.stats import wilcoxon

        size = np.abs(margin)
        rest = _settled(apart - np.asarray(margin)[..., None], np.asarray(scale + size)[..., None])
        method = "exact" if n <= EXACT else "asymptotic"
        return wilcoxon(rest, zero_method="zsplit", alternative=side, method=method, axis=-1).pvalue

    deviation = np.where(_settled(np.ptp(apart, axis=-1), scale) == 0, 0.0, std(apart))
    return TestStatistic(apart.mean(axis=-1), deviation / n**0.5, n - 1, deviation, scale, ranks)


def p_equivalence(shift: TestStatistic, margin: Any) -> Array:
    """The p-value for a true shift within ± the margin, above 0: two one-sided tests, [...].

    It is the greater of the two (Schuirmann 1987; Berger 1982), so wrong in a share p of cases at
    most. The margin is one for all experiments, or one for each.
    """
    return np.maximum(shift.tail(margin, "less"), shift.tail(-margin, "greater"))


def p_difference(shift: TestStatistic, margin: Any) -> Array:
    """The p-value for a true shift beyond ± the margin: the smaller of two, doubled (Bonferroni).

    The margin is at least 0, one for all of [...] experiments or one for each.
    """
    smaller = np.minimum(shift.tail(margin, "greater"), shift.tail(-margin, "less"))
    return np.minimum(1.0, 2 * smaller)
