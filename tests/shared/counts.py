"""Counts: how often something happened, with its exact interval and whether that is enough.

Synopsis:
    print(Figure("faults found", 19, 20, enough=True).text())

Pure; intervals are exact ones (Clopper and Pearson, Biometrika 26, 1934).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A count: `k` of `n`, and whether that is enough."""

    what: str
    k: int
    n: int
    enough: bool = True

    def text(self) -> str:
        """The count with its share and exact 95 % interval, in words."""
        if not self.n:
            return f"{self.what}: 0 of 0"
        low, high = interval(self.k, self.n)
        share = f"{self.k / self.n:.1%}, 95 % interval {low:.1%} to {high:.1%}"
        return f"{self.what}: {self.k} of {self.n} ({share})"


def interval(k: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of a share.

    Args:
        k: how often it happened.
        n: of how many; at least 1.

    Returns:
        The lower and the upper bound.

    Example:
        >>> interval(0, 1)
        (0.0, 0.975)
    """
    from scipy.stats import binomtest

    bounds = binomtest(k, n).proportion_ci(confidence_level=0.95, method="exact")
    return float(bounds.low), float(bounds.high)
