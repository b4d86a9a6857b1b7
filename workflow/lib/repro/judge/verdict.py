"""Verdict: whether the claimed goal is met, with scope and evidence, in one sentence.

Synopsis:
    verdict = judge("digits", parameters, comparisons, context, causes, trials, mistakes)
    verdict["verdict"]          # met, not met, inconclusive
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from repro.judge import chance, sentence
from repro.judge.agreement import Mistake
from repro.judge.compare import Comparison
from repro.judge.context import Context
from repro.judge.diagnose import Cause
from repro.judge.search import Trial

MET, NOT_MET, INCONCLUSIVE = "met", "not met", "inconclusive"


@dataclass(frozen=True)
class _Case:
    """All that a verdict rests on."""

    name: str
    parameters: Mapping[str, Any]
    comparisons: Sequence[Comparison]
    context: Context
    causes: Sequence[Cause]
    trials: Sequence[Trial]
    mistakes: Sequence[str]

    @property
    def first(self) -> Comparison | None:
        return next((c for c in self.comparisons if c.divergence), None)

    @property
    def restless(self) -> list[int]:
        """Seeds whose weights, evaluated twice, gave other bits."""
        return sorted({entry["seed"] for entry in self.context.inference if not entry["same"]})


def _answer(case: _Case) -> tuple[str, str]:
    name, goal = case.name, case.parameters["goal"]
    if not case.comparisons:
        return INCONCLUSIVE, (
            f"{name}: inconclusive, because no repeat was made (`repeat: off`), so that there is "
            "nothing to compare the original with."
        )
    if goal != "bitwise":
        also = "parted" if case.first else "had the same bits"
        return INCONCLUSIVE, (
            f"{name}: inconclusive, because the goal `{goal}` is not judged yet; the runs {also}."
        )
    if case.context.programs > 1 or (case.context.setups > 1 and case.first):
        return INCONCLUSIVE, sentence.elsewhere(name, case.first, case.context)
    if case.first:
        text = sentence.not_met(name, case.comparisons, case.causes, case.trials, case.mistakes)
        return NOT_MET, text
    if case.restless:
        return NOT_MET, (
            f"{name}: training is repeatable bit for bit, evaluation is not. The weights of "
            f"{sentence.seeds(case.restless)}, evaluated twice, gave other bits."
        )
    evaluated = case.parameters["repeat"] == "full"
    return MET, sentence.met(name, case.comparisons, case.context, evaluated, case.mistakes)


def _per_seed(comparison: Comparison, verdict: str) -> dict[str, Any]:
    found = comparison.divergence
    own = INCONCLUSIVE if verdict == INCONCLUSIVE else NOT_MET if found else MET
    return {
        "seed": comparison.seed,
        "run": comparison.run,
        "verdict": own,
        "divergence": asdict(found) if found else None,
    }


def _unseen(case: _Case) -> str | None:
    """What a shortened repeat leaves unseen."""
    if case.parameters["repeat"] == "full":
        return None
    stopped = next((c.stopped for c in case.comparisons if c.stopped), None)
    if stopped is None:
        return (
            "The repeat went to the end of training, and was not evaluated: metrics and "
            "predictions were not compared."
        )
    ((unit, count),) = stopped.items()
    return (
        f"The repeat stopped after {sentence.counted(count, unit[:-1])} of training: what comes "
        "later, the final weights, metrics and predictions were not compared."
    )


def _warnings(case: _Case) -> list[str]:
    if not case.comparisons:
        return ["No repeat was made."]
    found = [_unseen(case), None if case.first else chance.limits(case.parameters["repeats"])]
    if case.restless:
        found.append(
            "Evaluation is not repeatable: the same weights gave other bits when evaluated again "
            f"({sentence.seeds(case.restless)})."
        )
    return [text for text in found if text]


def judge(
    name: str,
    parameters: Mapping[str, Any],
    comparisons: Sequence[Comparison],
    context: Context,
    causes: Sequence[Cause] = (),
    trials: Sequence[Trial] = (),
    mistakes: Sequence[Mistake] = (),
) -> dict[str, Any]:
    """The verdict on one experiment.

    Args:
        name: the experiment.
        parameters: `goal`, `repeat`, `repeats`, `seeds`.
        comparisons: one for each seed of each repeat; none where no repeat was made.
        context: what the manifests say around them.
        causes: why the runs part, best first.
        trials: what was tried to find out.
        mistakes: what is wrong although the runs agree.

    Returns:
        Plain JSON values that satisfy the schema `verdict`.
    """
    names = [mistake.mistake for mistake in mistakes]
    case = _Case(name, parameters, comparisons, context, causes, trials, names)
    verdict, text = _answer(case)
    return {
        "experiment": name,
        "goal": parameters["goal"],
        "verdict": verdict,
        "sentence": text,
        "scope": context.scope,
        "repeats": parameters["repeats"] if comparisons else 0,
        "per_seed": [_per_seed(comparison, verdict) for comparison in comparisons],
        "causes": [asdict(cause) for cause in causes],
        "search": [{"step": t.step, "factors": list(t.factors), "same": t.same} for t in trials],
        "mistakes": [asdict(mistake) for mistake in mistakes],
        "differences": {
            f"{c.run}/seed-{c.seed}": c.differences for c in comparisons if c.differences
        },
        "factors": [dict(factor) for factor in context.factors],
        "inference": list(context.inference),
        "warnings": _warnings(case),
    }
