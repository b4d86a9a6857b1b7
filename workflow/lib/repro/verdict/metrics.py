"""Metrics: whether the metrics are functionally the same when everything is run again.

Synopsis:
    metrics(case).verdict
    rested_on(case)         # with the tests that the answer rests on
"""

from __future__ import annotations

from dataclasses import replace

from repro.core.text import capital, counted
from repro.stats.goal_answer import INCONCLUSIVE, MET, Answer
from repro.stats.metric_comparison import MetricComparison
from repro.verdict.case import Case
from repro.verdict.sentences import extent, seeds


def metrics(case: Case) -> Answer:
    """What is found for the goal `metrics`; the same bits need no statistics."""
    if why := _untested(case):
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because {why}.")
    family = case.moved.metrics if case.moved else None
    if case.moved and not case.moved.spread:
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because there are no metrics.")
    if not case.first and not case.nondeterministic_inference:
        return Answer(
            MET,
            f"{case.name}: every metric is the same, bit for bit, "
            f"{extent(case.comparisons, case.evaluated)}.",
        )
    if family is None:
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because there are no metrics.")
    words = {
        MET: "the metrics are equivalent",
        INCONCLUSIVE: "inconclusive, because it is not shown that the metrics are equivalent",
    }
    head = words.get(family.answer, "the metrics are not equivalent")
    used = sorted({comparison.seed for comparison in case.comparisons})
    tested = f"{seeds(used)}, each original beside its repeat"
    if case.parameters.seeds == "auto":
        tested += (
            f", as many as the plan asked for, with an error of {family.alpha:.2g} at this interim "
            "analysis"
        )
    more = ""
    if family.more_runs:
        more = (
            f" About {counted(family.more_runs, 'more seed')} would decide: in a new set "
            "of seeds, or by `seeds: auto`; to add some and ask again errs more often."
        )
    return Answer(family.answer, f"{case.name}: {head} ({tested}). {capital(family.why)}.{more}")


def rested_on(case: Case) -> MetricComparison | None:
    """What is known of the metrics, with the tests only where the answer rests on them."""
    if case.moved is None or (
        not _untested(case) and (case.first or case.nondeterministic_inference)
    ):
        return case.moved
    return replace(case.moved, metrics=None, classes=None)


def _untested(case: Case) -> str | None:
    """Why nothing can be said of the metrics; None where something can."""
    if not case.comparisons:
        return (
            "no repeat was made (`repeat: off`), so that there are no metrics to compare the "
            "original's with"
        )
    if case.context.programs > 1:
        return f"the runs were made by different programs: {case.context.scope}"
    if not case.evaluated:
        return "the repeat was not evaluated (`repeat: full` does so)"
    if not case.whole:
        return f"only {seeds(sorted({c.seed for c in case.comparisons}))} was repeated"
    if case.further:
        return f"{case.further.run} gave other bits, and was not evaluated"
    if case.moved and (unknown := case.moved.unknown):
        return (
            f"`equivalence.margin` names {unknown[0]}, which no run has measured. Measured were "
            f"{', '.join(case.moved.spread)}"
        )
    return None
