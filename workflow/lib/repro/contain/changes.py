"""Changes: which files of a folder another moment finds new, altered or gone.

Synopsis:
    before = snapshot_of([folder])
    ...
    changes = since(before, snapshot_of([folder]))     # .written, .removed
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from repro.contain.outputs import files

State = tuple[int, int, int, int]
"""Inode, size, and times of content and of status in ns: no file is written without a change."""


States = dict[Path, State]


@dataclass(frozen=True)
class Changes:
    """Files that were written, and files that are gone."""

    written: tuple[Path, ...]
    removed: tuple[Path, ...]


def snapshot_of(folders: Iterable[Path]) -> States:
    """The state of all files below some folders."""
    found: States = {}
    for entry in chain.from_iterable(files(folder) for folder in folders):
        with suppress(FileNotFoundError):
            status = entry.stat(follow_symlinks=False)
            state = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            found[Path(entry.path)] = state
    return found


def since(before: States, after: States) -> Changes:
    """What changed between two snapshots of one folder."""
    written = tuple(path for path, state in after.items() if before.get(path) != state)
    return Changes(written, tuple(path for path in before if path not in after))
