"""Goals: what is found for each of the three, and the best that the evidence supports.

Synopsis:
    by_goal = answers(case)            # bitwise, metrics, documented
    best(case, by_goal)                # "bitwise", …, or None
"""

from __future__ import annotations

from collections.abc import Mapping

from repro.stats.goal_answer import INCONCLUSIVE, MET, Answer
from repro.verdict.bitwise import bitwise
from repro.verdict.case import Case
from repro.verdict.documented import documented
from repro.verdict.metrics import metrics
from repro.verdict.sentences import extent, seeds

GOALS = {"bitwise": bitwise, "metrics": metrics, "documented": documented}
"""From the strongest on."""


def answers(case: Case) -> dict[str, Answer]:
    """What is found for each goal, from the strongest on.

    What was repeated in part only is enough for `bitwise` where that is claimed, as the user asked
    for no more; otherwise it is not.
    """
    by_goal = {goal: judged(case) for goal, judged in GOALS.items()}
    claimed = case.parameters.goal == "bitwise"
    if by_goal["bitwise"].verdict == MET and not case.whole and not claimed:
        by_goal["bitwise"] = Answer(
            INCONCLUSIVE,
            f"{case.name}: inconclusive, because only a part was repeated, "
            f"{seeds([c.seed for c in case.comparisons])}, "
            f"{extent(case.comparisons, case.evaluated)}; so far every bit was the same.",
        )
    return by_goal


def best(case: Case, by_goal: Mapping[str, Answer]) -> str | None:
    """The strongest goal that the evidence supports; None where none is.

    It is `bitwise` only where everything was repeated with every seed.
    """
    met = [goal for goal, answer in by_goal.items() if answer.verdict == MET]
    return next((goal for goal in met if goal != "bitwise" or case.whole), None)
