"""Badge: how an answer looks on a page: a word, a sign and a colour, so that none stands alone.

Synopsis:
    badge(verdict).word        # met
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.text import capital


@dataclass(frozen=True)
class Badge:
    """A word, a sign before it, and the class of the style that gives the colour."""

    word: str
    sign: str
    style: str


_BADGES = {
    "met": Badge("met", "✓", "good"),
    "not met": Badge("not met", "✗", "bad"),
    "inconclusive": Badge("inconclusive", "?", "open"),
}


def badge(verdict: Mapping[str, Any]) -> Badge:
    """The badge of a verdict; one that is met with a warning says so."""
    found = _BADGES[verdict["verdict"]]
    warned = bool(verdict["mistakes"]) and found.style == "good"
    return Badge("met, with a warning", "!", "open") if warned else found


def sentence(verdict: Mapping[str, Any]) -> str:
    """What a verdict says, without the experiment's name, which stands above it."""
    return capital(verdict["sentence"].removeprefix(f"{verdict['experiment']}: "))
