"""User code: the user's own Python file, loaded and called with care.

Synopsis:
    code = load(path)
    with code.blamed("dataset"):
        code.function("dataset")(data, settings, seeds)

An exception inside the user's code becomes one sentence that names the place; the whole
traceback goes to the step's log.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
)
from pathlib import Path
from types import ModuleType
from typing import Any

from repro.core.errors import UserError
from repro.core.layout import PRETRAINED
from repro.data.module_loader import SourceLoader
from repro.data.user_errors import blamed

MODULE = "experiment"


def _file(path: Path) -> Path:
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        what = "a folder with an __init__.py" if path.is_dir() else "a Python file"
        raise UserError(
            f"Expected the experiment's code, {what}, at {path.name}. Received nothing there. "
            "Correct `code` in the configuration."
        )
    return file


@dataclass(frozen=True)
class Code:
    """The user's module, and where it lies; `pretrained` is what `model` may ask for by that name.

    A path, or several by name; None where the configuration names none.
    """

    module: ModuleType
    path: Path
    pretrained: Path | Mapping[str, Path] | None = None

    def function(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None where there is none.

        Raises:
            UserError: `model` does not ask for what the configuration names, or the reverse.
        """
        value = getattr(self.module, name, None)
        if not callable(value):
            return None
        return self._with_pretrained(value) if name == "model" else value

    def _with_pretrained(self, model: Callable[..., Any]) -> Callable[..., Any]:
        """The user's `model` with its `pretrained` given, so that callers see the others alone."""
        asked = _parameters(model).get(PRETRAINED)
        if asked is None and self.pretrained is None:
            return model
        if asked is None:
            raise UserError(
                "Expected a `model` that takes `pretrained`, since the configuration names it. "
                f"Received one without in {self.path.name}. Define `def model(settings, seeds, "
                "pretrained)`, or remove it from the configuration."
            )
        if self.pretrained is None:
            if asked.default is not inspect.Parameter.empty:
                return model
            raise UserError(
                "Expected `pretrained` in the configuration, with a path and its sha256, since "
                f"`model` takes it. Received none, for {self.path.name}. Add it to the experiment."
            )
        given = functools.partial(model, pretrained=self.pretrained)
        bound: Any = functools.update_wrapper(given, model)
        bound.__signature__ = inspect.signature(functools.partial(model, **{PRETRAINED: None}))
        return bound

    @contextmanager
    def blamed(self, *functions: str) -> Generator[None]:
        """Turns an exception of one of the user's functions into a sentence on where it arose.

        Raises:
            UserError: instead of any other exception.
        """
        with blamed(self.path, functions, self.function):
            yield


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # of what is written in C
        return {}


def _from_source_below(folder: Path) -> Callable[[str], PathEntryFinder]:
    """A path hook (`sys.path_hooks`) for the modules of an experiment that is a folder."""
    loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceLoader, SOURCE_SUFFIXES)
    finder = FileFinder.path_hook(*loaders)

    def hook(path: str) -> PathEntryFinder:
        if not Path(path).is_relative_to(folder):
            raise ImportError(path=path)
        return finder(path)

    return hook


def load(path: Path, pretrained: Mapping[str, Path] | None = None) -> Code:
    """Imports the user's file, or folder with an `__init__.py`, as the module `experiment`.

    `pretrained` are the paths that its `model` may ask for; a single one has the name "".

    Raises:
        UserError: no such file, it cannot be imported, or `dataset` or `model` is missing.
    """
    path = Path(os.path.abspath(path))  # as tracebacks name it  # noqa: PTH100 (links stay)
    file = _file(path)
    search = [str(path)] if path.is_dir() else None
    if search:
        sys.path_hooks.insert(0, _from_source_below(path))
    spec = importlib.util.spec_from_file_location(
        MODULE, file, loader=SourceLoader(MODULE, str(file)), submodule_search_locations=search
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    with blamed(path, (), lambda _: None):
        spec.loader.exec_module(module)
    given = dict(pretrained) if pretrained else None
    code = Code(module, path, given[""] if given and "" in given else given)
    for name in ("dataset", "model"):
        if not callable(getattr(module, name, None)):
            raise UserError(
                f"Expected a function `{name}` in {path.name}. Received a file without one. "
                f"Define `def {name}(...)` there."
            )
    return code
