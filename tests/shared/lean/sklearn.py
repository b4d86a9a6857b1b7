"""Stands in the way of the package of this name: see `lean_python`."""

raise ImportError("left out")
