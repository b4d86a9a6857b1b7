"""Options: what a user asks of a check, typed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BUDGET = 600.0
"""Seconds for all that follows the first answer, unless `--budget` says otherwise."""


@dataclass(frozen=True)
class CheckOptions:
    """The options of the command line; `budget` in seconds, None where it was not given."""

    words: tuple[str, ...]
    out: Path
    budget: float | None = None
    runs: int = 2
    steps: int | None = None
    only_outputs: bool = False
    keep: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rtol: float = 0.0
    overlay: bool = True
    in_place: bool = False
    network: bool = True
    load: bool = False
