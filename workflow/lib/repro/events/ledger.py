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
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from repro.events.digests import of_array
from repro.events.imports import when_imported
from repro.events.stream import Stream
from repro.events.user_frames import frame_at, nearest, of_user
from repro.shim.replaced import Replacement, replaced_in_type
from repro.watch.nondeterminism_sources import WatchedCall, every

_DRAW, _SEED = "random numbers", "seed"
_MOST = 100_000
"""Of more calls from one line only the number is noted."""
_DIRECT = ("clock", "process id", "network", "system entropy", "random.Random")
"""Sources, and one call, of which only the user's own lines are noted: libraries ask them, too."""
_NOTED = (
    "threads", "processes", "another program", "listing order",
    "generator without a seed", "unordered stream", *_DIRECT,
)  # fmt: skip
_PASSED_OVER = (
    "time.perf_counter", "time.monotonic", "time.process_time", "time.thread_time",  # durations
    "secrets.randbits",  # NumPy asks it, even for a generator with a seed
)  # fmt: skip

_SEEDS = "random.seed numpy.random.seed tensorflow.random.set_seed numpy.random.default_rng"
_RANDOM = """
    random randint randrange uniform gauss normalvariate lognormvariate expovariate betavariate
    gammavariate triangular vonmisesvariate paretovariate weibullvariate choice choices sample
    shuffle getrandbits randbytes"""
_TENSORFLOW = "normal uniform truncated_normal shuffle categorical gamma poisson"
_LEFT_ALONE = ("seed", "get_state", "set_state", "get_bit_generator", "set_bit_generator", "spawn")

Place = tuple[str, int]


class _Site:
    """One call in one line: how often, and what came of it."""

    def __init__(self) -> None:
        self.count = 0
        self.results = hashlib.sha256()


class Ledger:
    """What a process' lines asked for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._sites: dict[tuple[str, str, str, int], _Site] = {}
        self._since: dict[tuple[str, str, str, int], None] = {}
        self._lock, self._here = threading.RLock(), threading.local()
        self._kept: list[Any] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.RLock()  # a thread that is not there may have held it

    def begin(self) -> None:
        """Watches the functions of what is imported, now and later."""
        awaited: dict[str, list[Callable[[], None]]] = {}
        for watched in every():
            if watched.source in _NOTED and watched.call not in _PASSED_OVER:
                act = functools.partial(self._watch, watched)
                awaited.setdefault(watched.call.rpartition(".")[0], []).append(act)
        for name in _SEEDS.split():
            act = functools.partial(self._replace, name, _SEED, _given, True)
            awaited.setdefault(name.rpartition(".")[0], []).append(act)
        for name in _RANDOM.split():
            act = functools.partial(self._replace, f"random.{name}", _DRAW, None, False)
            awaited.setdefault("random", []).append(act)
        awaited.setdefault("numpy.random", []).append(self._watch_numpy)
        for name in _TENSORFLOW.split():
            act = functools.partial(self._replace, f"tensorflow.random.{name}", _DRAW, None, False)
            awaited.setdefault("tensorflow", []).append(act)
        for owner, actions in awaited.items():
            when_imported(_module(owner), functools.partial(_all, actions))

    def flush(self) -> None:
        """Writes what was noted since it was written last, in the order in which it came first."""
        with self._lock:
            calls = [
                [*key, self._sites[key].count, self._sites[key].results.hexdigest()[:16]]
                for key in self._since
            ]
            self._since.clear()
        if calls:
            self._stream.put({"calls": calls})

    def _note(self, source: str, call: str, place: Place, result: Any) -> None:
        key = (source, call, *place)
        with self._lock:
            site = self._sites.setdefault(key, _Site())
            site.count += 1
            self._since[key] = None
            if site.count <= _MOST:
                text = _text(result)
                if text is not None:
                    site.results.update(text)

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
            elif not isinstance(original, (classmethod, staticmethod)):
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
        here, direct = self._here, source in _DIRECT or name in _DIRECT
        frames = 1 if skipped else 2  # a `Replacement` has a frame of its own
        valued = source in (_DRAW, _SEED, "listing order")

        def noting(*args: Any, **named: Any) -> Any:
            if getattr(here, "inside", False):
                return function(*args, **named)
            place: Place | None = None
            with suppress(Exception):
                frame = frame_at(frames)
                place = of_user(frame) if direct else nearest(frame)
                if place and when is not None and not when(args[skipped:], named):
                    place = None
            if place is None:
                return function(*args, **named)
            here.inside = True
            try:
                result = function(*args, **named)
            finally:
                here.inside = False
            with suppress(Exception):
                value = None if not valued else (args[skipped:], named) if given else result
                if valued and value is None and args[skipped:]:
                    value = args[skipped]  # shuffled in place
                self._note(source, name, place, value)
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
                self._replace(f"numpy.random.{name}", _DRAW, None, False)
        for kind in (random.Generator, random.RandomState):
            own: Mapping[str, Any] = dict(kind.__dict__)
            methods = {
                name: functools.wraps(method)(
                    self._noting(
                        method, f"numpy.random.{kind.__name__}.{name}", _DRAW, None, False, 1
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


def _text(value: Any) -> bytes | None:
    """What stands for a result; None for what has no text that is the same in each process."""
    if isinstance(value, (bool, int, float, str, bytes)):
        return repr(os.path.basename(value) if isinstance(value, str) else value).encode()
    if isinstance(value, (list, tuple)):
        parts = [_text(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        return None if None in parts else b"[" + b",".join(filter(None, parts)) + b"]"
    if isinstance(value, dict):
        return _text(list(value.values()))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if hasattr(value, "__array_interface__"):
        return of_array(value).encode()
    if hasattr(value, "numpy") and hasattr(value, "_numpy_internal"):
        return of_array(value.numpy()).encode()
    return b"None" if value is None else None
