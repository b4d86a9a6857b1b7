"""Held: an environment that is in use, so that nobody removes it meanwhile.

Synopsis:
    for_life(Path(sys.prefix))                   # a job
    handle = take(lock_of(prefix), ALONE | AT_ONCE)

The lock is a file beside the environment. It vanishes with the last process that has it open.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

TOGETHER, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX
AT_ONCE = fcntl.LOCK_NB
"""Do not wait for those who hold it: `BlockingIOError`."""


def lock_of(prefix: Path) -> Path:
    """The lock of an environment.

    Args:
        prefix: folder of the environment.

    Example:
        >>> lock_of(Path("envs/a_"))
        PosixPath('envs/a_.lock')
    """
    return prefix.with_name(f"{prefix.name}.lock")


def take(file: Path, how: int) -> int:
    """Holds a lock until the descriptor is closed.

    Args:
        file: the lock; it is made if it is missing, and need not be writable to hold it together
            with others.
        how: `TOGETHER` or `ALONE`, and whether `AT_ONCE`.

    Returns:
        The descriptor; no other program inherits it.

    Raises:
        BlockingIOError: others hold it, and waiting was not allowed.
        OSError: there is no such file and none can be made, or nothing can be locked there.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        if how & ALONE:
            raise
        handle = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
    except BaseException:
        os.close(handle)
        raise
    return handle


def for_life(prefix: Path) -> None:
    """Holds an environment together with others until this process ends, whatever it becomes.

    Where it has no lock, nothing is done: installers make it.

    Args:
        prefix: folder of the environment.
    """
    try:
        handle = os.open(lock_of(prefix), os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, TOGETHER)
        os.set_inheritable(handle, True)
    except OSError:
        os.close(handle)
