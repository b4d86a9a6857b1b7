"""Leakage: how many examples of one part of the split are, by their content, in another as well.

Synopsis:
    overlap(examples, split(examples, shares, seed))
    # {"test": {"examples": 180, "in_train": 12, "by_chance": 0.0}}

The split keeps examples with the same `x` together, unless ids or groups of the user's own
say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict

import numpy as np

from repro.data.dataset import Array, Examples, Rows

_ROWS, _FEATURES = 1000, 256
"""How much is looked at to tell chance from copies."""


def _some(length: int, limit: int) -> Rows:
    """At most so many places, evenly spaced."""
    return np.unique(np.linspace(0, length - 1, min(length, limit)).astype(np.int64))


def _features(columns: Mapping[str, Array], rows: Rows) -> Iterator[Array]:
    inputs = [column for name, column in columns.items() if name.split(".")[0] == "x"]
    for column in inputs:
        flat = column[rows].reshape(len(rows), -1)
        yield from flat[:, _some(flat.shape[1], _FEATURES // len(inputs) or 1)].T


def _coincidence(examples: Examples) -> float:
    """How often two examples have the same `x` if its features are independent of one another.

    The product, over the features, of the share of pairs with the same value. A table of few
    categories has much of it; measured values and images have none.
    """
    rows = _some(len(examples.ids), _ROWS)
    pairs, chance = len(rows) * (len(rows) - 1), 1.0
    seen: set[bytes] = set()
    for feature in _features(examples.columns, rows):
        # What repeats another feature, or is the opposite of one, tells nothing new.
        values, counts = np.unique(feature, return_counts=True)
        pattern = (feature == feature[0] if len(values) == 2 else feature).tobytes()
        if pattern not in seen:
            seen.add(pattern)
            chance *= float((counts * (counts - 1)).sum()) / pairs
    return chance


class Overlap(TypedDict):
    """Of a part: how many examples it has, of which so many have an `x` that occurs in `train`.

    `by_chance` is how many would if the features of `x` were independent of one another (0 where
    none has).
    """

    examples: int
    in_train: int
    by_chance: float


def overlap(examples: Examples, parts: Mapping[str, Rows]) -> dict[str, Overlap]:
    """Counts the examples of each part but `train` whose `x` occurs among those for training."""
    rows_of_train: list[int] = parts["train"].tolist() if "train" in parts else []
    trained, size = {examples.contents[row] for row in rows_of_train}, len(rows_of_train)
    overlaps: dict[str, Overlap] = {}
    for name, rows in parts.items():
        if name == "train":
            continue
        count = sum(examples.contents[row] in trained for row in rows)
        chance = len(rows) * (1 - (1 - _coincidence(examples)) ** size) if count else 0.0
        overlaps[name] = {
            "examples": len(rows), "in_train": count, "by_chance": float(f"{chance:.3g}"),
        }  # fmt: skip
    return overlaps
