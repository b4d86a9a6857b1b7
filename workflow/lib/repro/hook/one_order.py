"""One order: whether a `fit` goes through shuffled examples in the same order in every epoch.

Synopsis:
    order = Order(rows, shuffling)             # of a `fit`, whose data are shuffled
    order.took(epoch, digest)                  # after each step; True as soon as it is certain
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from repro.hook.pipelines import ancestors, is_kind, reshuffles

CHANCE_BITS = 30
"""It is certain where chance does so in fewer than one of 2**30 cases, as in the workflow."""


@dataclass(frozen=True)
class Shuffling:
    """How data are shuffled.

    Args:
        buffer: among how many the next one is drawn; None: among all.
        of_batches: whole batches may be what is shuffled.
    """

    buffer: int | None = None
    of_batches: bool = False

    def bits(self, seen: Counter[bytes]) -> float:
        """How much chance there is in the order of what was seen, at least, in bits."""
        count = sum(seen.values())
        choices = [count - place for place in range(count)]
        if self.buffer is not None:
            choices = [min(self.buffer, each) for each in choices]
        alike = sum(math.lgamma(many + 1) for many in seen.values()) / math.log(2)
        all_orders = math.lgamma(count + 1) / math.log(2)
        return min(all_orders - alike, sum(map(math.log2, choices)))


def shuffling(adapter: Any) -> Shuffling | None:
    """How the data that a Keras adapter reads are shuffled in each epoch, if they are."""
    own = getattr(adapter, "_shuffle", False)
    if own:  # within batches alone, their order is the same on purpose
        return None if own == "batch" else Shuffling()
    for node in ancestors(getattr(adapter, "_dataset", None)):
        if is_kind(node, "shuffle"):
            of_batches = any(is_kind(each, "batch") for each in ancestors(node))
            return Shuffling(_buffer(node), of_batches) if reshuffles(node) else None
    return None


def _buffer(node: Any) -> int | None:
    size = getattr(node, "_buffer_size", None)
    size = getattr(node, "_window_size", None) if size is None else size
    return None if size is None or int(size) < 1 else int(size)


class Order:
    """The order of the batches of one `fit`.

    Args:
        rows: gives digests of examples of the last batch.
        enough: called as soon as no more of them are needed.
    """

    def __init__(
        self, rows: Callable[[], Iterable[bytes]], how: Shuffling, enough: Callable[[], None]
    ) -> None:
        self._rows, self._how, self._enough = rows, how, enough
        self._seen = Counter[bytes]()
        self._bits = 0.0
        self._first: int | None = None
        self._epoch: int | None = None
        self._order: list[str] = []
        self._place = self._repeated = 0
        self._same = True

    @property
    def open(self) -> bool:
        """Whether more batches can still tell something: nothing differed, nothing is certain."""
        return self._same and self._repeated * self._bits < CHANCE_BITS

    def took(self, epoch: int, digest: str) -> bool:
        """A step took a batch: whether by now no chance explains that all epochs are the same.

        Those are compared that have all batches of the first; one batch has no order.
        """
        if epoch != self._epoch:
            self._epoch, self._place = epoch, 0
            self._first = epoch if self._first is None else self._first
        if epoch == self._first:
            self._order.append(digest)
            self._see()
            return False
        place, self._place = self._place, self._place + 1
        # An epoch that differs once shows that they are not all the same.
        self._same &= place < len(self._order) and self._order[place] == digest
        if self._same and self._place == len(self._order) > 1:
            self._repeated += 1
            return self._repeated * self._bits >= CHANCE_BITS
        return False

    def _see(self) -> None:
        if self._bits < CHANCE_BITS:  # then it suffices, and reading more takes time
            rows = list(self._rows())
            self._seen.update(rows[:1] if self._how.of_batches else rows)
            self._bits = self._how.bits(self._seen)
            if self._bits >= CHANCE_BITS:
                self._enough()
