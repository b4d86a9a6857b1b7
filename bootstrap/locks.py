"""Locks between processes: a file, held until the process that holds it lets go or ends.

Synopsis:
    with locks.folder(project.TOOLS): ...                    # alone; a second process waits
    with locks.held(file, locks.ALONE | locks.AT_ONCE): ...  # or BlockingIOError

Nothing but the standard library and `display.progress` is used: this source is also part of the
post-deploy scripts.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from display import progress

TOGETHER, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX
AT_ONCE = fcntl.LOCK_NB  # do not wait for those who hold it
PACE = 0.2  # seconds between two tries


@contextmanager
def held(file: Path, how: int = ALONE, what: str = "waiting for another ./run") -> Generator[None]:
    """Hold a lock; whoever waits for it notes all the while ``what`` is waited for.

    ``how`` is `TOGETHER` or `ALONE`, and whether `AT_ONCE`. What is missing of the lock and its
    folder is made; to hold it together with others, it need not be writable.

    Raises:
        BlockingIOError: others hold it, and waiting was not allowed.
        OSError: there is no such file and none can be made, or nothing can be locked there.
    """
    handle = _opened(file, how)
    try:
        fcntl.flock(handle, how) if how & AT_ONCE else _wait(handle, how, what)
        yield
    finally:
        os.close(handle)


@contextmanager
def folder(place: Path) -> Generator[None]:
    """Hold a folder alone; makes it."""
    with held(place / ".lock"):  # a folder itself cannot be locked over NFS
        yield


def _opened(file: Path, how: int) -> int:
    """Open a lock; no other program inherits it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        if how & ALONE:
            raise
        return os.open(file, os.O_RDONLY)


def _wait(handle: int, how: int, what: str) -> None:
    begun = time.monotonic()
    while True:
        try:
            fcntl.flock(handle, how | AT_ONCE)
        except BlockingIOError:
            progress.note(what, int(time.monotonic() - begun), 0, "seconds")
            time.sleep(PACE)
        else:
            if time.monotonic() - begun > PACE:
                progress.note(what, 1, 1)
            return
