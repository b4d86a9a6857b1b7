"""Imports: what is done once a module has been imported, whoever imports it.

Synopsis:
    when_imported("keras.src.trainers", act)      # act(module); at once where it is there already
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]


class _Finder:
    """Finds nothing by itself: it lets the others find, and waits for the module to be run."""

    def __init__(self) -> None:
        self.awaited: dict[str, list[Action]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        actions = self.awaited.pop(name, None)  # popped, so that the search below passes it over
        if actions is None:
            return None
        spec = _found(name, path, target)
        if spec is not None and spec.loader is not None:
            _act_after(spec.loader, name, actions)
        return spec


def _found(name: str, path: Sequence[str] | None, target: Any) -> ModuleSpec | None:
    if path is None and target is None:
        return find_spec(name)
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def _act_after(loader: Any, name: str, actions: Sequence[Action]) -> None:
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        if module.__name__ == name:  # a zip has one loader for all
            for action in actions:
                action(module)

    if not isinstance(loader, type):  # what is built in has none of its own
        loader.exec_module = exec_module


_FINDER = _Finder()


def when_imported(name: str, action: Action) -> None:
    """Calls the action with the module as soon as that is imported; it must raise nothing."""
    if name in sys.modules:
        action(sys.modules[name])
        return
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)  # pyright: ignore[reportArgumentType]
    _FINDER.awaited.setdefault(name, []).append(action)
