"""Sitecustomize: what each Python of the user's runs at its start; copied into the hook's folder.

It runs in any Python, however old: there it only lets the next one run. This module hides the
`sitecustomize` that the environment may have of its own, or another tool that comes the same way.
"""

# pyright: basic
# (no annotations: Python 2 has none)

import os
import sys
from importlib import import_module

_HERE = os.path.dirname(os.path.abspath(__file__))


def _begin():
    if sys.version_info < (3, 9):
        return
    try:
        import_module("_repro_hook.hook.process").begin(_HERE)
    except Exception:  # the user's script matters more
        import_module("_repro_hook.hook.found").failed(_HERE)


def _others():
    """Where to look for the next `sitecustomize`: behind this folder, which leaves the path."""
    places = [os.path.abspath(place) for place in sys.path]
    if _HERE not in places:
        return sys.path[:]
    here = places.index(_HERE)
    del sys.path[here]
    return sys.path[here:]


def _run_next(places):
    name = "sitecustomize"
    if sys.version_info < (3, 4):
        import pkgutil

        importers = filter(None, map(pkgutil.get_importer, places))
        loaders = filter(None, (importer.find_module(name) for importer in importers))
        for loader in loaders:
            del sys.modules[name]
            loader.load_module(name)
            return
    else:
        from importlib.machinery import PathFinder
        from importlib.util import module_from_spec

        spec = PathFinder.find_spec(name, places)
        if spec is not None and spec.loader is not None:
            module = sys.modules[name] = module_from_spec(spec)
            spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    _behind = _others()
    sys.path.insert(0, _HERE)
    try:
        _begin()
    finally:
        sys.path.remove(_HERE)
    _run_next(_behind)
