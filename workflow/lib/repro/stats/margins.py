"""Margins: how large a shift may be, in a metric's unit or as a share of the seeds' spread.

Synopsis:
    Margin(0.005)                            # half a percent of accuracy, say
    Margin(1.0, of_spread=True)              # one standard deviation between the original's seeds
    judged(shift, margin, deviation, n)      # p-values: within the margin, beyond it
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from repro.core.errors import UserError
from repro.stats import shift_tests
from repro.stats.seed_variance import LARGEST, bounds
from repro.stats.shift_tests import Array, TestStatistic

ALPHA = 0.05


@dataclass(frozen=True)
class Margin:
    """The largest shift that does not matter: `size` in the metric's unit, or of its spread.

    `span` is how far two values of the metric can lie apart; no margin is larger.

    Raises:
        UserError: it is no finite number above 0.
    """

    size: float
    of_spread: bool = False
    span: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size) and 0 < self.size <= LARGEST):
            raise UserError(
                f"Expected a margin above 0. Received {self.size}. Give the largest difference "
                "that does not matter to you."
            )


@dataclass(frozen=True)
class Judged:
    """P-values for a shift `within` and `beyond` the margin, and what the margin is, [...].

    The margin is at least `low` and at most `high`, in the metric's unit.
    """

    within: Array
    beyond: Array
    low: Any
    high: Any


def allowed(margin: Margin, deviation: Any, n: Any, alpha: float) -> tuple[Any, Any, float]:
    """A lower and an upper limit of the margin in the metric's unit, and the error of each.

    That error is half of alpha for a share of the spread, and otherwise none. `deviation`, of n
    seeds of the original, is not looked at for a margin in the metric's unit; alpha is what the
    test may take as a whole.
    """
    if not margin.of_spread:
        size = min(margin.size, margin.span)
        return size, size, 0.0
    low, high = (margin.size * limit for limit in bounds(deviation, n, alpha / 2))
    return np.minimum(low, margin.span), np.minimum(high, margin.span), alpha / 2


def judged(
    shift: TestStatistic,
    margin: Margin,
    deviation: Any,
    n: int,
    alpha: float = ALPHA,
    family: int = 1,
) -> Judged:
    """How sure it is that a shift lies within, or beyond, a margin.

    A share of the spread is a share of the standard deviation between the original's seeds, which
    is known from n seeds only. The p-value is then the largest over all deviations that their
    confidence limit leaves, plus the probability that the limit is wrong (Berger and Boos 1994,
    "P values maximized over a confidence set for the nuisance parameter"). It asks nothing of how
    deviation and shift hang together. (Wellek's tests and other noncentral t tests, Wellek 2010,
    are sharper for normal values, but take the share of the deviation of the differences, or of two
    independent groups.)

    The shift and the deviation are of [...] experiments; alpha is the error that each answer may
    make. `family` is of how many metrics one beyond its margin is looked for: `beyond` is
    multiplied by it (Bonferroni). All within their margins needs no such thing (Berger 1982).

    Example:
        >>> original = np.arange(5.0)
        >>> float(judged(shift_tests.pairs(original, original + 1), Margin(2.0), 1.6, 5).within)
        0.03125
    """
    low, _, cost = allowed(margin, deviation, n, alpha)
    p_within = np.minimum(1.0, shift_tests.p_equivalence(shift, low) + cost)
    _, high, cost = allowed(margin, deviation, n, alpha / family)
    p_beyond = np.minimum(1.0, family * (shift_tests.p_difference(shift, high) + cost))
    if margin.of_spread:
        p_beyond = np.where(np.asarray(deviation) > 0, p_beyond, 1.0)
    return Judged(p_within, p_beyond, low, high)
