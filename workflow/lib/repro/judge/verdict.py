"""Verdict: whether the claimed goal is met, with scope and evidence, in one sentence.

Synopsis:
    verdict = judge("digits", parameters, comparisons, context)
    verdict["verdict"]          # met, not met, inconclusive

Words follow the ACM: *repeatable* is the same setup again; nothing here claims more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from repro.judge.compare import Comparison
from repro.judge.diagnose import Cause
from repro.judge.divergence import place
from repro.judge.search import Trial

if TYPE_CHECKING:
    from repro.judge.agreement import Mistake

MET, NOT_MET, INCONCLUSIVE = "met", "not met", "inconclusive"
RARE = (
    "One repeat bounds a rare race weakly: a race that changes the bits in a share p of runs is "
    "seen with probability 2p(1-p)."
)


@dataclass(frozen=True)
class Context:
    """What the manifests say around a comparison.

    `scope` is where it holds. `factors` says of each factor whether it was `varied`, and `how`,
    or `why` not.
    `inference` tells, for each seed, of the weights that were evaluated twice.
    `setups` is how many setups took part.
    """

    scope: str
    setups: int
    factors: Sequence[Mapping[str, Any]]
    inference: Sequence[Mapping[str, Any]]


def _unseen(repeat: str | Mapping[str, int]) -> str | None:
    if repeat == "full":
        return None
    if repeat == "off":
        return "No repeat was made."
    assert isinstance(repeat, Mapping)
    ((unit, count),) = repeat.items()
    return (
        f"The repeat stopped after {count} {unit}: what parts later, the history, the final "
        "weights, metrics and predictions were not compared."
    )


def _seeds(comparisons: Sequence[Comparison]) -> str:
    names = [str(comparison.seed) for comparison in comparisons]
    return (
        f"seed {names[0]}" if len(names) == 1 else f"seeds {', '.join(names[:-1])} and {names[-1]}"
    )


def _answer(
    name: str, parameters: Mapping[str, Any], comparisons: Sequence[Comparison], context: Context
) -> tuple[str, str]:
    goal, repeat = parameters["goal"], parameters["repeat"]
    parted = [c for c in comparisons if c.divergence is not None]
    if repeat == "off":
        return (
            INCONCLUSIVE,
            f"{name}: inconclusive, because `repeat: off` leaves nothing to compare with.",
        )
    if goal != "bitwise":
        also = "parted" if parted else "had the same bits"
        return INCONCLUSIVE, (
            f"{name}: inconclusive, because the goal `{goal}` is not judged yet; the runs {also}."
        )
    first = parted[0].divergence if parted else None
    if context.setups > 1:
        return INCONCLUSIVE, (
            f"{name}: inconclusive, because the runs were made in different setups "
            f"({context.scope}), and the goal `bitwise` speaks of one; "
            f"{f'they part at {place(first)}' if first else 'their bits are the same'}."
        )
    if first:
        return NOT_MET, (
            f"{name}: not repeatable bit for bit. With seed {parted[0].seed} the repeat parts from "
            f"the original at {place(first)}."
        )
    if restless := _restless(context):
        return NOT_MET, (
            f"{name}: training is repeatable, inference is not. The weights of seed {restless[0]}, "
            "evaluated twice, gave other bits."
        )
    how = "to its end" if repeat == "full" else "as far as it went"
    return MET, (
        f"{name}: repeatable. The repeat of {_seeds(comparisons)} gave the same bits as the "
        f"original, {how}, on this machine and in this environment."
    )


def _restless(context: Context) -> list[str]:
    return sorted({str(entry["seed"]) for entry in context.inference if not entry["same"]})


def _per_seed(comparison: Comparison, verdict: str) -> dict[str, Any]:
    found = comparison.divergence
    own = INCONCLUSIVE if verdict == INCONCLUSIVE else NOT_MET if found else MET
    return {
        "seed": comparison.seed,
        "run": comparison.run,
        "verdict": own,
        "divergence": asdict(found) if found else None,
    }


def _warnings(parameters: Mapping[str, Any], context: Context) -> list[str]:
    unseen = _unseen(parameters["repeat"])
    restless = _restless(context)
    found = [unseen, RARE if parameters["repeat"] != "off" else None]
    if restless:
        found.append(
            f"Inference is not repeatable: the same weights gave other bits when evaluated again "
            f"(seed {', '.join(restless)})."
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
    verdict, sentence = _answer(name, parameters, comparisons, context)
    return {
        "experiment": name,
        "goal": parameters["goal"],
        "verdict": verdict,
        "sentence": sentence,
        "scope": context.scope,
        "repeats": 0 if parameters["repeat"] == "off" else parameters["repeats"],
        "per_seed": [_per_seed(comparison, verdict) for comparison in comparisons],
        "causes": [asdict(cause) for cause in causes],
        "search": [{"step": t.step, "factors": list(t.factors), "same": t.same} for t in trials],
        "mistakes": [asdict(mistake) for mistake in mistakes],
        "differences": {
            f"{c.run}/seed-{c.seed}": c.differences for c in comparisons if c.differences
        },
        "factors": [dict(factor) for factor in context.factors],
        "inference": list(context.inference),
        "warnings": _warnings(parameters, context),
    }
