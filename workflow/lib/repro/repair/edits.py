"""Edits: changes of a source at byte positions, all else of it as it was.

Synopsis:
    after = edited(before, [Edit("train.py", 41, 41, "0")])
    unified("train.py", before, after)           # for `git apply` and `patch -p1`
    original_line(before, edits, 12)             # of the edited source's line 12
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NO_END = "\\ No newline at end of file\n"


@dataclass(frozen=True)
class Edit:
    """In a file, the bytes from `start` up to `end` are replaced by a text."""

    file: str
    start: int
    end: int
    text: str


def edited(source: bytes, edits: Iterable[Edit]) -> bytes:
    """The source with some edits, all of them at positions of `source`.

    What is inserted at one position keeps the order of the edits; one that comes twice counts once.

    Raises:
        ValueError: two edits replace the same bytes.
    """
    parts, place = list[bytes](), 0
    for edit in _in_order(edits):
        if edit.start < place:
            raise ValueError(f"two edits of {edit.file} overlap at byte {edit.start}")
        parts += [source[place : edit.start], edit.text.encode()]
        place = edit.end
    return b"".join((*parts, source[place:]))


def _in_order(edits: Iterable[Edit]) -> list[Edit]:
    return sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))


def original_line(source: bytes, edits: Iterable[Edit], line: int) -> int:
    """The line of `source` that has become `line`; of an inserted one, that before which it is."""
    shift = 0
    for edit in _in_order(edits):
        first = source.count(b"\n", 0, edit.start) + 1 + shift
        added = edit.text.count("\n") - source.count(b"\n", edit.start, edit.end)
        if line >= first + max(added, 0):
            shift += added
        elif line >= first:
            return first - shift
    return line - shift


def unified(file: str, before: bytes, after: bytes) -> str:
    """The unified diff of a file; empty where nothing changed."""
    old, new = _lines(before), _lines(after)
    end = "\t" if " " in file else ""  # else `patch` takes the name up to the first space
    lines = difflib.unified_diff(old, new, f"a/{file}{end}", f"b/{file}{end}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)


def _lines(source: bytes) -> Sequence[str]:
    """Lines with their ends; only a line feed ends one, as for `patch`."""
    parts = source.decode().split("\n")
    return [*(f"{part}\n" for part in parts[:-1]), *([parts[-1]] if parts[-1] else [])]
