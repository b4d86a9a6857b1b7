"""Mapped files: the files that this process has mapped into its memory, as the system lists them.

Synopsis:
    sorted(mapped(executable=True))     # libraries, and what else may run
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

MAPS = Path("/proc/self/maps")


def mapped(*, executable: bool = False) -> set[str]:
    """The paths of all mapped files; of one that was deleted since, marked so by the system.

    Args:
        executable: only those that are mapped with the right to execute. macOS lists no others.

    Raises:
        OSError: the system does not list what is mapped.
    """
    if sys.platform == "darwin":
        return _images()
    if sys.platform != "linux":
        raise OSError(f"loaded libraries are not listed on {sys.platform}")
    lines = MAPS.read_text("utf-8", "surrogateescape").split("\n")
    fields = (line.split(maxsplit=5) for line in lines)
    return {
        field[5].replace("\\012", "\n")
        for field in fields
        if len(field) == 6 and not field[5].startswith("[") and ("x" in field[1] or not executable)
    }


def _images() -> set[str]:
    """The program and its libraries, as the dynamic linker of macOS lists them."""
    linker = ctypes.CDLL(None)
    linker._dyld_get_image_name.restype = ctypes.c_char_p
    names = (linker._dyld_get_image_name(n) for n in range(linker._dyld_image_count()))
    # The program's own name is the one that it was started by, which may be a link.
    return {os.path.realpath(os.fsdecode(name)) for name in names if name}
