"""Sampling error: how far a metric may be off because the test split is a sample.

Synopsis:
    sampled("accuracy", right)               # right: bool [examples]
    unsampled("loss")

It is apart from the spread between seeds: two runs are tested on the same examples, so this
error does not part them, and more seeds do not lessen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sampling:
    """A share of `examples`, its standard error, and its 95 % interval.

    What cannot be known is None, and `why` says why.
    """

    metric: str
    examples: int
    value: float | None
    error: float | None
    interval: tuple[float, float] | None
    method: str | None
    why: str | None


def unsampled(metric: str, examples: int = 0, why: str | None = None) -> Sampling:
    """Of a metric whose sampling error is unknown: it is no share of right answers, or `why`."""
    reason = why or f"{metric} is no share of right answers, and its values by example are not kept"
    return Sampling(metric, examples, None, None, None, None, reason)


def sampled(metric: str, right: Array) -> Sampling:
    """The sampling error of a share of right answers.

    The interval is Wilson's (1927), which keeps its confidence near 0 and 1 and with few examples
    (Brown, Cai and DasGupta 2001), by `scipy.stats.binomtest`. The standard error √(p (1 - p) / n)
    is 0 where all answers agree; the interval then still has a width.

    `right`, [examples], are taken to be drawn independently; where they come in groups the true
    error is larger.

    Example:
        >>> found = sampled("accuracy", np.array([True] * 9 + [False]))
        >>> found.value, [round(limit, 2) for limit in found.interval]
        (0.9, [0.6, 0.98])
    """
    from scipy.stats import binomtest

    n = int(np.size(right))
    if not n:
        return unsampled(metric, 0, f"no example counts for {metric}")
    count = int(np.count_nonzero(right))
    share = count / n
    limits = binomtest(count, n).proportion_ci(CONFIDENCE, method="wilson")
    interval = (float(limits.low), float(limits.high))
    return Sampling(metric, n, share, (share * (1 - share) / n) ** 0.5, interval, "Wilson", None)
