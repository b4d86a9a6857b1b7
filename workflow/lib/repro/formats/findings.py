"""Findings: what the comparison of two files found, and where in them.

Synopsis:
    comparison = compared(left, right, "model.keras", tensors)
    comparison.same, comparison.how           # False, "by tensor"
    comparison.differences[0].place           # "model.weights.h5: layers/dense/vars/0"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from repro.reader.distance import short
from repro.reader.tensor_findings import MOST


@dataclass(frozen=True)
class Distance:
    """How far apart two tensors, or two numbers, are.

    `absolute` and `relative` (to the larger of the two) are the largest over the elements that
    differ and are finite; None where no such element is a number. `index`: where the largest
    relative difference stands in a tensor. `classes`: of `examples` rows of scores, or of whole
    labels, how many have another class; None where it is neither.
    """

    elements: int = 1
    differ: int = 1
    absolute: float | None = None
    relative: float | None = None
    index: tuple[int, ...] | None = None
    examples: int | None = None
    classes: int | None = None


@dataclass(frozen=True)
class ContentDifference:
    """One place in a file at which two runs differ.

    `place`: the path in the file ("layers/dense/vars/0", "line 12", "row 3, column loss").
    `left` and `right`: what stands there, short; "" where nothing does.
    `metric`: the name of a number that was printed or logged; None for all else.
    `distance`: None where nothing can be measured.
    """

    place: str
    left: str
    right: str
    metric: str | None = None
    distance: Distance | None = None


@dataclass(frozen=True)
class FileComparison:
    """What comparing one file of two runs found.

    `kind`: what it is ("Keras model", "table", "text"); `role`: "weights", "arrays", "metrics" or
    "other", by what `summary` sorts. `how`: how it was compared, and why not better. `differences`:
    the first `MOST`; `count`: how many there are. `largest`: the largest relative difference.
    `metrics`: of each number with a name that was logged or printed, the last one that differs.
    `masked`: what was left out of the comparison and differs ("dates and times of day").
    `tolerated`: how many numbers differ within `rtol`.
    `readable`: False where one of the two could not be read, so that nothing is known.
    """

    name: str
    kind: str
    same: bool
    how: str
    role: str = "other"
    differences: tuple[ContentDifference, ...] = ()
    count: int = 0
    largest: ContentDifference | None = None
    metrics: tuple[ContentDifference, ...] = ()
    masked: tuple[str, ...] = ()
    tolerated: int = 0
    readable: bool = True


class FileFindings:
    """What comparing two files has found so far.

    Args:
        rtol: relative differences of numbers up to this one pass, and are counted.
        folders: pairs of paths (left, right) that may stand in text; they are masked.
    """

    def __init__(self, rtol: float = 0.0, folders: Sequence[tuple[str, str]] = ()) -> None:
        self.rtol = rtol
        self.folders = folders
        self.differences: list[ContentDifference] = []
        self.count = 0
        self.tolerated = 0
        self.largest: ContentDifference | None = None
        self.notes: list[str] = []
        self._masked: dict[str, None] = {}
        self._metrics: dict[str, ContentDifference] = {}
        self._ids: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def add(self, difference: ContentDifference) -> None:
        """Notes one difference."""
        self.count += 1
        if len(self.differences) < MOST:
            self.differences.append(difference)
        self._remember(difference)

    def _remember(self, difference: ContentDifference) -> None:
        if difference.metric is not None:
            self._metrics.pop(difference.metric, None)
            self._metrics[difference.metric] = difference
        if difference.distance and (
            self.largest is None or _size(difference) > _size(self.largest)
        ):
            self.largest = difference

    def differ(self, place: str, left: object, right: object) -> None:
        """Notes that two values of no measure differ."""
        self.add(ContentDifference(place, short(left), short(right)))

    def equal(self, place: str, left: object, right: object) -> bool:
        """Compares two values of no measure, as Python writes them."""
        same = repr(left) == repr(right)
        if not same:
            self.differ(place, left, right)
        return same

    def number(self, place: str, left: str, right: str, metric: str | None = None) -> None:
        """Compares two numbers as they are written; within `rtol` they pass."""
        if left == right:
            return
        a, b = float(left), float(right)
        absolute = abs(a - b)
        scale = max(abs(a), abs(b))
        relative = absolute / scale if scale else 0.0
        if self.rtol > 0 and (relative <= self.rtol or (a != a and b != b)):
            self.tolerated += 1
            return
        measured = [value if isfinite(value) else None for value in (absolute, relative)]
        distance = Distance(absolute=measured[0], relative=measured[1])
        self.add(ContentDifference(place, short(left), short(right), metric, distance))

    def mask(self, kind: str) -> None:
        """Notes that something of this kind differs and was masked."""
        self._masked[kind] = None

    def generated(self, place: str, left: str, right: str, kind: str) -> None:
        """Compares two generated ids: each stands for one of the other run, whatever it reads."""
        one, other = self._ids
        if one.setdefault(left, right) != right or other.setdefault(right, left) != left:
            self.differ(place, left, right)
        elif left != right:
            self.mask(kind)

    def take(self, found: FileComparison) -> None:
        """Takes over what comparing a member of this file found."""
        named = [_inside(found.name, each) for each in found.differences]
        if not found.same and not named:
            named = [ContentDifference(found.name, "", "", None, None)]
        self.differences += named[: max(0, MOST - len(self.differences))]
        self.count += max(found.count, 0 if found.same else 1)
        self.tolerated += found.tolerated
        for each in (*found.metrics, *([found.largest] if found.largest else [])):
            self._remember(_inside(found.name, each))
        self._masked.update(dict.fromkeys(found.masked))
        if "(" in found.how:  # why it was not compared better
            self.notes.append(f"{found.name} {found.how}")

    def take_answer(self, answer: Mapping[str, Any]) -> None:
        """Takes over what the user's Python found (`TensorFindings.answer`)."""
        self.count += answer["count"]
        self.tolerated += answer["tolerated"]
        self.differences += map(_of_answer, answer["differences"])
        largest = [answer["largest"]] if answer["largest"] else []
        for each in (*answer["metrics"], *largest):
            self._remember(_of_answer(each))
        self._masked.update(dict.fromkeys(answer["masked"]))
        self.notes += answer["notes"]

    @property
    def has_metrics(self) -> bool:
        """Whether a metric differs."""
        return bool(self._metrics)

    def comparison(self, name: str, kind: str, how: str, role: str = "other") -> FileComparison:
        """The findings, as those of a file."""
        return FileComparison(
            name=name,
            kind=kind,
            same=not self.count,
            how="; ".join([how, *dict.fromkeys(self.notes)]),
            role=role,
            differences=tuple(self.differences[:MOST]),
            count=self.count,
            largest=self.largest,
            metrics=tuple(self._metrics.values()),
            masked=tuple(sorted(self._masked)),
            tolerated=self.tolerated,
        )


def _size(difference: ContentDifference) -> float:
    assert difference.distance is not None
    relative = difference.distance.relative
    return -1.0 if relative is None else relative


def _inside(name: str, difference: ContentDifference) -> ContentDifference:
    return replace(difference, place=f"{name}: {difference.place}" if difference.place else name)


def _of_answer(found: Mapping[str, Any]) -> ContentDifference:
    measured: dict[str, Any] | None = found["distance"]
    distance = None
    if measured is not None:
        index: list[int] | None = measured["index"]
        rest: dict[str, Any] = {name: part for name, part in measured.items() if name != "index"}
        distance = Distance(**rest, index=None if index is None else tuple(index))
    return ContentDifference(
        found["place"], found["left"], found["right"], found["metric"], distance
    )
