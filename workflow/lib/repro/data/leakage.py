"""Leakage: how many examples of one part of the split are, by their content, in another as well.

Synopsis:
    overlap(parted(given, shares, seed))
    # {"test": {"examples": 180, "in_train": 12, "by_chance": 0.0}}

The split keeps examples with the same `x` together, unless ids or groups of the user's own
say otherwise. Parts that the user gives are left as they are: copies are counted, never removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NotRequired, TypedDict

import numpy as np

from repro.data.dataset import Array, Examples, Part, Rows

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
    if len(rows) == 1:  # of which there is no pair to tell chance by
        return 0.0
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
    none has). Of `test`, where there are any, the same for `validation`; of parts that the user
    gave, `group_in_train` is how many have a group that occurs in `train`, and of `test`
    `group_in_validation`.
    """

    examples: int
    in_train: int
    by_chance: float
    in_validation: NotRequired[int]
    by_chance_in_validation: NotRequired[float]
    group_in_train: NotRequired[int]
    group_in_validation: NotRequired[int]


def _contents(part: Part) -> list[str]:
    rows: list[int] = part.rows.tolist()
    return [part.examples.contents[row] for row in rows]


def _shared(part: Part, other: Part | None) -> tuple[int, float]:
    """How many examples have an `x` that occurs in another part, and how many would by chance."""
    if other is None:
        return 0, 0.0
    contents, own = set(_contents(other)), _contents(part)
    count = sum(each in contents for each in own)
    if not count:
        return 0, 0.0
    single = _coincidence(other.examples)
    chance = len(part.rows) * (1 - (1 - single) ** len(other.rows))
    return count, float(f"{chance:.3g}")


def _groups(part: Part, other: Part | None) -> int:
    """How many examples of a part have a group that occurs in another one; 0 without groups."""
    groups = [
        each.examples.columns["group"][each.rows]
        for each in (part, other)
        if each and "group" in each.examples.columns
    ]
    return int(np.isin(groups[0], groups[1]).sum()) if len(groups) == 2 else 0


def overlap(parts: Mapping[str, Part]) -> dict[str, Overlap]:
    """Counts the examples of each part but `train` that occur in another one as well."""
    train = parts.get("train")
    overlaps: dict[str, Overlap] = {}
    for name, part in parts.items():
        if name == "train":
            continue
        count, chance = _shared(part, train)
        found: Overlap = {"examples": len(part.rows), "in_train": count, "by_chance": chance}
        validation = parts.get("validation") if name == "test" else None
        seen, by_chance = _shared(part, validation)
        if seen:
            found["in_validation"], found["by_chance_in_validation"] = seen, by_chance
        if groups := _groups(part, train):
            found["group_in_train"] = groups
        if groups := _groups(part, validation):
            found["group_in_validation"] = groups
        overlaps[name] = found
    return overlaps
