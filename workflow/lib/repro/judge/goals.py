"""Goals: what is found for each of the three, and the best that the evidence supports.

Synopsis:
    found = answers(case)            # bitwise, metrics, documented
    best(found)                      # "bitwise", …, or None
"""

from __future__ import annotations

from collections.abc import Mapping

from repro.judge.bitwise import bitwise
from repro.judge.case import MET, Answer, Case
from repro.judge.documented import documented
from repro.judge.metrics import metrics

GOALS = {"bitwise": bitwise, "metrics": metrics, "documented": documented}
"""From the strongest on."""


def answers(case: Case) -> dict[str, Answer]:
    """What is found for each goal, from the strongest on.

    Args:
        case: all that the verdict rests on.

    Returns:
        By goal its answer.
    """
    return {goal: judged(case) for goal, judged in GOALS.items()}


def best(found: Mapping[str, Answer]) -> str | None:
    """The strongest goal that is met; None where none is.

    Example:
        >>> best({"bitwise": Answer("not met", ""), "documented": Answer("met", "")})
        'documented'
    """
    return next((goal for goal, answer in found.items() if answer.verdict == MET), None)
