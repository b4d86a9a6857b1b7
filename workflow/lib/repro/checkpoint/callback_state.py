"""Callback state: what callbacks hold besides what their constructors gave them.

Synopsis:
    states = CallbackStates(callbacks, model)      # once training has begun
    content = states.kept(more)                    # bytes, or CannotKeep
    more = states.put_back(content)                # in another process, at the same point

Plain values are kept: numbers, text, containers, arrays, generators of random numbers. The model
and its parts stay what they are there. Anything else is refused, as is a callback whose functions
change something outside of it.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, cast

from repro.checkpoint.plain_values import (
    FUNCTIONS,
    NAMED,
    PLAIN,
    CannotKeep,
    Known,
    NotOurs,
    always,
    dumped,
    held,
    loaded,
    package,
)  # fmt: skip
from repro.core.digest import sha256_bytes
from repro.variables.by_path import optimizers

_METHODS = (types.MethodType, staticmethod, classmethod)
_KERAS_SETS = ("_", "stop_"), ("_function",)
_LIBRARIES = {*sys.stdlib_module_names, "numpy", "keras", "tensorflow", "repro"}


def _of_user(thing: Any) -> bool:
    return package(thing) not in _LIBRARIES


def _looked_up(code: types.CodeType) -> set[str]:
    """The names that a function's code, and that of functions within it, may look up."""
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return set(code.co_names).union(*map(_looked_up, inner))


class CallbackStates:
    """The states of callbacks, after `on_train_begin`, in the same order in every process."""

    def __init__(self, callbacks: Sequence[Any], model: Any) -> None:
        self._callbacks = list(callbacks)
        live: dict[Any, Any] = {("model",): model}
        self._layers = [model, *model._flatten_layers(include_self=False)]
        parts = (*self._layers[1:], *model.variables, *optimizers(model).values())
        live |= {("part", n): part for n, part in enumerate(parts)}
        live |= {("callback", n): callback for n, callback in enumerate(self._callbacks)}
        for number, callback in enumerate(self._callbacks):
            for name, value in _attributes(callback).items():
                if isinstance(value, (*FUNCTIONS, functools.partial)):
                    live[("function", number, name)] = value
        # Also functions and classes, since what they hold later they mostly hold from the start.
        self._live = Known(
            live | always() | held([_attributes(callback) for callback in self._callbacks])
        )
        self._begun = self._outside()

    def kept(self, more: Any) -> bytes:
        """The states as bytes, with the plain value `more` beside them.

        Raises:
            CannotKeep: there is something that is not plain, or that lies outside of them.
        """
        now = self._outside()
        for name in sorted({*now, *self._begun}):
            if now.get(name) != self._begun.get(name):
                raise CannotKeep(f"a callback changes {name}, outside of itself")
        # Together, so that what two of them share is shared again.
        states = [_attributes(callback) for callback in self._callbacks]
        return dumped((states, more), self._live, "a callback")

    def put_back(self, content: bytes) -> Any:
        """Gives each callback the state that was kept; returns what was kept with them.

        Raises:
            NotOurs: it was not kept by this training.
        """
        value = loaded(content, self._live)
        try:
            states, more = value
            pairs = [
                (callback, dict(state))
                for callback, state in zip(self._callbacks, states, strict=True)
            ]
        except (TypeError, ValueError) as error:
            raise NotOurs("they are of other callbacks") from error
        for callback, state in pairs:
            _attributes(callback).clear()
            _attributes(callback).update(state)
        return more

    def _outside(self) -> dict[str, str]:
        """Digests of what the callbacks' functions use from outside, by name."""
        digests = dict(self._flags())
        seen: set[int] = set()
        for callback in self._callbacks:
            things: list[Any] = [cast("Any", type(callback)), *_attributes(callback).values()]
            for thing in things:
                self._use(thing, digests, seen)
        return digests

    def _flags(self) -> Iterator[tuple[str, str]]:
        """Digests of plain attributes of the model and its layers, which callbacks may set."""
        for layer in self._layers:
            for name, value in _attributes(layer).items():
                internal = name.startswith(_KERAS_SETS[0]) or name.endswith(_KERAS_SETS[1])
                if type(value) in PLAIN and not internal:
                    content = dumped(value, self._live, name, digest=True)
                    yield f"{layer.name}.{name}", sha256_bytes(content)

    def _use(self, thing: Any, digests: dict[str, str], seen: set[int]) -> None:
        """Adds digests of what a function or class of the user's uses, and of what that uses."""
        thing = thing.func if isinstance(thing, functools.partial) else thing
        thing = getattr(thing, "__func__", thing)  # of a method, also of a class
        if id(thing) in seen or not _of_user(thing):
            return
        seen.add(id(thing))
        for name, value in _reachable(thing):
            kind = cast("Any", type(value))
            if isinstance(value, types.ModuleType):
                _check_module(value, thing)
            elif isinstance(value, (*NAMED, *_METHODS, functools.partial)):
                self._use(value, digests, seen)
            elif kind in PLAIN or package(kind) == "numpy":
                digests[name] = sha256_bytes(dumped(value, self._live, name, digest=True))
            elif not (value in self._live or _stateless(kind)):
                raise CannotKeep(f"a callback uses {name}, which cannot be kept")


def _stateless(kind: Any) -> bool:
    """Whether values of this type hold nothing: properties and the like, `Seeds` of ours."""
    return hasattr(kind, "__get__") or package(kind) == "repro"


def _attributes(thing: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", vars(thing))


def _check_module(module: types.ModuleType, user: Any) -> None:
    code = getattr(user, "__code__", None)
    drawing = code is not None and "random" in _looked_up(code)
    if module.__name__.split(".")[0] == "tensorflow" and drawing:
        raise CannotKeep("a callback draws by tf.random, whose state cannot be kept")


def _reachable(thing: Any) -> Iterator[tuple[str, Any]]:
    """What a function looks up outside of itself, or what a class holds, with names."""
    if isinstance(thing, type):
        for name, value in vars(thing).items():
            if not name.startswith("__") or isinstance(value, types.FunctionType):
                yield f"{thing.__qualname__}.{name}", value
        for base in thing.__bases__:
            yield base.__qualname__, base
    elif isinstance(thing, types.FunctionType):
        for name in sorted(_looked_up(thing.__code__)):
            if name in thing.__globals__:
                yield name, thing.__globals__[name]
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            with suppress(ValueError):  # not bound yet
                yield name, cell.cell_contents
        for value in (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()):
            yield f"a default of {thing.__qualname__}", value
