"""Scratch: a folder for what the runs write, removed at the end, or by the next one that is made.

Synopsis:
    with scratch([Path("/tmp"), Path("/var/tmp")]) as folder: ...
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from repro.core.errors import CouldNotRun
from repro.launch.isolation import mounted_below

PREFIX = "repro-check-"
_LOCK = "lock"
_LONG = 3600.0  # seconds
_DEEPEST = 10  # folders without rights, one in another


@contextmanager
def scratch(places: Iterable[Path]) -> Generator[Path]:
    """A new folder in the first of `places` that can be written to.

    What a killed process left in any of them is removed first: a process holds a lock on its
    folder, and so does each that it forks, as long as they live.

    Raises:
        CouldNotRun: none can be written to.
    """
    places = list(dict.fromkeys(place.absolute() for place in places))
    for place in places:
        _remove_leftovers(place)
    folder = _made(places)
    lock = os.open(folder / f".{_LOCK}", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / f".{_LOCK}").rename(folder / _LOCK)  # only now is it one that may be removed
        yield folder
    finally:
        with _undisturbed():
            removed(folder)
            os.close(lock)


def removed(folder: Path) -> None:
    """Removes a folder of ours, whatever rights are on what lies in it."""
    # What was mounted is gone with its processes; if not, nothing may be removed through it.
    if mounted_below(folder):
        return
    for _ in range(_DEEPEST):  # each time may give back rights that the next one needs
        shutil.rmtree(folder, onerror=_with_rights)
        if not folder.exists():
            return


def _made(places: list[Path]) -> Path:
    for place in places:
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)).resolve()
    raise CouldNotRun(
        "Expected to make a folder for what the runs write. Received a refusal in "
        f"{', '.join(map(str, places))}. Make room, or name another place in TMPDIR, and run again."
    )


def _remove_leftovers(place: Path) -> None:
    with suppress(OSError):
        for folder in place.glob(f"{PREFIX}*"):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            if not (folder / _LOCK).exists():
                # Of a process that was killed, or that is about to lock it.
                if time.time() - folder.stat().st_mtime > _LONG:
                    removed(folder)
                continue
            with suppress(OSError):
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    removed(folder)
                finally:
                    os.close(lock)


def _with_rights(_function: Callable[..., Any], path: str, _: object) -> None:
    """An overlay's working folder has no rights at all (mode 000)."""
    with suppress(OSError):
        for place in (Path(path).parent, Path(path)):
            if not place.is_symlink():
                place.chmod(0o700)


@contextmanager
def _undisturbed() -> Generator[None]:
    before = {
        number: signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
