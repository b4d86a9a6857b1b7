"""Looks for garbage seldom, and not at the end: among TensorFlow's objects that takes a second."""

import atexit
import gc
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

gc.set_threshold(100_000)
atexit.register(gc.freeze)
# It hides the module of this name that the environment may have.
behind = PathFinder.find_spec(
    "sitecustomize", [p for p in sys.path if Path(p) != Path(__file__).parent]
)
if behind is not None and behind.loader is not None:
    behind.loader.exec_module(module_from_spec(behind))
