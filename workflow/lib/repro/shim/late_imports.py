"""Late imports: parts of Keras that few experiments use are imported once they are used.

Synopsis:
    late_imports.install()      # before anything imports Keras

Where scikit-learn, Matplotlib and pandas are installed, Keras imports all three as it starts, for
its wrappers, its pictures and its slices of DataFrames: 1.2 seconds of processor time in each step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any

# All that Keras does with them is to hand them on; tests/keras/test_late_imports.py holds it.
LATE = frozenset(
    (
        "keras.wrappers",
        "keras.src.visualization",
        "keras.visualization",
        "keras.src.trainers.data_adapters.array_slicing",
    )
)


def install() -> None:
    """Lets the modules of `LATE` run when something first asks for what is in them."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in LATE else None
        if spec and spec.loader:
            spec.loader = _LateLoader(spec.loader)
        return spec


class _LateLoader(Loader):
    """Makes a module that another loader runs at the first question for a name in it.

    Not `importlib.util.LazyLoader`: there `__file__` is such a question, and `inspect`, which
    TensorFlow uses as it traces a function, asks it of every module.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = RLock()
        self._begun = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader

        def of_module(name: str) -> Any:
            if name == "__all__" or not name.startswith("__"):  # the first: `import *` asks for it
                with self._lock:  # another thread waits until all has run
                    self._run(module)
                if name in module.__dict__:
                    return module.__dict__[name]
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__["__getattr__"] = of_module

    def _run(self, module: ModuleType) -> None:
        if self._begun:
            return
        self._begun = True
        try:
            self._loader.exec_module(module)
        except BaseException:
            self._begun = False  # the next one hears why, too
            raise
