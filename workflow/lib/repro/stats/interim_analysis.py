"""Interim analysis: when to look while seeds are added, so that looking often does not mislead.

Synopsis:
    plan = looks(budget=32)                  # 8, 16 and 32 runs, with alphas that sum to 0.05
    plan[0].runs, plan[0].alpha              # what is tested there is tested with this alpha

It stops at the first look that answers `met` or `not met`, or at the last. What was answered at an
earlier look is not asked again: whoever goes on after an answer has left the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from repro.core.errors import UserError
from repro.core.parameters import LEAST, counts
from repro.stats.margins import ALPHA


@dataclass(frozen=True)
class Look:
    """A number of seeds at which is looked, and the error that may be made there."""

    runs: int
    alpha: float


def looks(budget: int, alpha: float = ALPHA) -> tuple[Look, ...]:
    """When to look, and what error to spend at each look; fixed before any run is made.

    The last look is at the budget, the most seeds that may be run, each earlier one at half the
    runs of the next, none before 8. Alpha is spent in proportion to the runs, as by the spending
    function α t (Lan and DeMets 1983; Kim and DeMets 1987), but plainly added up (Bonferroni). So
    it holds for any test and however the looks hang together, where the limits of Lan and DeMets
    need normal values.

    Raises:
        UserError: the budget is too small to show anything.

    Example:
        >>> [look.runs for look in looks(32)]
        [8, 16, 32]
    """
    if budget < LEAST:
        raise UserError(
            f"Expected a budget of at least {LEAST} seeds. Received {budget}. Raise it: fewer show "
            "nothing."
        )
    runs = counts(budget)
    return tuple(Look(number, alpha * number / sum(runs)) for number in runs)
