"""Culprit: the first operation of a step that gave other values from the same input.

Synopsis:
    culprit(left, right)      # two `detail.json`; None where no operation is to blame
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Culprit:
    """An operation: its tensor's name, type, layer, phase, and the user's line that made it."""

    name: str
    op: str
    layer: str | None
    phase: str
    file: str | None
    line: int | None
