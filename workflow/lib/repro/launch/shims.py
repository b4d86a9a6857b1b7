"""Shims: what changes how Python sees the clock and the order of files, within one process.

Synopsis:
    with applied(launcher.varied(), launcher.run()):
        ...    # the user's code is loaded and works in here

They reach what goes through Python's own functions, in this process and in those that it
forks. They do not reach a new interpreter (`multiprocessing` with `spawn`), nor what
libraries ask of the system by themselves, as TensorFlow does for files and time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from repro.core.errors import UserError
from repro.launch import drawn_values
from repro.launch.file_times import ANSWERS
from repro.shim.file_times import mirrored
from repro.shim.listing_order import reversed_listings


@contextmanager
def applied(names: Iterable[str], run: str, inputs: Iterable[Path] = ()) -> Generator[None]:
    """Changes what the named factors change within a process; on leaving, all is as before.

    Factors that no shim belongs to are passed over; the user's code may read `inputs`.

    Raises:
        UserError: the clock cannot be shifted, as `time-machine` is not installed.
    """
    with ExitStack() as stack:
        for name in names:
            if name in _SHIMS:
                stack.enter_context(_SHIMS[name](run, inputs))
        yield


@contextmanager
def _later(run: str, _: Iterable[Path]) -> Generator[None]:
    try:
        from time_machine import travel
    except ImportError:
        raise UserError(
            "Expected the package time-machine, which shifts the clock. Received an environment "
            "without it. Switch the factor `clock` off, or make the environment again."
        ) from None
    with travel(drawn_values.shift(run), tick=True) as traveller:
        traveller.time_ns()  # it starts from the first question asked of it
        yield


def _backwards(_run: str, _: Iterable[Path]) -> AbstractContextManager[None]:
    return reversed_listings()


def _file_times(run: str, inputs: Iterable[Path]) -> AbstractContextManager[None]:
    return mirrored(inputs, drawn_values.mirror(run)) if ANSWERS in os.environ else nullcontext()


_SHIMS: Mapping[str, Callable[[str, Iterable[Path]], AbstractContextManager[None]]] = {
    "file times": _file_times,
    "listing order": _backwards,
    "clock": _later,
}
