"""Factors: what the hook varies within a process of the user's.

Synopsis:
    done = vary(["clock"], "check", None, started)
    done.varied, done.not_varied
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from repro.launch import drawn_values
from repro.shim.file_times import mirrored
from repro.shim.listing_order import reversed_listings


@dataclass(frozen=True)
class Variations:
    """Each factor that was varied, and how; each that was not, and why."""

    varied: dict[str, str] = field(default_factory=dict)
    not_varied: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Circumstances:
    run: str
    inputs: str | None
    started: int


_Varying = Callable[[_Circumstances], tuple[AbstractContextManager[None], str]]


def _listing_order(_: _Circumstances) -> tuple[AbstractContextManager[None], str]:
    return reversed_listings(), (
        "reversed in os.listdir and os.scandir, so in glob and pathlib too; not in TensorFlow's "
        "own functions for files"
    )


def _file_times(now: _Circumstances) -> tuple[AbstractContextManager[None], str]:
    if now.inputs is None:
        raise LookupError("no folder of inputs is known")
    moment = drawn_values.mirror(now.run)
    return mirrored([now.inputs], moment, since=now.started), (
        "of the files that were there before, the older is the newer, as Python's os.stat says, "
        "but not the entries of os.scandir"
    )


def _clock(now: _Circumstances) -> tuple[AbstractContextManager[None], str]:
    from repro.shim.clock import ahead

    shift = drawn_values.shift(now.run)
    return ahead(shift), (
        f"{shift.days} days and {shift.seconds} seconds ahead, as Python's time and datetime see "
        "it; not in TensorFlow's own functions nor in the times of files"
    )


_FACTORS: Mapping[str, _Varying] = {
    "listing order": _listing_order,
    "file times": _file_times,
    "clock": _clock,
}
NAMES = tuple(_FACTORS)
"""The factors that are varied within a process."""


def vary(names: Iterable[str], run: str, inputs: str | None, started: int) -> Variations:
    """Varies the named factors until the process ends; those that it does not know are passed over.

    Args:
        inputs: the folder whose files have other times.
        started: in ns; files changed since then were made by the script.
    """
    done, stack = Variations(), ExitStack()
    atexit.register(stack.close)  # registered first, so run last
    for name in (name for name in _FACTORS if name in set(names)):
        try:
            manager, how = _FACTORS[name](_Circumstances(run, inputs, started))
            stack.enter_context(manager)
            done.varied[name] = how
        except Exception as error:
            done.not_varied[name] = str(error) or type(error).__name__
    return done
