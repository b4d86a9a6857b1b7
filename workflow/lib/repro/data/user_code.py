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
PREPARED = "prepared"
_PLACES = {
    "dataset": ("data", "settings", "seeds"),
    "fit_preprocessing": ("train", "settings", "seeds"),
    "model": ("settings", "seeds"),
    "callbacks": ("settings", "seeds"),
    "class_weight": ("y", "settings"),
}
"""What each is given by place, so that the user may name it. `augment`, of which TensorFlow makes a
graph, is not among them."""
_BY_NAME = {"model": (PREPARED, PRETRAINED)}


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
        asked = parameters(model).get(PRETRAINED)
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


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters by name, without *args and **named; none where nobody can tell."""
    try:
        own = _signature(function)
        known = inspect.signature(function) if _various(own) else own
    except (TypeError, ValueError):  # of what is written in C
        return {}
    return _named(known)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """What it takes itself: a decorator may give the function below it some of the parameters."""
    return inspect.signature(function, follow_wrapped=False)


def _named(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    various = _various(signature)
    return {name: each for name, each in signature.parameters.items() if name not in various}


def _various(signature: inspect.Signature) -> list[str]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, each in signature.parameters.items() if each.kind in kinds]


def asked_for_prepared(model: Callable[..., Any]) -> str | None:
    """The parameter of a `model` that is given `prepared`: of that name, or the third.

    One with another name that has a default is the user's own.
    """
    named = parameters(model)
    if PREPARED in named:
        return PREPARED
    return next(iter(_unknown("model", named)), None)


def _unknown(name: str, named: Mapping[str, inspect.Parameter]) -> list[str]:
    """Parameters behind the places that must be given and have no known name."""
    behind = [*named.values()][len(_PLACES[name]) :]
    known = _BY_NAME.get(name, ())
    return [p.name for p in behind if p.default is p.empty and p.name not in known]


def _check(name: str, function: Callable[..., Any], file: str) -> None:
    """Refuses a function of the user's that cannot be called, or whose parameters are swapped.

    Args:
        name: that of the function; one that is not known here is left alone.
        file: that it stands in.

    Raises:
        UserError: says what to define.
    """
    places = _PLACES.get(name)
    if places is None or _fits(name, places, function):
        return
    behind = " and ".join(f"`{each}`" for each in _BY_NAME.get(name, ()))
    also = f"; behind them {behind}, if wanted" if behind else ""
    raise UserError(
        f"Expected `def {name}({', '.join(places)})`{also}. Received "
        f"`def {name}{_signature(function)}` in {file}. Give it these parameters, in this "
        "order."
    )


def _fits(name: str, places: tuple[str, ...], function: Callable[..., Any]) -> bool:
    try:
        signature = _signature(function)
    except (TypeError, ValueError):
        return True
    named, known = _named(signature), (*places, *_BY_NAME.get(name, ()))
    for place, parameter in enumerate(list(named)[: len(places)]):
        if parameter in known and parameter != places[place]:
            return False
    if any(parameter in places for parameter in list(named)[len(places) :]):
        return False
    given = [each for each in _BY_NAME.get(name, ()) if each in named]
    if name == "model" and PREPARED not in named:
        given += _unknown(name, named)[:1]
    try:
        signature.bind(*places, **dict.fromkeys(given))
    except TypeError:
        return False
    return True


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
        UserError: no such file, it cannot be imported, `dataset` or `model` is missing, or a
            function takes other parameters.
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
    for name, value in vars(module).items():
        if callable(value):
            _check(name, value, path.name)
    return code
