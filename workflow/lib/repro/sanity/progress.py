"""Progress: whether the loss falls at all.

Synopsis:
    never_falls(losses)        # Stall(first=2.30, last=2.31, …), or None
    flat(losses_of_epochs)     # the same where all epochs have one loss
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.01
FALL = 0.1
"""A fall by this share of the first loss must be ruled out."""
_MOST = 20
_LEAST = 10
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Stall:
    """The mean of the first and of the last `count` losses; `p` of a fall by `FALL`.

    None where they are all the same, but for rounding.
    """

    first: float
    last: float
    count: int
    p: float | None


def never_falls(losses: Sequence[float]) -> Stall | None:
    """What is known of losses in the order of training; None where they fall, or may do so.

    Reported where the last ones are on average no lower than the first, and Welch's t-test (1947),
    by `scipy.stats.ttest_ind`, rules out at the level `LEVEL` that they fell by `FALL` of the first
    ones' absolute mean. Few losses, or ones that scatter much, cannot tell.

    Example:
        >>> never_falls([2.3, 2.31] * 10).count
        10
        >>> never_falls([2.3, 2.31] * 10 + [2.1] * 10)
    """
    from scipy.stats import ttest_ind

    count = min(_MOST, len(losses) // 2)
    values = np.array(losses)
    if count < _LEAST or not np.isfinite(values).all():
        return None
    first, last = values[:count], values[-count:]
    before, after = float(first.mean()), float(last.mean())
    if np.ptp(values) == 0:
        return flat(losses)
    if after < before or not before:
        return None
    fallen = first - FALL * abs(before)
    p = float(ttest_ind(last, fallen, equal_var=False, alternative="greater").pvalue)
    return Stall(before, after, count, p) if p <= LEVEL else None


def flat(losses: Sequence[float]) -> Stall | None:
    """What is known of losses that are all the same, but for rounding; None for others.

    Of whole epochs, which have the same examples, none may scatter; one loss, or a loss of 0, tells
    nothing.

    Example:
        >>> flat([0.7, 0.7, 0.7000001]).count
        1
    """
    values = np.array(losses)
    if len(values) < 2 or not np.isfinite(values).all() or not values.all():
        return None
    same = np.ptp(values) <= _ROUNDING * np.abs(values).max()
    return Stall(float(values[0]), float(values[-1]), 1, None) if same else None
