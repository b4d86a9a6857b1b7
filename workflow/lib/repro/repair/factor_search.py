"""Factor search: whether a difference needs any factor at all, and if so which one, by halves.

Synopsis:
    finding = search(["clock", "home"], differs)      # differs(("clock",)) runs the command
    finding.nondeterministic, finding.factors
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LIKELY = (
    "hash seed", "listing order", "processors", "clock", "working directory", "home",
    "file times", "time zone", "process", "temporary folder", "locale", "environment size",
    "umask", "network", "load",
)  # fmt: skip
"""The order in which factors are tried: first those that change results most often."""

Differs = Callable[[tuple[str, ...]], bool | None]
"""Runs the command with some factors varied; None where no time is left for it."""


@dataclass(frozen=True)
class FactorFinding:
    """What the search found.

    `nondeterministic`: it differs with nothing varied; None where that was not tried. `factors`:
    the smallest set of factors under which it differed; several where they act together or no time
    was left. `complete`: whether the search came to its end. `runs`: how often the command ran.
    `unvaried`: in how many of these it differed with nothing varied.
    """

    nondeterministic: bool | None
    factors: tuple[str, ...]
    complete: bool
    runs: int
    unvaried: int = 0


def search(candidates: Sequence[str], differs: Differs) -> FactorFinding:
    """Runs the command with nothing varied, then with halves of what is left of the factors.

    A rare race may spare the first run without variations, and then look like a factor: so the
    last run is one more of these.
    """
    factors = tuple(sorted(candidates, key=LIKELY.index))
    if (unvaried := differs(())) is None:
        return FactorFinding(None, factors, complete=False, runs=0)
    runs = 1
    if unvaried or not factors:
        return FactorFinding(
            True if unvaried else None, (), complete=unvaried, runs=runs, unvaried=int(unvaried)
        )
    all_of_them, seen = factors, True  # whether the present ones were seen to make a difference
    while len(factors) > 1 or not seen:
        part = factors[: max(1, len(factors) // 2)]
        if (found := differs(part)) is None:
            return FactorFinding(False, factors, complete=False, runs=runs)
        runs += 1
        if found:
            factors, seen = part, True
        elif part == factors:  # neither half does it alone
            return FactorFinding(False, all_of_them, complete=True, runs=runs)
        else:
            factors, seen = factors[len(part) :], False
    if (again := differs(())) is None:
        return FactorFinding(False, factors, complete=False, runs=runs)
    return FactorFinding(
        again, () if again else factors, complete=True, runs=runs + 1, unvaried=int(again)
    )
