"""User code: the user's own Python file, loaded and called with care.

Synopsis:
    code = load(path)
    with code.blamed("dataset"):
        code.function("dataset")(data, settings, seeds)

An exception inside the user's code becomes one sentence that names the place; the whole
traceback goes to the step's log.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Generator
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
    """The user's module, and where it lies."""

    module: ModuleType
    path: Path

    def function(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None where there is none."""
        value = getattr(self.module, name, None)
        return value if callable(value) else None

    @contextmanager
    def blamed(self, *functions: str) -> Generator[None]:
        """Turns an exception of one of the user's functions into a sentence on where it arose.

        Raises:
            UserError: instead of any other exception.
        """
        with blamed(self.path, functions, self.function):
            yield


def _from_source_below(folder: Path) -> Callable[[str], PathEntryFinder]:
    """A path hook (`sys.path_hooks`) for the modules of an experiment that is a folder."""
    loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceLoader, SOURCE_SUFFIXES)
    finder = FileFinder.path_hook(*loaders)

    def hook(path: str) -> PathEntryFinder:
        if not Path(path).is_relative_to(folder):
            raise ImportError(path=path)
        return finder(path)

    return hook


def load(path: Path) -> Code:
    """Imports the user's file, or folder with an `__init__.py`, as the module `experiment`.

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
    code = Code(module, path)
    for name in ("dataset", "model"):
        if code.function(name) is None:
            raise UserError(
                f"Expected a function `{name}` in {path.name}. Received a file without one. "
                f"Define `def {name}(...)` there."
            )
    return code
