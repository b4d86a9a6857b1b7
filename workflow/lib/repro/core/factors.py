"""Factors: what must not matter, and is varied on purpose in a repeat.

Synopsis:
    NAMES                                     # varied unless the configuration switches one off
    ALL                                       # and `load`, which is varied only when asked for
    start, how = VARIATIONS["home"](start)    # how: what was done, in a few words

One small function for each, in the manner of reprotest. It returns what the step shall be
started with, or changes this process, which becomes the step; where the system allows
neither it raises `NotVaried` with the reason. No word tells a path of this machine.
"""

from __future__ import annotations

import locale
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec

from repro.core import sight
from repro.core.shims import SHIFT
from repro.core.start import NotVaried, Start

Variation = Callable[[Start], tuple[Start, str]]

FIXED: Mapping[str, Mapping[str, str]] = {
    "hash seed": {"PYTHONHASHSEED": "4242"},
    "time zone": {"TZ": "<+1345>-13:45"},
}
"""The factors that are environment variables, the same in every repeat."""

LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "C")
"""The first that is installed is taken; the last always is."""

_PADDING = 12_345  # bytes; no multiple of any alignment
_SKIPPED = 61  # process ids
_DELAY = 0.3  # seconds


def _hash_seed(start: Start) -> tuple[Start, str]:
    variables = FIXED["hash seed"]
    return start.having(**variables), f"PYTHONHASHSEED={variables['PYTHONHASHSEED']}"


def _time_zone(start: Start) -> tuple[Start, str]:
    return start.having(**FIXED["time zone"]), "13 hours and 45 minutes ahead of UTC"


def _locale(start: Start) -> tuple[Start, str]:
    before = locale.setlocale(locale.LC_ALL)
    try:
        name = next(name for name in LOCALES if _installed(name))
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return start.having(LC_ALL=name), f"LC_ALL={name}"


def _installed(name: str) -> bool:
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    return True


def _umask(start: Start) -> tuple[Start, str]:
    before, after = os.umask(0o027), 0o027
    if before == after:
        after = 0o022
        os.umask(after)
    return start, f"{after:03o} in place of {before:03o}"


def _environment_size(start: Start) -> tuple[Start, str]:
    return start.having(REPRO_PADDING="x" * _PADDING), f"{_PADDING} bytes more"


def _home(start: Start) -> tuple[Start, str]:
    return start.having(HOME=str(start.folder("home"))), "HOME is a new folder"


def _temporary_folder(start: Start) -> tuple[Start, str]:
    return start.having(TMPDIR=str(start.folder("temporary"))), "TMPDIR is a new folder"


def _working_directory(start: Start) -> tuple[Start, str]:
    return replace(start, directory=start.folder("directory")), "a new folder"


def _listing_order(start: Start) -> tuple[Start, str]:
    return start, (
        "reversed in os.listdir and os.scandir, so in glob and pathlib too; not in TensorFlow's "
        "own functions for files, nor in processes that the step starts anew"
    )


def _clock(start: Start) -> tuple[Start, str]:
    if find_spec("time_machine") is None:
        raise NotVaried("the package time-machine is not installed")
    return start, (
        f"{SHIFT.days} days and {SHIFT.seconds} seconds ahead, as Python's time and datetime see "
        "it; not in TensorFlow's own functions, the times of files, nor in processes that the "
        "step starts anew"
    )


def _process(start: Start) -> tuple[Start, str]:
    for _ in range(_SKIPPED):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    time.sleep(_DELAY)
    return start, f"started {_DELAY} seconds later, {_SKIPPED} process ids further on"


def _processors(start: Start) -> tuple[Start, str]:
    if not hasattr(os, "sched_setaffinity"):
        raise NotVaried("this system does not let a process choose its processors")
    available = sorted(os.sched_getaffinity(0))
    if len(available) == 1:
        raise NotVaried("only one processor is available")
    os.sched_setaffinity(0, available[1:])
    return start, f"{len(available) - 1} of {len(available)}; the threads are as configured"


def _load(start: Start) -> tuple[Start, str]:
    return start, f"{processors()} processes that keep the processors busy"


def processors() -> int:
    """How many processors this process may use."""
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return len(available) if available else os.cpu_count() or 1


STRESS = "load"

VARIATIONS: Mapping[str, Variation] = {
    # ASSUME: none of these may change a bit; tests/keras/test_factors.py holds it.
    "hash seed": _hash_seed,
    "time zone": _time_zone,
    "locale": _locale,
    "umask": _umask,
    "environment size": _environment_size,
    "home": _home,
    "temporary folder": _temporary_folder,
    "working directory": _working_directory,
    "paths": sight.paths,
    "listing order": _listing_order,
    "clock": _clock,
    "process": _process,
    "processors": _processors,
    "caches": sight.caches,
    "network": sight.network,
    STRESS: _load,
}

BY_PARENT = ("process", STRESS)
"""What the step's parent varies, before the step's process is there."""

ALL = tuple(VARIATIONS)
"""Every factor."""

NAMES = tuple(name for name in ALL if name != STRESS)
"""The factors that a repeat varies unless the configuration switches them off."""
