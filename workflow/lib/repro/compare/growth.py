"""Growth: how far the weights of two trainings are apart, from step to step.

Synopsis:
    relative_difference(left, right)     # None where every bit is the same
    steps, first = growth(left_folder, right_folder)

The folders hold what `repro.watch.recorded_values` wrote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from repro.compare.differences import Array, bits
from repro.core.canonical_json import Json
from repro.variables.by_path import read


def relative_difference(left: Array, right: Array) -> float | None:
    """How far two arrays are apart: max |left - right| / max(max |left|, max |right|).

    This is the normwise relative error in the maximum norm (N. J. Higham, Accuracy and Stability of
    Numerical Algorithms, 2nd edition, section 1.2), made symmetric, since neither run is the true
    one. Elementwise, as numpy.testing has it, an element near 0 would decide alone.

    Returns:
        From 0, where only the signs of zeros differ, to 2; None where every bit is the same, inf
        where the arrays have other shapes or types, or a value that differs, or the difference, is
        no finite number.
    """
    if left.shape != right.shape or left.dtype != right.dtype:
        return math.inf
    differ = bits(left) != bits(right)
    if not differ.any():
        return None
    apart = _apart(left.ravel()[differ], right.ravel()[differ])
    sizes = np.abs(np.concatenate([_wide(left), _wide(right)]))
    largest = sizes[np.isfinite(sizes)].max(initial=0)
    if not np.isfinite(apart).all():
        return math.inf
    return min(float(apart.max() / largest), 2.0) if largest else 0.0


def _wide(array: Array) -> Array:
    """The numbers of an array, flat, with more digits than they need."""
    return array.ravel().astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _apart(left: Array, right: Array) -> Array:
    """How far numbers are apart that differ; not finite where one of them is not."""
    if left.dtype.kind in "iu":
        # Without a sign, so that 64 bits hold the distance of any two.
        most, least = (f(left, right).astype(np.uint64) for f in (np.maximum, np.minimum))
        return (most - least).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(_wide(left) - _wide(right))


def _recorded(folder: Path) -> dict[tuple[int, int], Path]:
    """The files of a folder, by epoch and step, in order."""
    found = {tuple(map(int, file.stem.split("-"))): file for file in folder.glob("*.safetensors")}
    return {cast("tuple[int, int]", at): found[at] for at in sorted(found)}


def growth(left: Path, right: Path) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """How the difference of two trainings grows, at the steps that both have recorded.

    Returns:
        From the first difference on, for each step the largest relative difference (None where it
        is not finite) and the variable that has it; and every variable that differs, with the step
        at which it first does: the earliest first, of one step the one that is farthest apart.
    """
    steps: list[dict[str, Json]] = []
    first: dict[str, dict[str, Json]] = {}
    others = _recorded(right)
    for at, file in _recorded(left).items():
        if at not in others:
            continue
        place: Mapping[str, Any] = {"epoch": at[0], "step": at[1]}
        apart = _each_apart(read(file), read(others[at]))
        names = sorted(apart, key=lambda name: (-apart[name], name))
        for name in names:
            first.setdefault(name, {**place, "variable": name})
        if steps or names:
            # Values that were apart may be the same again.
            relative, name = (apart[names[0]], names[0]) if names else (0.0, None)
            finite = relative if relative < math.inf else None
            steps.append({**place, "relative": finite, "variable": name})
    return steps, list(first.values())


def _each_apart(left: Mapping[str, Array], right: Mapping[str, Array]) -> dict[str, float]:
    """How far each variable is apart, of those that differ."""
    both = {name: (left.get(name), right.get(name)) for name in {**left, **right}}
    found = {
        name: math.inf if a is None or b is None else relative_difference(a, b)
        for name, (a, b) in both.items()
    }
    return {name: distance for name, distance in found.items() if distance is not None}
