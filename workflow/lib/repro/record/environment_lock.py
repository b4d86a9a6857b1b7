"""An environment that is in use, so that nobody removes it meanwhile.

Synopsis:
    for_life(Path(sys.prefix))

The lock is a file beside the environment, which whoever installs or removes it holds alone. It
vanishes with the last process that has it open. The standard library is all that is used: this
source is also part of the post-deploy scripts.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_of(prefix: Path) -> Path:
    """The lock of an environment."""
    return prefix.with_name(f"{prefix.name}.lock")


def for_life(prefix: Path) -> None:
    """Holds an environment together with others until this process ends, whatever it becomes.

    Where it has no lock, nothing is done: installers make it.
    """
    try:
        handle = os.open(lock_of(prefix), os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        os.set_inheritable(handle, True)
    except OSError:
        os.close(handle)
