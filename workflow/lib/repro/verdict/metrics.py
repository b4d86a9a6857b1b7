"""Metrics: whether the metrics are functionally the same when everything is run again.

Synopsis:
    found = moved(measured(steps), EquivalencePlan(spread=1.0), looks=())
    metrics(case).verdict
    rested_on(case)         # with the tests that the answer rests on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from repro.core.parameters import EquivalencePlan
from repro.stats.answer import INCONCLUSIVE, MET, Answer
from repro.stats.family import Family, family
from repro.stats.interim_analysis import Look
from repro.stats.margins import ALPHA, Margin
from repro.stats.metric_table import CLASS, Measured
from repro.stats.sampling_error import Sampling, sampled, unsampled
from repro.stats.seed_variance import Spread, spread
from repro.verdict.case import Case
from repro.verdict.sentences import capital, counted, extent, seeds

RECALL = "recall"
"""In `equivalence.margin` it stands for the recall of every class."""


@dataclass(frozen=True)
class Moved:
    """What is known of the metrics.

    `spread` is that of the original's seeds and `sampling` the error of the test part, both by
    metric. `metrics` and `classes` are what the tests of equivalence found; None where there is
    nothing to test. `unknown` are metrics that a margin is given for and that no run has.
    """

    spread: Mapping[str, Spread]
    sampling: Mapping[str, Sampling]
    metrics: Family | None
    classes: Family | None
    unknown: Sequence[str] = ()


def moved(
    values: Mapping[str, Measured], wanted: EquivalencePlan, looks: Sequence[Look] = ()
) -> Moved:
    """How far the metrics of the repeats lie from the original's.

    Args:
        values: by name each metric, and the recall of each class.
        wanted: the margins, by metric and of all others.
        looks: of seeds that were added by a plan; empty where they were given.

    Returns:
        Spread, sampling error, and what the tests found.
    """
    margins = wanted.margin
    classes = [name for name in values if name.startswith(CLASS)]
    named = [n for n in values if n in margins or (not margins and n not in classes)]
    named += [n for n in classes if RECALL in margins and n not in named]
    size = max((len(one.original) for one in values.values()), default=0)
    # Where nobody planned to look, with the least error of the plan.
    least = min((look.alpha for look in looks), default=ALPHA)
    alpha = next((look.alpha for look in looks if look.runs == size), least)

    def margin(name: str) -> Margin:
        key = RECALL if name in classes and name not in margins else name
        return Margin(margins[key]) if key in margins else Margin(wanted.spread, True)

    def tested(names: Sequence[str]) -> Family | None:
        if not names or not any(values[name].repeated for name in names):
            return None
        return family(
            {name: values[name].original for name in names},
            {name: values[name].repeated for name in names},
            {name: margin(name) for name in names},
            alpha,
        )

    return Moved(
        {name: spread(name, one.original) for name, one in values.items()},
        {name: _sampled(name, one) for name, one in values.items()},
        tested(named),
        tested(classes),
        sorted(set(margins) - set(values) - ({RECALL} if classes else set())),
    )


def _sampled(name: str, one: Measured) -> Sampling:
    if one.right is None:
        return unsampled(name)
    return sampled(name, np.arange(one.examples) < one.right)


def metrics(case: Case) -> Answer:
    """What is found for the goal `metrics`.

    Args:
        case: what was compared, and where; `case.moved` is what `moved` gave.

    Returns:
        The answer; the same bits need no statistics.
    """
    if why := _untested(case):
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because {why}.")
    found = case.moved.metrics if case.moved else None
    if not case.first and not case.restless:
        return Answer(
            MET,
            f"{case.name}: every metric is the same, bit for bit, "
            f"{extent(case.comparisons, case.evaluated)}.",
        )
    if found is None:
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because there are no metrics.")
    words = {
        MET: "the metrics are equivalent",
        INCONCLUSIVE: "inconclusive, because it is not shown that the metrics are equivalent",
    }
    head = words.get(found.answer, "the metrics are not equivalent")
    used = sorted({comparison.seed for comparison in case.comparisons})
    tested = f"{seeds(used)}, each original beside its repeat"
    if case.parameters.seeds == "auto":
        tested += (
            f", as many as the plan asked for, with an error of {found.alpha:.2g} at this look"
        )
    more = ""
    if found.more_runs:
        more = (
            f" About {counted(found.more_runs, 'more seed')} would decide: in a set that is fixed "
            "anew, or by `seeds: auto`; to add some and ask again errs more often."
        )
    return Answer(found.answer, f"{case.name}: {head} ({tested}). {capital(found.why)}.{more}")


def rested_on(case: Case) -> Moved | None:
    """What is known of the metrics, with the tests only where the answer rests on them.

    Args:
        case: what was compared, and where.

    Returns:
        `case.moved`, without tests where `metrics` does without.
    """
    if case.moved is None or (not _untested(case) and (case.first or case.restless)):
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
