"""Inquiry: why runs part; and where none does, whether a further run would.

Synopsis:
    found = inquire(runs, repeats, comparisons, budget, say)
    found.causes, found.trials
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from repro.cause.counterexamples import Counterexamples, Repeats, counterexamples
from repro.cause.explain import explain
from repro.cause.trials import Runs
from repro.compare.divergence import place
from repro.compare.runs import Comparison
from repro.launch.reporting import Say


def inquire(
    runs: Runs, repeats: Repeats, comparisons: Sequence[Comparison], budget: int, say: Say
) -> Counterexamples:
    """Runs single steps again, to find the cause of a divergence or a run that shows one.

    Seed and repeat of `runs` become those of a comparison. Nothing is found where no repeat was
    made.
    """
    if not comparisons:
        return Counterexamples()
    first = next((c for c in comparisons if c.divergence), None)
    of = first or comparisons[0]
    runs, found = replace(runs, seed=of.seed, like=of.run), Counterexamples()
    if first is None:
        found = counterexamples(runs, repeats, budget, say)
        first = found.comparison
    if first is not None and first.divergence is not None and not found.causes:
        left = max(budget - len(found.trials), 0)
        if left:
            say(
                f"{runs.experiment}: the runs part at {place(first.divergence)}; searching for the "
                f"cause, in at most {left} trials (`search.trials`)."
            )
        found.causes, made = explain(first.divergence, runs, repeats.factors, left)
        found.trials += made
    return found
