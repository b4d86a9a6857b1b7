"""Replaced: a function of a module or type gives way to another one, and comes back at the end.

Synopsis:
    with replaced(os, {"listdir": listed}): ...
    with replaced_in_type(datetime, {"now": classmethod(now)}): ...
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_HOLDERS = (("pathlib", "_NormalAccessor"), ("glob", "_StringGlobber"))
"""Classes of the standard library that keep the functions of `os` that they found when imported."""
_KNOWN = (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks)
"""Sets that tell what a function takes; shutil looks there before it trusts one."""


class Replacement:
    """Stands for a function written in C: an attribute of a class, it binds no instance either."""

    def __init__(self, module: ModuleType, name: str, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, getattr(module, name))
        self.__module__, self.__name__ = module.__name__, name
        self._function = function
        self.autograph_info__: dict[str, Any] = {}  # TensorFlow need not read our source

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._function(*arguments, **named)

    def __reduce__(self) -> str:
        return self.__name__  # as for every function: by its name in its module


@contextmanager
def replaced(module: ModuleType, functions: Mapping[str, Callable[..., Any]]) -> Generator[None]:
    """Sets functions of a module, also where the standard library took them from it before."""
    undo: list[tuple[Any, str, Any]] = []
    known: list[tuple[set[Any], Replacement]] = []
    for name, function in functions.items():
        original, replacement = getattr(module, name), Replacement(module, name, function)
        for holder in (module, *(_loaded(*names) for names in _HOLDERS)):
            value = vars(holder).get(name) if holder else None
            if getattr(value, "__func__", value) is original:  # it may be a static method
                undo.append((holder, name, value))
                setattr(holder, name, replacement)
        known += [(supporting, replacement) for supporting in _KNOWN if original in supporting]
    for supporting, replacement in known:
        supporting.add(replacement)
    try:
        yield
    finally:
        for holder, name, value in undo:
            setattr(holder, name, value)
        for supporting, replacement in known:
            supporting.discard(replacement)


@contextmanager
def replaced_in_type(kind: type, attributes: Mapping[str, Any]) -> Generator[None]:
    """Sets attributes that a type written in C has itself; its instances stay what they are."""
    (namespace,) = gc.get_referents(vars(kind))  # the true dictionary behind the read-only view
    before = {name: namespace[name] for name in attributes}

    def put(values: Mapping[str, Any]) -> None:
        namespace.update(values)
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))  # forgets what it looked up before

    put(attributes)
    try:
        yield
    finally:
        put(before)


def _loaded(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)
