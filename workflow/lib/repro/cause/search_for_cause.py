"""Search for cause: why runs diverge; and where none does, whether a further run would.

Synopsis:
    result = inquire(runs, repeats, comparisons, budget, say)
    result.causes, result.trials
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from repro.cause.counterexamples import Counterexamples, Repeats, counterexamples
from repro.cause.explain import explain
from repro.cause.setting import Runs
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
    comparison = first or comparisons[0]
    runs, result = replace(runs, seed=comparison.seed, like=comparison.run), Counterexamples()
    if first is None:
        result = counterexamples(runs, repeats, budget, say)
        first = result.comparison
    if first is not None and first.divergence is not None and not result.causes:
        remaining = max(budget - len(result.trials), 0)
        if remaining:
            say(
                f"{runs.experiment}: the runs first diverge at {place(first.divergence)}; "
                f"searching for the cause, in at most {remaining} trials (`search.trials`)."
            )
        result.causes, trials, result.growth = explain(
            first.divergence, runs, repeats.factors, remaining
        )
        result.trials += trials
    return result
