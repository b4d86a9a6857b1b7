"""Clock: Python's date and time, ahead of the system's.

Synopsis:
    with ahead(timedelta(days=402)): ...

It reaches what asks the modules `time` and `datetime`, in this process and in those that it forks;
what measures durations (`time.monotonic`, `time.perf_counter`) stays, and so do the types: the
methods of `datetime` that ask the clock are replaced within the type itself, so that `isinstance`,
subclasses and pickles are what they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from repro.shim.replaced import replaced, replaced_in_type


class ClockNotChanged(Exception):
    """This Python does not let the methods of its own types be replaced."""


@contextmanager
def ahead(shift: timedelta) -> Generator[None]:
    """Lets the clock be ahead, until the end.

    Raises:
        ClockNotChanged: nothing was changed.
    """
    with ExitStack() as stack:
        stack.enter_context(replaced(time, _functions(shift // timedelta(microseconds=1) * 1000)))
        stack.enter_context(replaced_in_type(datetime, _of_datetime(shift)))
        if abs(datetime.now().timestamp() - time.time()) > 60:
            raise ClockNotChanged("the class datetime of this Python cannot be changed")
        yield


def _functions(shift: int) -> Mapping[str, Callable[..., Any]]:
    """The functions of `time` that ask the clock, `shift` ns ahead."""
    now, now_ns, of, of_ns = time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns
    readable, formatted = time.asctime, time.strftime

    def clock_gettime(clock: int) -> float:
        return of(clock) + (shift / 1e9 if clock == time.CLOCK_REALTIME else 0)

    def clock_gettime_ns(clock: int) -> int:
        return of_ns(clock) + (shift if clock == time.CLOCK_REALTIME else 0)

    def asctime(at: Any = None) -> str:
        return readable(time.localtime() if at is None else at)

    def strftime(form: str, at: Any = None) -> str:
        return formatted(form, time.localtime() if at is None else at)

    return {
        "time": lambda: now() + shift / 1e9,
        "time_ns": lambda: now_ns() + shift,
        "clock_gettime": clock_gettime,
        "clock_gettime_ns": clock_gettime_ns,
        **{name: _of_now(getattr(time, name)) for name in ("localtime", "gmtime", "ctime")},
        "asctime": asctime,
        "strftime": strftime,
    }


def _of_now(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a moment, which is now if none is given."""

    def shown(at: float | None = None) -> Any:
        return function(time.time() if at is None else at)

    return shown


def _of_datetime(shift: timedelta) -> Mapping[str, Any]:
    """The methods of `datetime` that ask the clock; `today` asks `time.time` by itself."""
    original = vars(datetime)["now"]

    def now(kind: Any, tz: Any = None) -> datetime:
        if tz is None:
            return kind.fromtimestamp(time.time())
        true = original.__get__(None, kind)(tz)  # refuses what is no zone
        return (true.astimezone(timezone.utc) + shift).astimezone(tz)

    def utcnow(kind: Any) -> datetime:
        return kind.now(timezone.utc).replace(tzinfo=None)

    return {"now": classmethod(now), "utcnow": classmethod(utcnow)}
