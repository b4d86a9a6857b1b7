"""Pairs: which file of one run answers which of another.

Synopsis:
    for pair in paired(Path("first"), Path("second")): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """One file, or one object of several files, of two runs; None where a run lacks it.

    `name`: its path from the root, in the first run that has it. `generated`: the kinds of parts
    that differ between the names, as "dates" and "process ids"; such files are the same file.
    `renamed`: the other name, where anything else in the names differs; that is a difference.
    """

    name: str
    left: Path | None
    right: Path | None
    generated: tuple[str, ...] = ()
    renamed: str | None = None


def paired(left_root: Path, right_root: Path) -> tuple[Pair, ...]:
    """Pairs what lies below two folders, in the order of the names.

    What belongs together is one: a SavedModel's folder, a TensorFlow checkpoint (its `.index`), an
    SQLite database with its log. `__pycache__` is left out. Links are not followed.
    """
    sides = [
        {file.relative_to(root).as_posix(): file for file in root.rglob("*") if file.is_file()}
        for root in (left_root, right_root)
    ]
    names = sorted({**sides[0], **sides[1]})
    return tuple(Pair(name, sides[0].get(name), sides[1].get(name)) for name in names)
