"""Tensor findings: what comparing one pair of files found, as it is sent to who asked.

Synopsis:
    found = TensorFindings(rtol=0.0)
    found.compare("layers/dense/vars/0", of_array(left), of_array(right))
    found.answer()["differences"]
"""

from __future__ import annotations

from typing import Any

from repro.reader.blocks import BlockedTensor, blocks
from repro.reader.distance import TensorDistance, short

MOST = 20
"""How many differences of two files are kept; all are counted."""


class TensorFindings:
    """What comparing one pair of files found.

    Args:
        rtol: relative differences up to this one pass, and are counted.
        classes: whether arrays may be predictions, so that changed classes are counted.
    """

    def __init__(self, rtol: float, classes: bool = False) -> None:
        self.rtol = rtol
        self.classes = classes
        self.compared = 0
        self.count = 0
        self.tolerated = 0
        self.differences: list[dict[str, Any]] = []
        self.largest: dict[str, Any] | None = None
        self.metrics: dict[str, dict[str, Any]] = {}
        self.texts: list[dict[str, str]] = []
        self.masked: list[str] = []
        self.notes: list[str] = []

    def add(
        self,
        place: str,
        left: str,
        right: str,
        distance: dict[str, Any] | None = None,
        metric: str | None = None,
    ) -> None:
        """Notes one difference."""
        found = {
            "place": place, "left": left, "right": right, "metric": metric, "distance": distance,
        }  # fmt: skip
        self.count += 1
        if len(self.differences) < MOST:
            self.differences.append(found)
        if metric is not None:
            self.metrics[metric] = found
        if distance and (self.largest is None or _size(found) > _size(self.largest)):
            self.largest = found

    def text(self, place: str, left: str, right: str) -> None:
        """Leaves two texts that differ to who asked, who knows what to mask in them."""
        self.compared += 1
        if left != right:
            self.texts.append({"place": place, "left": left, "right": right})

    def equal(self, place: str, left: Any, right: Any) -> None:
        """Compares two values of no measure, as they are written."""
        self.compared += 1
        if repr(left) != repr(right):
            self.add(place, short(left), short(right))

    def missing(self, left: Any, right: Any, place: str = "{}") -> list[Any]:
        """Notes what has a name on one side alone; gives the names of both, the left's order."""
        for name in left:
            if name not in right:
                self.add(place.format(name), "there", "")
        for name in right:
            if name not in left:
                self.add(place.format(name), "", "there")
        return [name for name in left if name in right]

    def compare(
        self, place: str, left: BlockedTensor, right: BlockedTensor, metric: str | None = None
    ) -> None:
        """Compares two tensors; a dtype or a shape that changed is the difference."""
        self.compared += 1
        if left.dtype != right.dtype:
            self.add(place, f"dtype {left.dtype}", f"dtype {right.dtype}")
        elif left.shape != right.shape:
            self.add(place, f"shape {list(left.shape)}", f"shape {list(right.shape)}")
        else:
            apart = TensorDistance(self.rtol, self.classes, place)
            for block in blocks(left.shape, left.dtype.itemsize):
                apart.take(left.read(block), right.read(block), tuple(s.start for s in block))
            self.tolerated += apart.tolerated
            if apart.differ:
                self.add(place, apart.left, apart.right, apart.distance(left.shape), metric)

    def answer(self) -> dict[str, Any]:
        """The findings as JSON can hold them."""
        names = (
            "compared", "count", "tolerated", "differences", "largest", "texts", "masked", "notes",
        )  # fmt: skip
        found = {name: getattr(self, name) for name in names}
        return {**found, "metrics": list(self.metrics.values())}


def _size(found: dict[str, Any]) -> float:
    relative = found["distance"].get("relative")
    return -1.0 if relative is None else float(relative)
