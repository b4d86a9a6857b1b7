"""Assemble: whether the claimed goal is met, with scope and evidence, in one sentence.

Synopsis:
    verdict = judge("digits", parameters, comparisons, context, causes, trials, mistakes)
    verdict["verdict"]          # met, not met, inconclusive
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from repro.cause.diagnose import Cause
from repro.cause.fault_isolation import Trial
from repro.cause.growth import Growth
from repro.compare.runs import Comparison
from repro.core.canonical_json import Json, canonical
from repro.core.parameters import CompareParameters
from repro.core.text import counted
from repro.sanity.silent_error import SilentError
from repro.stats import detection_power
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET
from repro.stats.metric_comparison import MetricComparison
from repro.verdict import sentences
from repro.verdict.case import Case, Context
from repro.verdict.goals import answers, best
from repro.verdict.methods import methods
from repro.verdict.metrics import rested_on


def _per_seed(comparison: Comparison, verdict: str, growth: Growth | None) -> dict[str, Any]:
    divergence = comparison.divergence
    grows = {"growth": asdict(growth)} if growth else {}
    answer = INCONCLUSIVE if verdict == INCONCLUSIVE else NOT_MET if divergence else MET
    return {
        "seed": comparison.seed,
        "run": comparison.run,
        "verdict": answer,
        "divergence": {**asdict(divergence), **grows} if divergence else None,
    }


def _unseen(case: Case) -> str | None:
    """What a shortened repeat leaves unseen."""
    if case.parameters.full:
        return None
    stopped = next((c.stopped for c in case.comparisons if c.stopped), None)
    if stopped is None:
        return (
            "The repeat went to the end of training, and was not evaluated: metrics and "
            "predictions were not compared."
        )
    ((unit, count),) = stopped.items()
    return (
        f"The repeat stopped after {counted(count, unit[:-1])} of training: what comes "
        "later, the final weights, metrics and predictions were not compared."
    )


def _warnings(case: Case) -> list[str]:
    if not case.comparisons:
        return ["No repeat was made."]
    warnings = [
        _unseen(case),
        None if case.first else detection_power.limits(case.parameters.repeats),
    ]
    if case.nondeterministic_inference:
        warnings.append(
            "Evaluation is nondeterministic: the same weights gave other bits when evaluated again "
            f"({sentences.seeds(case.nondeterministic_inference)})."
        )
    return [text for text in warnings if text]


def judge(
    name: str,
    parameters: CompareParameters,
    comparisons: Sequence[Comparison],
    context: Context,
    causes: Sequence[Cause] = (),
    trials: Sequence[Trial] = (),
    mistakes: Sequence[SilentError] = (),
    moved: MetricComparison | None = None,
    further: Comparison | None = None,
    warnings: Sequence[str] = (),
    growth: Growth | None = None,
) -> dict[str, Json]:
    """The verdict on one experiment: plain JSON values that satisfy the schema `verdict`.

    `comparisons` has one for each seed of each repeat, none where no repeat was made; `causes` come
    best first; `mistakes` are wrong although the runs agree; `moved` is None where no run was
    evaluated; `further` is a run of one step that diverges although no repeat does;
    `warnings` go behind those that follow from the case; `growth` is that of the first divergence.
    """
    names = [mistake.mistake for mistake in mistakes]
    case = Case(name, parameters, comparisons, context, causes, trials, names, moved, further)
    by_goal = answers(case)
    claimed, metric_facts = by_goal[parameters.goal], rested_on(case)
    return {
        "experiment": name,
        "goal": parameters.goal,
        "verdict": claimed.verdict,
        "sentence": claimed.sentence,
        "goals": {goal: asdict(answer) for goal, answer in by_goal.items()},
        "best": best(case, by_goal),
        "scope": context.scope,
        "repeats": parameters.repeats if comparisons else 0,
        "per_seed": [
            _per_seed(c, by_goal["bitwise"].verdict, growth if c is case.first else None)
            for c in (*comparisons, *([further] if further else []))
        ],
        "causes": [asdict(cause) for cause in causes],
        "search": [{"step": t.step, "factors": list(t.factors), "same": t.same} for t in trials],
        "mistakes": [asdict(mistake) for mistake in mistakes],
        "differences": {
            f"{c.run}/seed-{c.seed}": c.differences for c in comparisons if c.differences
        },
        "factors": [dict(factor) for factor in context.factors],
        "metrics": json.loads(canonical(asdict(metric_facts))) if metric_facts else None,
        "inference": list(context.inference),
        "limits": [dict(limit) for limit in context.limits],
        "methods": methods(case, by_goal),
        "warnings": [*_warnings(case), *warnings],
    }
