"""Ends a process without looking for garbage, which takes a second among TensorFlow's objects."""

import atexit
import gc
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

atexit.register(gc.freeze)
# It hides the module of this name that the environment may have.
behind = PathFinder.find_spec(
    "sitecustomize", [p for p in sys.path if Path(p) != Path(__file__).parent]
)
if behind is not None and behind.loader is not None:
    behind.loader.exec_module(module_from_spec(behind))
