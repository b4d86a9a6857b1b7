"""User code: the user's own Python file, loaded and called with care.

Synopsis:
    code = load(path)
    with code.blamed("dataset"):
        code.function("dataset")(data, settings, seeds)

An exception inside the user's code becomes one sentence that names the place; the whole
traceback goes to the step's log.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
import traceback
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
from repro.core.factor_table import FACTORS
from repro.data.module_loader import SourceLoader
from repro.launch.launcher import varied

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


def _place(error: BaseException, root: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(root)]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    return f"{Path(inside[-1].filename).name}, line {inside[-1].lineno}" if inside else root.name


def name_in(path: Path, file: str) -> str | None:
    """A file's name relative to the experiment's code; None where it is no part of it.

    `path` is the experiment's file or folder, absolute.
    """
    if file == str(path):
        return path.name
    folder = f"{path}{os.sep}"
    return Path(file[len(folder) :]).as_posix() if file.startswith(folder) else None


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
    def blamed(self, what: str) -> Generator[None]:
        """Turns an exception of the user's function `what` into a sentence on where it arose.

        Raises:
            UserError: instead of any other exception.
        """
        with _blamed(self.path, f"`{what}`"):
            yield


@contextmanager
def _blamed(path: Path, what: str) -> Generator[None]:
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        text = str(error).strip().splitlines()
        raise UserError(
            f"Expected {what} of the experiment's code to run. Received "
            f"{type(error).__name__} ({text[0] if text else 'no message'}) at "
            f"{_place(error, path)}. Mend the code.{_hint(error)}"
        ) from error


def _hint(error: BaseException) -> str:
    """What a variation may have to do with an error, where it may."""
    names: set[str] = set()
    link: BaseException | None = error
    while link is not None:
        names.add(type(link).__name__)
        if isinstance(link, OSError):
            names.add(errno.errorcode.get(link.errno or 0, ""))
        link = link.__cause__ or link.__context__
    hints = (hint for factor in varied() for hint in FACTORS[factor].hints)
    return next((f" {hint.sentence}" for hint in hints if names & hint.errors), "")


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
    with _blamed(path, "the import"):
        spec.loader.exec_module(module)
    code = Code(module, path)
    for name in ("dataset", "model"):
        if code.function(name) is None:
            raise UserError(
                f"Expected a function `{name}` in {path.name}. Received a file without one. "
                f"Define `def {name}(...)` there."
            )
    return code
