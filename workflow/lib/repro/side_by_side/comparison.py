"""Comparison: the results of two sides, seed by seed; where they first diverge, and how far.

Synopsis:
    found = compared(left, right, tensors)
    found.same, found.seeds[0].divergence, found.seeds[0].metrics["accuracy"]

Weights and predictions are read by `content`, in a Python that has NumPy; where there is none, by
their bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.compare.divergence import Divergence, in_data
from repro.compare.traces import parted_at
from repro.content.files import compared as compared_files
from repro.content.tensor_reader import TensorReader
from repro.core.errors import UserError
from repro.formats.findings import FileComparison
from repro.record.trace import read as read_trace
from repro.side_by_side.origins import Origins, origins
from repro.side_by_side.sides import Side

_FILES = (
    ("train", "history.csv", "history"),
    ("train", "weights.safetensors", "final weights"),
    ("evaluate", "predictions.npz", "predictions"),
    ("evaluate", "metrics.json", "metrics"),
)
"""In the order in which they come about, each with what diverges there."""
Metrics = Mapping[str, tuple[object, object]]


@dataclass(frozen=True)
class SeedComparison:
    """One seed of each side.

    `divergence`: the first; None where all that both have is the same. `metrics`: of both, by name;
    None where a side has none. `files`: those that differ, and how far. `lacking`: what only one
    side has, in words.
    """

    seeds: tuple[int, int]
    divergence: Divergence | None
    metrics: Metrics
    files: tuple[FileComparison, ...]
    lacking: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both sides have the same results, bit for bit."""
        return self.divergence is None and not self.lacking


@dataclass(frozen=True)
class SideBySide:
    """All that was found; `unpaired` are seeds that only one side has."""

    left: Side
    right: Side
    seeds: tuple[SeedComparison, ...]
    unpaired: tuple[int, ...]
    origins: Origins

    @property
    def same(self) -> bool:
        """Whether both sides have the same seeds and, bit for bit, the same results."""
        return not self.unpaired and all(seed.same for seed in self.seeds)


def compared(left: Side, right: Side, tensors: TensorReader) -> SideBySide:
    """Compares two sides, however they were made.

    Raises:
        UserError: they have no seed in common, or a trace cannot be read.
    """
    pairs, unpaired = _pairs(left, right)
    seeds = tuple(_seed(left, right, pair, tensors) for pair in pairs)
    return SideBySide(left, right, seeds, unpaired, origins(left, right, pairs[0]))


def _pairs(left: Side, right: Side) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    if left.seed is not None or right.seed is not None:
        named = {side.seed for side in (left, right) if side.seed is not None}
        one, other = (
            side.seed if side.seed is not None else min({*side.seeds} & named or side.seeds)
            for side in (left, right)
        )
        return [(one, other)], ()
    both = sorted({*left.seeds} & {*right.seeds})
    if not both:
        known = (", ".join(map(str, side.seeds)) for side in (left, right))
        raise UserError(
            f"Expected a seed that both sides have. Received {' and '.join(known)}. Name another "
            "side, or two seeds of one experiment."
        )
    return [(seed, seed) for seed in both], tuple(sorted({*left.seeds} ^ {*right.seeds}))


def _seed(left: Side, right: Side, seeds: tuple[int, int], tensors: TensorReader) -> SeedComparison:
    files = list[FileComparison]()
    first = _data(left, right) or _trace(left, right, seeds)
    for step, name, what in _FILES:
        pair = _pair(left, right, step, name, seeds)
        if pair and not (found := compared_files(*pair, name, tensors)).same:
            files.append(found)
            place = found.differences[0].place if found.differences else None
            first = first or Divergence(what, variable=place)
    metrics = _metrics(left, right, seeds)
    return SeedComparison(seeds, first, metrics, tuple(files), tuple(_lacking(left, right, seeds)))


def _pair(
    left: Side, right: Side, step: str, name: str, seeds: tuple[int, int]
) -> tuple[Path, Path] | None:
    one, other = left.file(step, name, seeds[0]), right.file(step, name, seeds[1])
    return (one, other) if one and other else None


def _data(left: Side, right: Side) -> Divergence | None:
    steps = left.step("prepare"), right.step("prepare")
    if not all(steps):
        return None
    one, other = (
        {name.removeprefix("data/"): sha for name, sha in step.subjects.items()}
        for step in steps
        if step
    )
    return in_data(one, other)


def _trace(left: Side, right: Side, seeds: tuple[int, int]) -> Divergence | None:
    pair = _pair(left, right, "train", "trace.jsonl", seeds)
    return parted_at(read_trace(pair[0]), read_trace(pair[1])) if pair else None


def _metrics(left: Side, right: Side, seeds: tuple[int, int]) -> Metrics:
    sides = zip((left, right), seeds, strict=True)
    one, other = (_measured(side.file("evaluate", "metrics.json", seed)) for side, seed in sides)
    return {name: (one.get(name), other.get(name)) for name in {**one, **other}}


def _measured(file: Path | None) -> Mapping[str, object]:
    return json.loads(file.read_bytes())["metrics"] if file else {}


def _lacking(left: Side, right: Side, seeds: tuple[int, int]) -> Iterator[str]:
    for name in ("prepare", "evaluate"):
        sides = zip((left, right), seeds, strict=True)
        having = [
            side.name for side, s in sides if side.step(name, s if name == "evaluate" else None)
        ]
        if len(having) == 1:
            yield f"only {having[0]} has results of {name}"
