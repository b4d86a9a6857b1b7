"""Environment reads: which environment variables the user's lines read.

Synopsis:
    watch_environment(note)       # note("home", 'os.environ["HOME"]', ("train.py", 3)) at a read

By `os.environ`, in whatever way, or `os.getenv`; what libraries read is passed over.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from repro.events.user_frames import Place, frame_at, of_user

WHOLE = "all environment variables"
_BETWEEN = ("os", "_collections_abc", "collections.abc")
"""The modules by way of which `os.environ` reads for its caller."""
_SOURCES: Mapping[str, str] = {
    "HOME": "home",
    "TMPDIR": "temporary folder",
    "TEMP": "temporary folder",
    "TMP": "temporary folder",
    "PWD": "working directory",
    "LANG": "locale",
    "LANGUAGE": "locale",
    "TZ": "time zone",
    "PYTHONHASHSEED": "hash",
}


def watch_environment(note: Callable[[str, str, Place], None]) -> None:
    """Notes what is read from now on, by source, call and place."""
    kind: Any = type(os.environ)
    reading, going_through = kind.__getitem__, kind.__iter__

    @functools.wraps(reading)
    def __getitem__(self: Any, key: Any) -> Any:
        with suppress(Exception):
            place = _asking(frame_at(1))
            if place and self is os.environ:
                note(_source(key), f'os.environ["{key}"]', place)
        return reading(self, key)

    @functools.wraps(going_through)
    def __iter__(self: Any) -> Any:
        with suppress(Exception):
            place = _asking(frame_at(1))
            if place and self is os.environ:
                note(WHOLE, "os.environ", place)
        return going_through(self)

    kind.__getitem__, kind.__iter__ = __getitem__, __iter__


def _asking(frame: FrameType | None) -> Place | None:
    while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return of_user(frame)


def _source(name: str) -> str:
    return "locale" if name.startswith("LC_") else _SOURCES.get(name, "environment variable")
