"""Sequential: when to look while seeds are added, so that looking often does not mislead.

Synopsis:
    plan = looks(budget=32)                  # 8, 16 and 32 runs, with alphas that sum to 0.05
    found = at_look(original, repeat, margins, plan)
    found.answer, found.next_runs            # None: stop
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.errors import UserError
from repro.core.looks import LEAST, counts
from repro.judge.equivalence import INCONCLUSIVE, Results
from repro.judge.family import Family, family
from repro.judge.margins import ALPHA, Margin


@dataclass(frozen=True)
class Look:
    """A number of seeds at which is looked, and the error that may be made there."""

    runs: int
    alpha: float


@dataclass(frozen=True)
class Decision:
    """What one look found; `next_runs` is the number of seeds at the next, None to stop."""

    answer: str
    look: Look
    plan: tuple[Look, ...]
    next_runs: int | None
    found: Family
    why: str


def looks(budget: int, alpha: float = ALPHA) -> tuple[Look, ...]:
    """When to look, and what error to spend at each look; fixed before any run is made.

    The last look is at the budget, each earlier one at half the runs of the next, none before 8.
    Alpha is spent in proportion to the runs, as by the spending function α t (Lan and DeMets 1983;
    Kim and DeMets 1987), but plainly added up (Bonferroni). So it holds for any test and however
    the looks hang together, where the limits of Lan and DeMets need normal values.

    Args:
        budget: the most seeds that may be run.
        alpha: how often `met` may be wrong in all, and how often `not met`.

    Returns:
        The looks, by runs.

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


def at_look(
    original: Mapping[str, Results],
    repeat: Mapping[str, Results],
    margins: Margin | Mapping[str, Margin],
    plan: Sequence[Look],
) -> Decision:
    """Answers at one look of a plan, and says whether to go on.

    It stops at the first look that answers `met` or `not met`, or at the last. What was answered
    at an earlier look is not asked: whoever goes on after an answer has left the plan.

    Args:
        original: for each metric, its results by seed.
        repeat: the same, for the same seeds.
        margins: one for all, or one for each metric.
        plan: as `looks` made it before the first run.

    Returns:
        The answer and the next number of seeds.

    Raises:
        UserError: a metric has results at another number of seeds than the plan looks at.
    """
    sizes = sorted({len(results) for side in (original, repeat) for results in side.values()})
    look = next((look for look in plan if [look.runs] == sizes), None)
    if look is None:
        raise UserError(
            f"Expected results of {', '.join(str(look.runs) for look in plan)} seeds, as planned. "
            f"Received {' and '.join(map(str, sizes)) or 'none'}. Look when the next are complete."
        )
    found = family(original, repeat, margins, look.alpha)
    later = [other.runs for other in plan if other.runs > look.runs]
    going = found.answer == INCONCLUSIVE and bool(later)
    why = f"look at {look.runs} seeds, with alpha {look.alpha:.3g}: {found.why}"
    return Decision(found.answer, look, tuple(plan), later[0] if going else None, found, why)
