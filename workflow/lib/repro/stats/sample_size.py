"""Sample size: how many runs of each side would most likely decide.

Synopsis:
    plan = SampleSizePlan(deviation=0.004, spread=0.003, seeds=5, margin=Margin(0.005))
    required_runs(plan, estimate=0.001)      # runs of each side, None where 1,000 are too few
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from repro.stats.margins import ALPHA, Margin, allowed
from repro.stats.shift_tests import Array

POWER = 0.8
MOST = 1000
_RANKS = math.pi / 3
"""Ranks need so many times the runs of Student's t, for normal values (Pitman)."""
_FAR = 30.0
"""Further away nothing is left to chance, and the noncentral t is hard to compute."""


@dataclass(frozen=True)
class SampleSizePlan:
    """What is taken as it was seen: the deviation of a difference of one run of each side.

    And the deviation between the original's seeds, `spread`, from so many `seeds`; margin, alpha
    and family are those of the test.
    """

    deviation: float
    spread: float
    seeds: int
    margin: Margin
    alpha: float = ALPHA
    family: int = 1


def _power(distance: Array, error: Array, n: Array, level: float) -> Array:
    from scipy.stats import nct, t

    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(distance > 0, np.minimum(distance / error, _FAR), 0.0)
    return nct.sf(t.isf(level, n - 1), n - 1, away)


def required_runs(plan: SampleSizePlan, estimate: float) -> int | None:
    """The least number of runs of each side that decides in 80 % of cases; None above 1,000.

    With a shift seen within the margin: for `met`, if truly nothing shifted. With one beyond it:
    for `not met`, if the shift is truly what was seen. The power is Student's, by the noncentral
    t; of the two one-sided tests no more than twice its shortfall is lost (Bonferroni); ranks need
    π/3 times the runs. It takes the deviations seen for the true ones, so it is a rough guide.

    Example:
        >>> plan = SampleSizePlan(deviation=1.0, spread=1.0, seeds=5, margin=Margin(1.0))
        >>> required_runs(plan, 0.0)
        12
    """
    n = np.arange(2, MOST + 1)
    seeds = np.maximum(n, plan.seeds)
    error = plan.deviation / np.sqrt(n)
    size = plan.margin.size * (plan.spread if plan.margin.of_spread else 1.0)
    if plan.deviation == 0 and math.isclose(abs(estimate), size):
        return None
    if abs(estimate) <= size:
        low, _, cost = allowed(plan.margin, plan.spread, seeds, plan.alpha)
        level = plan.alpha - cost
        power = 2 * _power(low + 0 * error, error, n, level) - 1
    else:
        alpha = plan.alpha / plan.family
        _, high, cost = allowed(plan.margin, plan.spread, seeds, alpha)
        level = (alpha - cost) / 2
        power = _power(abs(estimate) - high + 0 * error, error, n, level)
    enough = np.flatnonzero(power >= POWER)
    if not enough.size:
        return None
    # So many lie on one side of the margin by chance with probability 2**-least.
    least = math.ceil(-math.log2(level))
    runs = max(least, math.ceil(n[enough[0]] * _RANKS))
    return runs if runs <= MOST else None
