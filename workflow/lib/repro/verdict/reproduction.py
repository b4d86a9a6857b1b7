"""Reproduction: whether a rerun gave what an archive holds, here or elsewhere.

Synopsis:
    answer = reproduction(Again("digits", "bitwise", comparisons, setups, differences, moved))
    answer["verdict"], answer["reached"]          # "met", "bitwise"

On one side are the results that an archive holds, on the other those that came out when they were
made again. The words speak of setups, never of teams, as those of the ACM do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from repro.compare.divergence import place
from repro.compare.runs import Comparison
from repro.core.canonical_json import Json, canonical
from repro.core.text import capital, listed
from repro.drift.effects import IRRELEVANT
from repro.drift.environment_differences import Difference
from repro.drift.setups import Setups
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET, Answer
from repro.stats.metric_comparison import MetricComparison
from repro.verdict.sentences import extent, seeds

_SHOWN = 4


@dataclass(frozen=True)
class Again:
    """All that the answer rests on.

    `goal` is what the archive claims. `comparisons` hold each archived seed against what was made
    again, in the `setups` of which `differences` tells what is not the same. `whole` is false where
    only the archived weights were evaluated again.
    """

    name: str
    goal: str
    comparisons: Sequence[Comparison]
    setups: Setups
    differences: Sequence[Difference]
    moved: MetricComparison
    whole: bool = True

    @property
    def first(self) -> Comparison | None:
        """The first seed of which the bits are others."""
        return next((c for c in self.comparisons if c.divergence), None)

    @property
    def here(self) -> bool:
        """Whether it was the same program, in a setup in which nothing may change a bit."""
        return self.setups.count == 1 and self.setups.programs == 1

    @property
    def what(self) -> str:
        """What was made again."""
        numbers = seeds([c.seed for c in self.comparisons])
        whole = f"The rerun of {numbers}, end to end,"
        return whole if self.whole else f"The archived weights of {numbers}, evaluated again,"

    @property
    def where(self) -> str:
        """In which setup, and what is another one in it."""
        if self.here:
            return "where nothing differs that may change a bit"
        odd = [d.what for d in self.differences if d.effect != IRRELEVANT]
        odd += ["the program"] if self.setups.programs > 1 else []
        return f"in another setup ({listed(odd, _SHOWN)})"


def _setup(case: Again) -> str:
    return "same setup" if case.here else "other setup"


def _bitwise(case: Again) -> Answer:
    if case.first is None:
        head = f"same bits, {_setup(case)}"
        part = "" if case.whole else ", as far as it was rerun"
        end = (
            extent(case.comparisons, evaluated=True) if case.whole else "in predictions and metrics"
        )
        return Answer(
            MET,
            f"{case.name}: {head}{part}. {case.what} gave the same bits as the archive, {end}, "
            f"{case.where}.",
        )
    assert case.first.divergence is not None
    verb = "diverges" if case.whole else "diverge"
    diverged = f"{case.what} first {verb} from the archive at {place(case.first.divergence)}"
    if case.here:
        return Answer(NOT_MET, f"{case.name}: not the same bits. {diverged}, {case.where}.")
    return Answer(
        INCONCLUSIVE,
        f"{case.name}: not the same bits, {case.where}, and the goal `bitwise` promises those of "
        f"one setup only. {diverged}.",
    )


def _metrics(case: Again) -> Answer:
    head = "the metrics are equivalent"
    if case.first is None:
        return Answer(
            MET,
            f"{case.name}: {head}. {case.what} gave every metric again, bit for bit, {case.where}.",
        )
    if unknown := case.moved.unknown:
        return Answer(
            INCONCLUSIVE,
            f"{case.name}: inconclusive, because `equivalence.margin` names {unknown[0]}, which no "
            "run has measured.",
        )
    if (family := case.moved.metrics) is None:
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because there are no metrics.")
    words = {
        MET: head,
        NOT_MET: "the metrics are not those of the archive",
        INCONCLUSIVE: "inconclusive, because it is not shown that the metrics are the archive's",
    }
    return Answer(
        family.answer, f"{case.name}: {words[family.answer]}, {case.where}. {capital(family.why)}."
    )


def _documented(case: Again) -> Answer:
    why = ""
    if not case.whole:
        why = "only its evaluation was executed again"
    elif case.setups.programs > 1:
        why = "what was executed is another program than the archive's"
    if why:
        return Answer(INCONCLUSIVE, f"{case.name}: inconclusive, because {why}.")
    return Answer(
        MET,
        f"{case.name}: documented. What the archive holds was enough to execute it again, from the "
        "raw data to the predictions.",
    )


_GOALS: dict[str, Callable[[Again], Answer]] = {
    "bitwise": _bitwise, "metrics": _metrics, "documented": _documented,
}  # fmt: skip


def reproduction(case: Again) -> dict[str, Json]:
    """Whether an archive's claim was found again, and which goal was reached.

    Plain JSON values that satisfy the schema `reproduction`. `reached` is the strongest goal that
    holds; null where none does, or where only the evaluation was made again.
    """
    answers = {goal: judged(case) for goal, judged in _GOALS.items()}
    met = [goal for goal, answer in answers.items() if answer.verdict == MET]
    return {
        "experiment": case.name,
        "goal": case.goal,
        "verdict": answers[case.goal].verdict,
        "sentence": answers[case.goal].sentence,
        "goals": {goal: asdict(answer) for goal, answer in answers.items()},
        "reached": next(iter(met), None) if case.whole else None,
        "whole": case.whole,
        "scope": case.setups.scope,
        "setup": [asdict(difference) for difference in case.differences],
        "per_seed": [
            {"seed": c.seed, "divergence": asdict(c.divergence) if c.divergence else None}
            for c in case.comparisons
        ],
        "differences": {
            f"{c.run}/seed-{c.seed}": c.differences for c in case.comparisons if c.differences
        },
        "metrics": json.loads(canonical(asdict(case.moved))),
    }
