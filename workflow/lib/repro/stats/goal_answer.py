"""Goal answer: what is found for one goal.

Synopsis:
    Answer(MET, "digits: documented. …")
"""

from __future__ import annotations

from dataclasses import dataclass

MET, NOT_MET, INCONCLUSIVE = "met", "not met", "inconclusive"


@dataclass(frozen=True)
class Answer:
    """What is found for one goal: `met`, `not met` or `inconclusive`, and a sentence."""

    verdict: str
    sentence: str
