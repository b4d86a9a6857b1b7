"""Pipelines: what a dataset is made of, for `tf.data` and for Grain.

Synopsis:
    for node in ancestors(dataset): ...       # the dataset itself first
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KEEPING = ("cache", "snapshot")
"""What hands on, from the first time on, the same elements in the same order."""


def inputs(dataset: Any) -> list[Any]:
    """The datasets that this one is made of, without theirs."""
    if callable(getattr(dataset, "_inputs", None)):
        return list(dataset._inputs())
    return list(getattr(dataset, "_parents", ()))


def ancestors(dataset: Any, until: tuple[str, ...] = ()) -> Iterator[Any]:
    """A dataset and all that it is made of, the nearest first; none behind a kind of `until`."""
    waiting, met = [dataset], set[int]()
    while waiting:
        node = waiting.pop(0)
        if node is None or id(node) in met or is_kind(node, *until):
            continue
        met.add(id(node))
        yield node
        waiting += inputs(node)


def is_kind(dataset: Any, *kinds: str) -> bool:
    """Whether the name of the dataset's class has one of these words in it."""
    name = type(dataset).__name__.lower()
    return any(kind in name for kind in kinds)


def reshuffles(dataset: Any) -> bool:
    """Whether this very step of a pipeline shuffles, and reshuffles in each epoch."""
    # ASSUME: TensorFlow takes None for True.
    return (
        is_kind(dataset, "shuffle")
        and getattr(dataset, "_reshuffle_each_iteration", True) is not False
    )
