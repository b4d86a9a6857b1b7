"""Observed: what a process sees of each factor, so that two processes can be held side by side.

Synopsis:
    observed(inputs)["locale"]       # differs where dates, decimal point or collation differ

A factor counts as varied only where the original and the repeat see something else of what it
changes: a locale of another name, with the same dates, decimal point and collation, is no other
locale. Answers are digests, so that no path of a machine is shown.
"""

from __future__ import annotations

import ctypes
import hashlib
import locale
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cmp_to_key
from pathlib import Path
from typing import Any

from repro.launch.file_times import read_by_the_user
from repro.launch.launcher import DIRECTORY

_WORDS = ("a", "B", "ä", "z", "Z", "ö", "1", "10", "é", "İ", "ı", "ch", "c")
_MOST = 100
"""Files of which the times are looked at."""


def _locale() -> object:
    before = locale.setlocale(locale.LC_ALL)
    try:
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, "")
        conventions = sorted(locale.localeconv().items())
        collated = sorted(_WORDS, key=cmp_to_key(locale.strcoll))
        return conventions, collated, time.strftime("%A %B %c %x", time.gmtime(0))
    finally:
        locale.setlocale(locale.LC_ALL, before)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _clock() -> int:
    """By how many minutes Python's clock is ahead of the system's."""
    asked = ctypes.CDLL(None).time
    asked.restype = ctypes.c_long
    return round((time.time() - asked(None)) / 60)


def _network() -> object:
    namespace = Path("/proc/self/ns/net")
    return socket.if_nameindex(), namespace.stat().st_ino if namespace.exists() else None


def _temporary_folder() -> str:
    before = tempfile.tempdir
    try:
        return tempfile.gettempdir()
    finally:
        tempfile.tempdir = before  # it remembers its first answer, and the user's code may choose


def _processors() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _load() -> int:
    """How many other children a launcher has that waits for this process."""
    parent = Path(f"/proc/{os.getppid()}")
    with suppress(OSError):
        if b"launch" in (parent / "cmdline").read_bytes().split(b"\0"):
            return len((parent / "task" / parent.name / "children").read_text().split()) - 1
    return 0


def _times(inputs: Mapping[str, Path]) -> object:
    files = [file for name in read_by_the_user(inputs) for file in _files(inputs[name])]
    return [os.stat(file).st_mtime_ns for file in files[:_MOST]]  # noqa: PTH116 (as it is asked)


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _names(folder: str) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)  # noqa: PTH208 (the order as it comes)
    return []


def observed(inputs: Mapping[str, Path]) -> dict[str, str]:
    """A digest of what this process sees of each factor; none where it could not be asked."""
    here = os.environ.get(DIRECTORY, "")
    probes: Mapping[str, Callable[[], Any]] = {
        "hash seed": lambda: [hash(word) for word in _WORDS],
        "time zone": lambda: datetime.fromtimestamp(0).isoformat(),
        "locale": _locale,
        "umask": _umask,
        "environment size": lambda: sum(map(len, os.environb.values())) // 4096,
        "home": lambda: os.path.expanduser("~"),  # noqa: PTH111 (a home may be missing)
        "temporary folder": _temporary_folder,
        "working directory": os.getcwd,
        "file times": lambda: _times(inputs),
        "paths": lambda: sorted(str(p.absolute().parent) for n, p in inputs.items() if n != "code"),
        "listing order": lambda: _names(sys.prefix),
        "clock": _clock,
        "process": lambda: os.getpid() // 32,  # what is varied is more than the order of starting
        "processors": _processors,
        "caches": lambda: sorted(_names(here)),
        "network": _network,
        "load": _load,
    }
    answers: dict[str, str] = {}
    for name, probe in probes.items():
        with suppress(Exception):  # what cannot be asked here is not told; no step ends for it
            answers[name] = _digest(probe())
    return answers


def _digest(answer: Any) -> str:
    return hashlib.sha256(repr(answer).encode()).hexdigest()[:16]


def unseen(
    original: Mapping[str, str], repeat: Mapping[str, str], factors: Iterable[str]
) -> list[str]:
    """Those of the factors of which both processes saw the same, as `observed` gave it in each.

    What was not asked is empty.
    """
    both = original.keys() & repeat.keys()
    return [name for name in factors if name in both and original[name] == repeat[name]]
