"""Metric comparison: all metrics of the repeats against those of the original.

Synopsis:
    comparison = compare_metrics(measured(steps), EquivalencePlan(spread=1.0), looks=())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from repro.core.canonical_json import Json
from repro.core.parameters import EquivalencePlan
from repro.record.step import Step
from repro.stats.family import Family, family
from repro.stats.interim_analysis import Look
from repro.stats.margins import ALPHA, Margin
from repro.stats.metric_table import CLASS, RUNS, Measured, finite, measured
from repro.stats.sampling_error import Sampling, sampled, unsampled
from repro.stats.seed_variance import Spread, spread

_ORIGINAL = RUNS[0]
RECALL = "recall"
"""In `equivalence.margin` it stands for the recall of every class."""


@dataclass(frozen=True)
class MetricComparison:
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


def compare_metrics(
    values: Mapping[str, Measured], wanted: EquivalencePlan, looks: Sequence[Look] = ()
) -> MetricComparison:
    """How far the metrics of the repeats lie from the original's: spread, sampling error, tests.

    `values` has the recall of each class among the metrics; `looks` are of seeds that were added by
    a plan, empty where they were given.
    """
    margins = wanted.margin
    classes = [name for name in values if name.startswith(CLASS)]
    named = [n for n in values if n in margins or (not margins and n not in classes)]
    named += [n for n in classes if RECALL in margins and n not in named]
    size = max((len(metric.original) for metric in values.values()), default=0)
    # Where nobody planned to look, with the least error of the plan.
    least = min((look.alpha for look in looks), default=ALPHA)
    alpha = next((look.alpha for look in looks if look.runs == size), least)

    def margin(name: str) -> Margin:
        key = RECALL if name in classes and name not in margins else name
        size, of_spread = (margins[key], False) if key in margins else (wanted.spread, True)
        return Margin(size, of_spread, values[name].span(name))

    def tested(names: Sequence[str]) -> Family | None:
        if not names or not any(values[name].repeated for name in names):
            return None
        return family(
            {name: values[name].original for name in names},
            {name: values[name].repeated for name in names},
            {name: margin(name) for name in names},
            alpha,
        )

    return MetricComparison(
        {name: spread(name, metric.original) for name, metric in values.items()},
        {name: _sampled(name, metric) for name, metric in values.items()},
        tested(named),
        tested(classes),
        sorted(set(margins) - set(values) - ({RECALL} if classes else set())),
    )


def _sampled(name: str, metric: Measured) -> Sampling:
    if metric.right is None:
        return unsampled(name)
    return sampled(name, np.arange(metric.examples) < metric.right)


def every_result(steps: Sequence[Step], moved: MetricComparison) -> dict[str, Json]:
    """By metric: its value of each run by seed, and, of the original's, error, mean and deviation.

    A value that is no finite number is None, as is what cannot be known.
    """
    repeats = dict.fromkeys(s.run for s in steps if s.name == "evaluate" and s.run != _ORIGINAL)
    by_run = {run: measured(steps, (_ORIGINAL, run)) for run in repeats}
    alone = measured(steps) if not by_run else next(iter(by_run.values()))
    return {
        name: {
            "runs": {
                _ORIGINAL: _values(alone[name].original),
                **{run: _values(of[name].repeated) for run, of in by_run.items()},
            },
            "error": moved.sampling[name].error,
            "mean": finite(spread.mean),
            "deviation": finite(spread.deviation),
        }
        for name, spread in moved.spread.items()
    }


def _values(by_seed: Mapping[int, float]) -> dict[str, Json]:
    return {str(seed): finite(value) for seed, value in by_seed.items()}
