"""Stale lock: the lock of a Snakemake that was killed, at which every later one would stop.

Synopsis:
    alive = unlocked(Path.cwd())       # to be held for as long as this Snakemake runs

Snakemake's own lock is a file, and says nothing of who wrote it; one of the system's goes with the
process that holds it. But a shared file system need not pass it on to other machines: so the name
of the machine stands in the file, and what another one left is nobody's here to remove.
"""

from __future__ import annotations

import fcntl
import socket
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, TextIO

_LOCKS = Path(".snakemake", "locks")
_ALIVE, _LOOKING = (Path(".snakemake", f"repro.{name}") for name in ("alive", "looking"))


def _is_snakemake(command: Sequence[str]) -> bool:
    parts = [PurePath(argument).parts[-2:] for argument in command[:6]]
    return any("snakemake" in (part[-1:] or ("",)) + part[:1] for part in parts)


def _others(folder: Path) -> Iterator[int]:
    """The numbers of other Snakemakes that run in this folder, as far as the system tells."""
    library: Any = import_module("psutil")  # Snakemake's own
    current = library.Process()
    family = {current.pid, *(parent.pid for parent in current.parents())}
    for process in library.process_iter(["pid", "cmdline", "cwd"]):
        info = process.info
        here = info["cwd"] is None or Path(info["cwd"]) == folder
        if here and info["pid"] not in family and _is_snakemake(info["cmdline"] or ()):
            yield info["pid"]


def unlocked(folder: Path) -> TextIO | None:
    """Removes Snakemake's lock on a folder where no Snakemake is alive that could have made it.

    Returns:
        A file to be kept open: while it is, no other process does the same, be this one out of its
        sight. None where the system has no such locks, or a process of an older version keeps it
        for itself.
    """
    folder = folder.resolve()
    (folder / _ALIVE).parent.mkdir(exist_ok=True)
    alive = (folder / _ALIVE).open("a+")
    with (folder / _LOOKING).open("w") as looking:
        try:
            fcntl.flock(looking, fcntl.LOCK_EX)  # one after the other: no two wait for long
            if _taken(alive, fcntl.LOCK_EX) and not any(_others(folder)):
                _settle(alive, sorted((folder / _LOCKS).glob("*.lock")))
            # Shared from here on, so that none of several is missed when the first of them ends.
            if _taken(alive, fcntl.LOCK_SH):
                return alive
        except OSError:
            pass
    alive.close()
    return None


def _taken(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle(alive: TextIO, left: Sequence[Path]) -> None:
    """Removes locks that this machine left, and notes whose the next ones are."""
    alive.seek(0)
    here, there = socket.gethostname(), alive.read().strip()
    if left and there not in ("", here):
        print(
            f"The lock on this folder is of a Snakemake on {there}. If none runs there any more, "
            "say `snakemake --unlock`, and start again.",
            file=sys.stderr,
        )
        return
    if left:
        notice = "A Snakemake that was killed left its lock behind: removed. Going on where it was."
        # What goes to the other stream may be a graph for another tool.
        print(notice, file=sys.stderr)
    for file in left:
        file.unlink(missing_ok=True)
    alive.truncate(0)
    alive.write(f"{here}\n")
    alive.flush()
