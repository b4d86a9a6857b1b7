"""Blamed: a call in the user's code through which two runs may differ.

Synopsis:
    LedgerCall("clock", "time.time", "train.py", 12)
"""

from __future__ import annotations

from dataclasses import dataclass

UNSEEDED = "generator without a seed"


@dataclass(frozen=True)
class LedgerCall:
    """A call in the user's code, and through what it may differ."""

    source: str
    call: str
    file: str
    line: int
