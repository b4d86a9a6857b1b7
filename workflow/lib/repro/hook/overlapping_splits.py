"""Overlapping splits: training and validation data cut from what is reshuffled in between.

Synopsis:
    overlapping(training, validation)          # two datasets of one `fit`
"""

from __future__ import annotations

from typing import Any

from repro.hook.pipelines import KEEPING, ancestors, inputs, is_kind, reshuffles

_CUTTING = ("take", "skip", "shard", "window")


def overlapping(training: Any, validation: Any) -> bool:
    """Whether both are cut, by position, from one dataset whose order is another each time.

    # ASSUME: each iterator over a `shuffle` has an order of its own, with a seed too, and also
    # where the iterators belong to two datasets made of it.
    """
    if training is None or validation is None:
        return False
    common = {id(node) for node in ancestors(training)} & {
        id(node) for node in ancestors(validation)
    }
    both = _forks(training, common), _forks(validation, common)
    return any(
        all(side[fork][1] for side in both) and _reshuffled(both[0][fork][0])
        for fork in both[0].keys() & both[1].keys()
    )


def _forks(dataset: Any, common: set[int]) -> dict[int, tuple[Any, bool]]:
    """Where this side joins the other: the first common nodes, and whether it was cut after."""
    found: dict[int, tuple[Any, bool]] = {}
    waiting = [(dataset, False)]
    while waiting:
        node, cut = waiting.pop()
        if id(node) in common:
            before = found.get(id(node), (node, False))
            found[id(node)] = (node, cut or before[1])
            continue
        waiting += [(each, cut or is_kind(node, *_CUTTING)) for each in inputs(node)]
    return found


def _reshuffled(fork: Any) -> bool:
    """Whether what comes from here is in another order each time."""
    # A buffer of one shuffles nothing.
    return any(
        reshuffles(node) and int(getattr(node, "_buffer_size", 0)) != 1
        for node in ancestors(fork, until=KEEPING)
    )
