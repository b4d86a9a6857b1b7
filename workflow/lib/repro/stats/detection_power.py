"""Detection power: how rare a race may be and still be seen by n repeats.

Synopsis:
    seen(0.5, repeats=1)        # 0.5
    rarest(repeats=5)           # 0.4019: shares from here on are seen with 95 %
    limits(repeats=1)           # the same as a sentence
"""

from __future__ import annotations

from bisect import bisect_left

CONFIDENCE = 0.95
_GRID = 10_000
"""Shares are told in hundredths of a percent, rounded up."""


def seen(share: float, repeats: int) -> float:
    """The probability that the original and its n `repeats`, at least 1, do not all agree.

    A race gives the same other bits in a `share` p of all runs, independently. All n + 1 runs
    agree with probability p**(n + 1) + (1 - p)**(n + 1). Where a race gives ever other bits,
    or acts in several seeds, it is seen more often than that.

    Example:
        >>> seen(0.5, 1)
        0.5
    """
    return 1 - share ** (repeats + 1) - (1 - share) ** (repeats + 1)


def rarest(repeats: int) -> float | None:
    """The smallest share of runs, at most 1/2, in which a race is seen with 95 %.

    Rounded up to a hundredth of a percent; None where not even a race that acts in half of the
    runs is seen so often.

    Example:
        >>> rarest(1) is None, rarest(99)
        (True, 0.0296)
    """
    half = _GRID // 2
    # Up to 1/2 the probability grows with the share.
    place = bisect_left(range(half + 1), CONFIDENCE, key=lambda k: seen(k / _GRID, repeats))
    return place / _GRID if place <= half else None


def limits(repeats: int) -> str:
    """What so many repeats that agree, at least 1, say of a rare race, in one sentence."""
    many = "1 repeat" if repeats == 1 else f"{repeats} repeats"
    race = "a rare race (threads or processes whose timing decides the bits)"
    share = rarest(repeats)
    if share is not None:
        return (
            f"{many} cannot rule out {race}: one would have been seen with 95 % where the rarer "
            f"of its outcomes comes up in {100 * share:.4g} % of runs or more; a rarer one may "
            "have been missed."
        )
    enough = next(n for n in range(repeats, 100) if rarest(n) is not None)
    return (
        f"{many} cannot rule out {race}: however often one acts, {repeats + 1} runs show it with a "
        f"probability of {100 * seen(0.5, repeats):.4g} % at most; 95 % takes `repeats: {enough}`."
    )
