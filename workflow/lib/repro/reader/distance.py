"""Distance: how far two tensors are apart, added up block by block.

Synopsis:
    apart = TensorDistance(rtol=0.0, classes=False, place="layers/dense/vars/0")
    apart.take(left, right, start=(0, 0))
    apart.differ, apart.distance(shape)

Tensors are compared as bits: NaNs with other payloads and the two zeros differ. How far apart the
values are is said only of what differs.
"""

from __future__ import annotations

import math
import re
from typing import Any

from repro.reader.blocks import library

_NAMES_OF_CLASSES = re.compile(r"pred|prob|logit|softmax|label|class|(?:^|[\W_])y(?:[\W_]|$)", re.I)


class TensorDistance:
    """Adds up, block by block, how far two tensors of one shape and dtype are apart."""

    def __init__(self, rtol: float, classes: bool, place: str) -> None:
        self.rtol = rtol
        self.named = bool(_NAMES_OF_CLASSES.search(place))
        self.classes = classes
        self.elements = self.differ = self.tolerated = 0
        self.absolute: float | None = None
        self.relative: float | None = None
        self.index: list[int] | None = None
        self.left = self.right = ""
        self.examples = self.changed = 0

    def take(self, left: Any, right: Any, start: tuple[int, ...]) -> None:
        np = library("numpy")
        left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
        self.elements += left.size
        if self.classes:
            self._count_classes(left, right)
        if left.dtype.hasobject:
            bits = np.array([repr(a) != repr(b) for a, b in zip(left.flat, right.flat)], bool)
        else:
            if _same_bytes(left, right):
                return
            unit = f"u{left.dtype.itemsize}" if left.dtype.itemsize in (1, 2, 4, 8) else None
            unit = unit or f"V{left.dtype.itemsize}"
            bits = left.reshape(-1).view(unit) != right.reshape(-1).view(unit)
        places = np.flatnonzero(bits)
        if places.size:
            self._measure(left, right, places, start)

    def _measure(self, left: Any, right: Any, places: Any, start: tuple[int, ...]) -> None:
        np = library("numpy")
        one, other = left.reshape(-1)[places], right.reshape(-1)[places]
        at = 0
        numbers = _numbers(one, other)
        if numbers is not None:
            a, b = numbers
            with np.errstate(all="ignore"):
                absolute = np.abs(a - b)
                scale = np.maximum(np.abs(a), np.abs(b))
                relative = np.where(scale > 0, absolute / scale, absolute)
            if self.rtol > 0:
                with np.errstate(all="ignore"):
                    passed = (relative <= self.rtol) | (np.isnan(a) & np.isnan(b))
                self.tolerated += int(passed.sum())
                stay = ~passed
                places, absolute, relative = places[stay], absolute[stay], relative[stay]
                one, other = one[stay], other[stay]
            at = self._largest(absolute, relative)
        self.differ += len(places)
        if len(places) and (at is not None or self.index is None):
            where = np.unravel_index(int(places[at or 0]), left.shape) if left.shape else ()
            self.index = [int(i) + s for i, s in zip(where, start)]
            self.left, self.right = _written(one[at or 0]), _written(other[at or 0])

    def _largest(self, absolute: Any, relative: Any) -> int | None:
        """Where the largest relative difference so far is; None where it came before."""
        np = library("numpy")
        finite = np.isfinite(absolute)
        if not finite.any():
            return None
        self.absolute = max(float(absolute[finite].max()), self.absolute or 0.0)
        finite &= np.isfinite(relative)
        if not finite.any():
            return None
        at = int(np.argmax(np.where(finite, relative, -1)))
        if self.relative is not None and relative[at] <= self.relative:
            return None
        self.relative = float(relative[at])
        return at

    def _count_classes(self, left: Any, right: Any) -> None:
        np = library("numpy")
        kind = left.dtype.kind
        if left.ndim == 1 and kind in "iub" and self.named:
            self.examples += len(left)
            self.changed += int((left != right).sum())
        elif left.ndim == 2 and kind == "f" and left.shape[1] > 1 and len(left):
            scores = self.named or all(_probabilities(side) for side in (left, right))
            if not scores:
                self.classes = False
                self.examples = self.changed = 0
                return
            self.examples += len(left)
            self.changed += int((np.argmax(left, 1) != np.argmax(right, 1)).sum())

    def distance(self, shape: tuple[int, ...]) -> dict[str, Any]:
        known = bool(self.examples)
        return {
            "elements": self.elements,
            "differ": self.differ,
            "absolute": self.absolute,
            "relative": self.relative,
            "index": self.index if shape else None,
            "examples": self.examples if known else None,
            "classes": self.changed if known else None,
        }


def _same_bytes(left: Any, right: Any) -> bool:
    np = library("numpy")
    if left.dtype.itemsize % 8 == 0 and left.dtype.itemsize:
        return bool((left.reshape(-1).view("u8") == right.reshape(-1).view("u8")).all())
    one, other = (side.reshape(-1).view(np.uint8) for side in (left, right))
    head = len(one) // 8 * 8
    same = (one[:head].view("u8") == other[:head].view("u8")).all()
    return bool(same and (one[head:] == other[head:]).all())


def _probabilities(array: Any) -> bool:
    """Whether each row is a distribution over classes."""
    np = library("numpy")
    with np.errstate(all="ignore"):
        rows = array.astype(np.float64).sum(1)
    return bool((array >= 0).all() and np.allclose(rows, 1.0, atol=1e-2))


def _numbers(one: Any, other: Any) -> tuple[Any, Any] | None:
    """Both as floats of double precision or better; None where they are no numbers."""
    np = library("numpy")
    kind = one.dtype.kind
    if kind in "fiub":
        wide = np.longdouble if one.dtype.itemsize > 8 or kind in "iu" else np.float64
    elif kind == "c":
        wide = np.complex128 if one.dtype.itemsize <= 16 else np.clongdouble
    elif kind == "V" and one.dtype.names is None and one.dtype.name[:1] in "bf":
        wide = np.float64  # bfloat16 and the small floats of ml_dtypes
    else:
        return None
    try:
        return one.astype(wide), other.astype(wide)
    except (TypeError, ValueError):
        return None


def _written(value: Any) -> str:
    if getattr(value, "dtype", None) is not None and value.dtype.kind in "fiubc":
        number = value.item()
        if isinstance(number, float) and value.dtype.itemsize < 8 and math.isfinite(number):
            return str(value)
        return repr(number) if not hasattr(number, "dtype") else str(number)
    return short(value)


def short(value: object, most: int = 80) -> str:
    """A value on one line, cut where it is long."""
    text = " ".join((value if isinstance(value, str) else repr(value))[: 10 * most].split())
    return text if len(text) <= most else text[: most - 1] + "…"
