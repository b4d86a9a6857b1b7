"""Stale state: what a repeat leaves behind, which a later run of the same code could read.

Synopsis:
    before = standing()           # before any line of the user's code
    left_since(before)            # [{"place": "the home folder", "path": ".cache/x/scale.npy"}]

An original on a clean machine and a repeat that cannot see what the original left agree, though
the very next run, which can, may not. So a repeat tells what it leaves in the empty folders that it
was given, and where there is anything the step is run twice among the same folders.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Set
from pathlib import Path

from repro.launch.isolation import SHARED_MEMORY

FRESH = "REPRO_FRESH"
"""The folder of empty folders that a repeat was given."""
HIDING = "hiding.json"
"""In it: what the folders are in whose place the numbered ones below `hidden` are seen."""
MOST = 50
"""So many are named."""

_GIVEN = {
    "home": "the home folder",
    "temporary": "the temporary folder",
    "directory": "the working directory",
    "copies": "the folder of an input",
    "inputs": "the folder around an input",
}
_OF_TENSORFLOW = "__autograph_generated_file"
"""How a file begins that AutoGraph writes among temporary ones, and removes when Python ends."""


def standing() -> frozenset[tuple[str, str]]:
    """What lies in the folders that this process was given: place, and path from there.

    Files, links and empty folders, whose paths end in `/`; nothing in the original.
    """
    return frozenset((place, path) for place, folder in _places() for path in _below(folder))


def left_since(before: Set[tuple[str, str]]) -> list[dict[str, str]]:
    """What lies there now and did not before: `place` and `path` of each, of many the first."""
    new = sorted(entry for entry in standing() - before if not _passing(entry[1]))
    return [{"place": place, "path": _text(path)} for place, path in new[:MOST]]


def _text(path: str) -> str:
    """The path, whatever bytes the system has for it, as text that can be written."""
    return os.fsencode(path).decode("utf-8", "replace")


def _passing(path: str) -> bool:
    return path.rpartition("/")[2].startswith(_OF_TENSORFLOW)


def _places() -> Iterator[tuple[str, Path]]:
    if FRESH not in os.environ:
        return
    fresh = Path(os.environ[FRESH])
    for name, place in _GIVEN.items():
        yield place, fresh / name
    file = fresh / HIDING
    hidden: dict[str, str] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for name, place in hidden.items():
        yield place, SHARED_MEMORY if name == str(SHARED_MEMORY) else fresh / "hidden" / name


def _below(root: Path) -> Iterator[str]:
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        if not entries and folder != root:
            yield f"{folder.relative_to(root).as_posix()}/"
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                pending.append(entry)
            else:
                yield entry.relative_to(root).as_posix()
