"""Metrics: whether the metrics are functionally the same when everything is run again.

Synopsis:
    metrics(case).verdict
"""

from __future__ import annotations

from repro.judge.case import INCONCLUSIVE, MET, Answer, Case
from repro.judge.sentence import extent


def metrics(case: Case) -> Answer:
    """What is found for the goal `metrics`.

    Args:
        case: what was compared, and where.

    Returns:
        The answer; the same bits need no statistics.
    """
    name = case.name
    if not case.comparisons:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because no repeat was made (`repeat: off`), so that there are "
            "no metrics to compare with.",
        )
    if case.context.programs > 1:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because the runs were made by different programs: "
            f"{case.context.scope}. Make the original anew.",
        )
    if not case.evaluated:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because the repeat was not evaluated; say `repeat: full`.",
        )
    if not case.first and not case.restless:
        return Answer(
            MET,
            f"{name}: every metric is the same, bit for bit, "
            f"{extent(case.comparisons, case.evaluated)}.",
        )
    return Answer(INCONCLUSIVE, "todo")
