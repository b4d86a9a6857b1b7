"""Ledger: what the script asked for that may differ between runs, with the line that asked.

Synopsis:
    ledger = Ledger(stream)
    ledger.begin()                # before the script; patches what is there, and what is imported
    ledger.flush()                # at each step: what was noted since

Of a call that should give the same in each run (draws, seeds, listings) the ledger has a digest of
all results so far. What differs by its nature (clock, entropy, a generator without a seed) is noted
without. Calls within a noted call are part of it.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from repro.events.imports import when_imported
from repro.events.stream import Stream
from repro.events.user_frames import frame_at, nearest, of_user
from repro.ledger.call_results import CallResults
from repro.ledger.environment_reads import watch_environment
from repro.ledger.watched_calls import (
    DIRECT,
    DRAW,
    DRAWS,
    KERAS_SEED,
    SEED,
    SEEDS,
    VALUED,
    watched_calls,
)
from repro.shim.replaced import Replacement, replaced_in_type
from repro.watch.nondeterminism_sources import WatchedCall

_LEFT_ALONE = ("seed", "get_state", "set_state", "get_bit_generator", "set_bit_generator", "spawn")
_KERAS_SEEDS = "keras.src.random.seed_generator"
"""The module in which Keras draws a seed for what was given none."""

Place = tuple[str, int]


class Ledger:
    """What a process' lines asked for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._sites: dict[tuple[str, str, str, int], CallResults] = {}
        self._since: dict[tuple[str, str, str, int], None] = {}
        self._lock, self._here = threading.RLock(), threading.local()
        self._kept: list[Any] = []
        self.on_note: Callable[[str, str, Place, Any], None] = _nobody
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.RLock()  # a thread that is not there may have held it

    def begin(self) -> None:
        """Watches the functions of what is imported, now and later."""
        awaited: dict[str, list[Callable[[], None]]] = {}
        for watched in watched_calls():
            act = functools.partial(self._watch, watched)
            awaited.setdefault(watched.call.rpartition(".")[0], []).append(act)
        for name in SEEDS:
            act = functools.partial(self._replace, name, SEED, _given, True)
            awaited.setdefault(name.rpartition(".")[0], []).append(act)
        for name in DRAWS:
            act = functools.partial(self._replace, name, DRAW, None, False)
            awaited.setdefault(_module(name.rpartition(".")[0]), []).append(act)
        awaited.setdefault("numpy.random", []).append(self._watch_numpy)
        for owner, actions in awaited.items():
            when_imported(_module(owner), functools.partial(_all, actions))
        watch_environment(self.note)

    def flush(self) -> None:
        """Writes what was noted since it was written last, in the order in which it came first."""
        with self._lock:
            calls = [[*key, self._sites[key].count, self._sites[key].digest] for key in self._since]
            self._since.clear()
        if calls:
            self._stream.put({"calls": calls})

    def note(self, source: str, call: str, place: Place, result: Any = None) -> None:
        """Notes a call, or whatever else of a line may make two runs differ."""
        self.on_note(source, call, place, result)
        key = (source, call, *place)
        with self._lock:
            self._sites.setdefault(key, CallResults()).add(result)
            self._since[key] = None

    # How functions are replaced.

    def _watch(self, watched: WatchedCall) -> None:
        self._replace(watched.call, watched.source, watched.when, False)

    def _replace(
        self,
        name: str,
        source: str,
        when: Callable[[Sequence[Any], Mapping[str, Any]], bool] | None,
        given: bool,
    ) -> None:
        """Replaces what has that public name; `given`: of its arguments the digest is taken."""
        owner, attribute = _resolved(name)
        function = getattr(owner, attribute, None)
        if function is None:
            return
        if isinstance(function, type):  # a class stays what it is
            if "__init__" in vars(function):
                made = self._noting(function.__init__, name, source, when, given, 1)
                with suppress(TypeError):
                    function.__init__ = functools.wraps(function.__init__)(made)
        elif isinstance(owner, type):
            original = vars(owner).get(attribute)
            if hasattr(original, "__objclass__") and hasattr(function, "__self__"):
                # A class method of a type written in C, as `datetime.now`.
                bound = functools.partial(_bound_to, original)
                method = classmethod(self._noting(bound, name, source, when, given, 1))
                self._in_type(owner, {attribute: method})
            elif isinstance(original, classmethod):
                inner: Any = cast(Any, original).__func__
                noting = self._noting(inner, name, source, when, given, 1)
                with suppress(TypeError):
                    setattr(owner, attribute, classmethod(functools.wraps(inner)(noting)))
            elif not isinstance(original, staticmethod):
                noting = self._noting(function, name, source, when, given, 1)
                with suppress(TypeError):
                    setattr(owner, attribute, functools.wraps(function)(noting))
        else:
            noting = self._noting(function, name, source, when, given, 0)
            setattr(owner, attribute, Replacement(owner, attribute, noting))

    def _noting(
        self,
        function: Callable[..., Any],
        name: str,
        source: str,
        when: Callable[[Sequence[Any], Mapping[str, Any]], bool] | None,
        given: bool,
        skipped: int,
    ) -> Callable[..., Any]:
        here, direct = self._here, source in DIRECT or name in DIRECT
        frames = 1 if skipped else 2  # a `Replacement` has a frame of its own
        valued = source in VALUED

        def noting(*args: Any, **named: Any) -> Any:
            if getattr(here, "inside", False):
                return function(*args, **named)
            place: Place | None = None
            by_keras = False
            here.inside = True  # to find the place, functions are called that are watched
            try:
                frame = frame_at(frames)
                place = of_user(frame) if direct else nearest(frame)
                if place and when is not None and not when(args[skipped:], named):
                    place = None
                by_keras = source == DRAW and frame.f_globals.get("__name__") == _KERAS_SEEDS
            except Exception:
                place = None
            finally:
                here.inside = place is not None
            if place is None:
                return function(*args, **named)
            try:
                result = function(*args, **named)
            finally:
                here.inside = False
            with suppress(Exception):
                value = None if not valued else (args[skipped:], named) if given else result
                if valued and value is None and args[skipped:]:
                    value = args[skipped]  # shuffled in place
                self.note(KERAS_SEED if by_keras else source, name, place, value)
            return result

        vars(noting)["autograph_info__"] = {}  # TensorFlow need not read our source
        return noting

    def _watch_numpy(self) -> None:
        """The functions of `numpy.random`, and the methods of its generators."""
        random: Any = sys.modules["numpy.random"]
        every_name: Mapping[str, Any] = dict(random.__dict__)
        for name, function in every_name.items():
            owner = getattr(function, "__self__", None)
            if type(owner) is random.RandomState and name not in _LEFT_ALONE:
                self._replace(f"numpy.random.{name}", DRAW, None, False)
        for kind in (random.Generator, random.RandomState):
            own: Mapping[str, Any] = dict(kind.__dict__)
            methods = {
                name: functools.wraps(method)(
                    self._noting(
                        method, f"numpy.random.{kind.__name__}.{name}", DRAW, None, False, 1
                    )
                )
                for name, method in own.items()
                if not name.startswith("_") and callable(method) and name not in _LEFT_ALONE
            }
            self._in_type(kind, methods)

    def _in_type(self, kind: type, methods: Mapping[str, Any]) -> None:
        manager = replaced_in_type(kind, methods)
        manager.__enter__()
        self._kept.append(manager)


def _nobody(*_: Any) -> None:
    """What is called where nobody looks."""


def _given(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    return any(value is not None for value in (*args, *named.values()))


def _bound_to(method: Any, kind: type, *args: Any, **named: Any) -> Any:
    return method.__get__(None, kind)(*args, **named)


def _all(actions: Iterable[Callable[[], None]], _: Any) -> None:
    for action in actions:
        with suppress(Exception):  # what a version lacks is not watched
            action()


def _module(owner: str) -> str:
    """The module that has the owner of a function, or is it."""
    parts = owner.split(".")
    if parts[0] in ("tensorflow", "datetime"):
        return parts[0]  # of TensorFlow's interface, the modules have other names
    while parts[-1][:1].isupper():
        parts.pop()
    return ".".join(parts)


def _resolved(name: str) -> tuple[Any, str]:
    """The module or class that has a function, and the function's name there."""
    owner, _, attribute = name.rpartition(".")
    module = _module(owner)
    rest = filter(None, owner[len(module) :].split("."))
    return functools.reduce(getattr, rest, sys.modules[module]), attribute
