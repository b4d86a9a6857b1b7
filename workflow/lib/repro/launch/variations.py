"""Variations: how each factor of `repro.core.factor_table` is varied in a repeat.

Synopsis:
    start, how = VARIATIONS["home"](start)    # how: what was done, in a few words

One small function for each, in the manner of reprotest. It returns what the step shall be
started with, or changes this process, which becomes the step; where the system allows
neither it raises `NotVaried` with the reason. No word tells a path of this machine.
"""

from __future__ import annotations

import locale
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

from repro.core.factor_table import STRESS
from repro.launch import drawn_values, namespace_variations
from repro.launch.command import NotVaried, StepCommand
from repro.launch.file_times import file_times

Variation = Callable[[StepCommand], tuple[StepCommand, str]]

LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8")
"""One of those that are installed is taken. `C` is none: it differs from `C.UTF-8` in name only."""

_PADDING = 8_192, 16_384  # bytes
_SKIPPED = 40, 90  # process ids
_DELAY = 0.3  # seconds


def variables(factor: str, run: str) -> Mapping[str, Sequence[str]]:
    """The environment variables that a factor sets, and what each may be in that run.

    Nothing for a factor that acts in other ways.
    """
    every: Mapping[str, Mapping[str, Sequence[str]]] = {
        "hash seed": {"PYTHONHASHSEED": [drawn_values.hash_seed(run)]},
        "time zone": {"TZ": [drawn_values.time_zone(run)]},
        "locale": {"LC_ALL": LOCALES},
    }
    return every.get(factor, {})


def _between(start: StepCommand, what: str, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return low + drawn_values.number(start.run, what, high - low)


def _hash_seed(start: StepCommand) -> tuple[StepCommand, str]:
    seed = drawn_values.hash_seed(start.run)
    return start.having(PYTHONHASHSEED=seed), f"PYTHONHASHSEED={seed}"


def _time_zone(start: StepCommand) -> tuple[StepCommand, str]:
    offset = drawn_values.offset(start.run)
    hours, rest = divmod(abs(offset), timedelta(hours=1))
    side = "ahead of" if offset > timedelta() else "behind"
    how = f"{hours} hours and {rest // timedelta(minutes=1)} minutes {side} UTC"
    return start.having(TZ=drawn_values.time_zone(start.run)), how


def _locale(start: StepCommand) -> tuple[StepCommand, str]:
    if not (installed := installed_locales()):
        raise NotVaried("no locale but C is installed")
    name = installed[drawn_values.number(start.run, "locale", len(installed))]
    return start.having(LC_ALL=name), f"LC_ALL={name}"


def installed_locales() -> list[str]:
    """Those of `LOCALES` that this machine has."""
    before, accepted = locale.setlocale(locale.LC_ALL), list[str]()
    try:
        for name in LOCALES:
            with suppress(locale.Error):
                accepted.append(locale.setlocale(locale.LC_ALL, name))
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return accepted


def _umask(start: StepCommand) -> tuple[StepCommand, str]:
    before = os.umask(0)
    after = drawn_values.umask(start.run, before)
    os.umask(after)
    return start, f"{after:03o} in place of {before:03o}"


def _environment_size(start: StepCommand) -> tuple[StepCommand, str]:
    padding = _between(start, "padding", _PADDING)
    return start.having(REPRO_PADDING="x" * padding), f"{padding} bytes more"


def _home(start: StepCommand) -> tuple[StepCommand, str]:
    return start.having(HOME=str(start.folder("home"))), "HOME is a new folder"


def _temporary_folder(start: StepCommand) -> tuple[StepCommand, str]:
    return start.having(TMPDIR=str(start.folder("temporary"))), "TMPDIR is a new folder"


def _working_directory(start: StepCommand) -> tuple[StepCommand, str]:
    return replace(start, directory=start.folder("directory")), "a new folder"


def _listing_order(start: StepCommand) -> tuple[StepCommand, str]:
    return start, (
        "reversed in os.listdir and os.scandir, so in glob and pathlib too; not in TensorFlow's "
        "own functions for files, nor in new processes that the step starts"
    )


def _clock(start: StepCommand) -> tuple[StepCommand, str]:
    if find_spec("time_machine") is None:
        raise NotVaried("the package time-machine is not installed")
    shift = drawn_values.shift(start.run)
    return start, (
        f"{shift.days} days and {shift.seconds} seconds ahead, as Python's time and datetime see "
        "it; not in TensorFlow's own functions, the times of files, nor in new processes that "
        "the step starts"
    )


def _process(start: StepCommand) -> tuple[StepCommand, str]:
    skipped = _between(start, "process ids", _SKIPPED)
    for _ in range(skipped):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    time.sleep(_DELAY)
    return start, f"started {_DELAY} seconds later, {skipped} process ids further on"


def _processors(start: StepCommand) -> tuple[StepCommand, str]:
    if not hasattr(os, "sched_setaffinity"):
        raise NotVaried("this system does not let a process choose its processors")
    available = sorted(os.sched_getaffinity(0))
    if len(available) == 1:
        raise NotVaried("only one processor is available")
    del available[drawn_values.number(start.run, "processor", len(available))]
    os.sched_setaffinity(0, available)
    return start, f"{len(available)} of {len(available) + 1}; the threads are as configured"


def _load(start: StepCommand) -> tuple[StepCommand, str]:
    return start, f"{processors()} processes that keep the processors busy"


def processors() -> int:
    """How many processors this process may use."""
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return len(available) if available else os.cpu_count() or 1


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
    "file times": file_times,
    "paths": namespace_variations.paths,
    "listing order": _listing_order,
    "clock": _clock,
    "process": _process,
    "processors": _processors,
    "caches": namespace_variations.caches,
    "network": namespace_variations.network,
    STRESS: _load,
}

BY_PARENT = ("process", STRESS)
"""What the step's parent varies, before the step's process is there."""
