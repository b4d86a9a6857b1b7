"""Call conditions: for which arguments a call may give two runs something else.

Synopsis:
    lacking(0, "seed")((), {"seed": None})       # True: drawn from the system's entropy
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

Condition = Callable[[Sequence[Any], Mapping[str, Any]], bool]
KERAS_THREADS, KERAS_PROCESSES = "threads that Keras starts", "processes that Keras starts"
_WORKING = ("workers", "use_multiprocessing")
_PROCESSORS = ("SC_NPROCESSORS_ONLN", "SC_NPROCESSORS_CONF")


def always(_args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    """Whatever the arguments are."""
    return True


def lacking(place: int, name: str) -> Condition:
    """That an argument is absent or None."""

    def lacking(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        return (args[place] if len(args) > place else named.get(name)) is None

    return lacking


def given(name: str, unless: Any) -> Condition:
    """That a named argument is given, and other than `unless`."""
    return lambda _args, named: named.get(name, unless) is not unless


def is_false(name: str) -> Condition:
    """That a named argument is False."""
    return lambda _args, named: named.get(name) is False


def not_false(name: str, place: int) -> Condition:
    """That an argument is anything but False; it is True where it is left out."""

    def holds(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        return (args[place] if len(args) > place else named.get(name, True)) is not False

    return holds


def salted(value: Any) -> bool:
    """Whether `hash(value)` may differ between processes: of text by its salt, else by address."""
    if isinstance(value, (tuple, frozenset)):
        return any(salted(part) for part in value)  # pyright: ignore[reportUnknownVariableType]
    return not isinstance(value, Number) and type(value).__name__ not in ("bool", "bool_")


def is_path(value: Any) -> bool:
    """Whether this may name a file."""
    return isinstance(value, (str, os.PathLike))


def first_salted(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    """That the hash of the first argument may differ between processes."""
    return any(salted(value) for value in args[:1])


def relative(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    """That the first argument is a path from the working directory on."""
    path = args[0] if args else ""
    return is_path(path) and not os.path.isabs(path)  # noqa: PTH117


def reading(place: int) -> Condition:
    """That the mode, the argument at this place, is one for reading."""

    def reading(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        mode = args[place] if len(args) > place else named.get("mode", "r")
        return not isinstance(mode, str) or not set(mode) & set("wax")

    return reading


def absolute(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    """That the first argument is a whole path, which tells where it lies."""
    return bool(args) and is_path(args[0]) and os.path.isabs(args[0])  # noqa: PTH117


def absolute_object(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """That the first argument is a whole path that is no text yet."""
    return not any(isinstance(value, str) for value in args[:1]) and absolute(args, named)


def counts_processors(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    """That `os.sysconf` is asked for the number of processors."""
    numbers = getattr(os, "sysconf_names", {})
    return bool(args) and args[0] in (*_PROCESSORS, *(numbers.get(name) for name in _PROCESSORS))


def draws_order(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """That `list_files` shuffles, and without a seed."""
    return not_false("shuffle", 1)(args, named) and lacking(2, "seed")(args, named)


def workers(source: str) -> Condition:
    """That a `PyDataset` of such `workers` and `use_multiprocessing` lets Keras start these."""

    def started(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        placed = dict(zip(_WORKING, args))
        given: dict[str, Any] = {"workers": 1, "use_multiprocessing": False, **placed, **named}
        return source == _started(given["workers"], given["use_multiprocessing"])

    return started


def started_by(owner: Any, name: str, value: Any) -> list[str]:
    """What Keras will start for a `PyDataset` of which one of the two is set to a value."""
    kind = getattr(getattr(sys.modules.get("keras"), "utils", None), "PyDataset", None)
    if kind is None or not isinstance(owner, kind):
        return []
    source = _started(**{**{each: getattr(owner, each) for each in _WORKING}, name: value})
    return [source] if source else []


def _started(workers: int, use_multiprocessing: bool) -> str | None:
    if use_multiprocessing:
        return KERAS_PROCESSES if workers > 0 else None
    return KERAS_THREADS if workers > 1 else None
