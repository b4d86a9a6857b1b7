"""A silent error: what is wrong though both runs agree on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SilentError:
    """What is wrong though both runs agree: its name, what was seen, what to do."""

    mistake: str
    evidence: str
    remedy: str
