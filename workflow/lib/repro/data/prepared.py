"""Prepared: what a model may know of the data that it is made for.

Synopsis:
    prepared = Prepared.of(data_folder)
    prepared.shapes["x"]             # (8, 8, 1): of one example
    prepared.class_counts["y"]       # {0: 143, 1: 147, …}, of the training part
    prepared.fitted["x"]["mean_"]    # what `fit_preprocessing` fitted
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from repro.arrays.array import Array
from repro.arrays.nested import rebuilt
from repro.arrays.returned import PARTS
from repro.core.layout import FITTED
from repro.data.prepare import COLUMN_NAMES, part
from repro.data.user_code import asked_for_prepared

_FED = ("x", "y", "sample_weight")


@dataclass(frozen=True)
class Prepared:
    """What `model(settings, seeds, prepared)` is given, of the data as training gets them.

    Each is by column (`x`, `y`, `sample_weight`), and nested as that is.

    Attributes:
        examples: how many, by part.
        shapes: of one example.
        dtypes: their names, such as `float32`.
        columns: the names of the columns of what was a DataFrame, by flat name.
        class_counts: how many training examples have each label; None for what is no class.
        fitted: what `fit_preprocessing` fitted, by name.
    """

    examples: Mapping[str, int]
    shapes: Mapping[str, Any]
    dtypes: Mapping[str, Any]
    columns: Mapping[str, tuple[str, ...]]
    class_counts: Mapping[str, Any]
    fitted: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> Prepared:
        """Of the folder that `repro.data.prepare` wrote."""
        parts = {name: part(folder, name) for name in PARTS}
        train, names = parts["train"], folder / COLUMN_NAMES
        written = json.loads(names.read_text("utf-8") if names.exists() else "{}")
        saved = {file.stem: np.load(file) for file in sorted((folder / FITTED).glob("*.npy"))}
        labels = {n: array for n, array in train.items() if n.split(".")[0] == "y"}
        return cls(
            {name: len(arrays["id"]) for name, arrays in parts.items() if arrays},
            _by_column({name: array.shape[1:] for name, array in train.items()}),
            _by_column({name: array.dtype.name for name, array in train.items()}),
            {name: tuple(each) for name, each in written.items()},
            _by_column({name: _class_counts(array) for name, array in labels.items()}),
            _by_column(saved),
        )


def _by_column(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: rebuilt(values, name) for name in _FED}
    present = {name.split(".")[0] for name in values}
    return {name: value for name, value in found.items() if name in present}


def _class_counts(labels: Array) -> Mapping[Any, int] | None:
    """How often each class occurs, of whole numbers, truth values, text, or one-hot rows.

    Other numbers are classes only where both 0 and 1 occur, and nothing else.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all():
        counts: list[int] = array.sum(axis=0).astype(int).tolist()
        return MappingProxyType(dict(enumerate(counts)))
    binary = array.dtype.kind == "f" and set(np.unique(array).tolist()) == {0, 1}
    if array.ndim != 1 or not (binary or array.dtype.kind in "biuSU"):
        return None
    values, numbers = np.unique(array.astype(int) if binary else array, return_counts=True)
    return MappingProxyType(dict(zip(values.tolist(), numbers.tolist(), strict=True)))


def call_model(function: Callable[..., Any], settings: Any, seeds: Any, folder: Path) -> Any:
    """Calls the user's `model`, with what it may know of the data where it asks."""
    name = asked_for_prepared(function)
    if name is None:
        return function(settings, seeds)
    return function(settings, seeds, **{name: Prepared.of(folder)})
