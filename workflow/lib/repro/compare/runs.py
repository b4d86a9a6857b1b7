"""Runs: two runs of one seed, from raw data to predictions; where they first part, and how far.

Synopsis:
    comparison = compare(original, repeat, seed, limit=None)
    comparison.divergence          # None where every bit is the same

Needs no TensorFlow: runs are judged from their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.compare import differences as apart
from repro.compare.divergence import Divergence, in_data
from repro.compare.traces import expected, parted_at, stops
from repro.core import layout
from repro.core.digest import Sha256, sha256_file, sha256_files
from repro.record.trace import read

_RESULTS = {
    "history": "history",
    "weights": "final weights",
    "predictions": "predictions",
    "metrics": "metrics",
}


@dataclass(frozen=True)
class Comparison:
    """What comparing one seed of the original with one repeat, `run`, found.

    `stopped` says where the repeat stopped before the original's end, `{"epochs": N}` or
    `{"steps": N}`; None where it went to the end. `trial` says that it is no repeat, but a further
    run of one step, which `run` describes.
    """

    run: str
    seed: int
    divergence: Divergence | None
    differences: Mapping[str, Any]
    stopped: Mapping[str, int] | None = None
    trial: bool = False


def _prepared(original: Path, repeat: Path, sha256: Sha256) -> Divergence | None:
    return in_data(*(sha256_files(run / "data", sha256) for run in (original, repeat)))


def _first(differences: Mapping[str, Any]) -> Divergence | None:
    """The first of the differences between two runs' results."""
    for key, what in _RESULTS.items():
        if key in differences:
            name, difference = next(iter(differences[key].items()))
            return Divergence(what, difference.get("epoch"), None, name)
    return None


def _trained(
    left: Path, right: Path, limit: Mapping[str, int] | None
) -> tuple[Divergence | None, Mapping[str, int] | None]:
    """Where training parts, and, if the repeat stopped before the original, where."""
    first, second = read(left / "trace.jsonl"), read(right / "trace.jsonl")
    stopped = stops(first, limit)
    if divergence := parted_at(first, second, stopped):
        return divergence, stopped
    whole = sum("step" not in line for line in expected(first, stopped)[0])
    ends = apart.history(left, right, whole)
    return _first(ends if stopped else {**ends, **apart.weights(left, right)}), stopped


def _evaluated(original: Path, left: Path, right: Path) -> dict[str, Any]:
    test = original / "data" / "test"
    return {**apart.predictions(left, right, test), **apart.metrics(left, right)}


def parted(
    step: str,
    original: Path,
    repeat: Path,
    seed: int,
    limit: Mapping[str, int] | None = None,
    sha256: Sha256 = sha256_file,
) -> Divergence | None:
    """The first place where one step of two runs diverges; None where it does not.

    `step`: `prepare`, `train` or `evaluate`; nothing that another step wrote in the repeat is read.
    `limit`: None, or where the repeat's training stopped early.

    Raises:
        UserError: a trace or a result cannot be read.
    """
    left, right = (run / layout.seed_folder(seed) for run in (original, repeat))
    if step == "prepare":
        return _prepared(original, repeat, sha256)
    if step == "train":
        return _trained(left, right, limit)[0]
    return _first(_evaluated(original, left, right))


def compare(
    original: Path,
    repeat: Path,
    seed: int,
    limit: Mapping[str, int] | None,
    sha256: Sha256 = sha256_file,
) -> Comparison:
    """Compares one seed of the original with one repeat, the name of whose folder is the run's.

    The first divergence is the first in the order in which things happen; differences are those
    between the results that both runs have. `limit`: None, or where the repeat was told to stop
    early, and was not evaluated: `{"epochs": N}` or `{"steps": N}`.

    Raises:
        UserError: a trace or a result cannot be read.
    """
    left, right = (run / layout.seed_folder(seed) for run in (original, repeat))
    training, stopped = _trained(left, right, limit)
    divergence = _prepared(original, repeat, sha256) or training
    differences: dict[str, Any] = {}
    if limit is None:
        differences = _evaluated(original, left, right)
        divergence = divergence or _first(differences)
    if divergence and stopped is None:
        ends = {**apart.weights(left, right), **apart.history(left, right)}
        differences = {**ends, **differences}
    return Comparison(repeat.name, seed, divergence, differences, stopped)
