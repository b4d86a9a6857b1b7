"""Findings: what the comparison of two files found, and where in them.

Synopsis:
    comparison = compared(left, right, "model.keras", tensors)
    comparison.same, comparison.how           # False, "by tensor"
    comparison.differences[0].place           # "model.weights.h5: layers/dense/vars/0"
"""

from __future__ import annotations

from dataclasses import dataclass

MOST = 20
"""How many differences of one file are kept; `FileComparison.count` counts them all."""


@dataclass(frozen=True)
class Distance:
    """How far apart two tensors, or two numbers, are.

    `absolute` and `relative` (to the larger of the two) are the largest over the elements that
    differ and are finite; None where no such element is a number. `classes`: of `examples` rows
    of scores, or of whole labels, how many have another class; None where it is neither.
    """

    elements: int = 1
    differ: int = 1
    absolute: float | None = None
    relative: float | None = None
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
    `masked`: what was left out of the comparison and differs ("dates", "durations").
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
    masked: tuple[str, ...] = ()
    tolerated: int = 0
    readable: bool = True
