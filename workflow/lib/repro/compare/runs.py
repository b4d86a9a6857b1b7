"""Runs: two runs of one seed, from raw data to predictions; where they first part, and how far.

Synopsis:
    comparison = compare(original, repeat, seed, limit=None)
    comparison.divergence          # None where every bit is the same

Needs no TensorFlow: runs are judged from their files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.compare import differences as apart
from repro.compare.divergence import Divergence
from repro.core import layout
from repro.core.digest import Sha256, sha256_file, sha256_files
from repro.data.prepare import FITTED
from repro.record.trace import Trace, read

_STEP = {
    "ids": "data order",
    "batch": "batch content",
    "lr": "learning rate",
    "loss": "loss",
    "weights": "weights",
}
_EPOCH = {"weights": "weights", "optimizer": "optimizer state", "seeds": "seed states"}
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


def _odd(left: Mapping[str, Any], right: Mapping[str, Any]) -> str | None:
    """The first key, in the left one's order, under which two mappings differ."""
    keys = [*left, *(key for key in right if key not in left)]
    missing = object()
    return next((k for k in keys if left.get(k, missing) != right.get(k, missing)), None)


def _prepared(original: Path, repeat: Path, sha256: Sha256) -> Divergence | None:
    left, right = (sha256_files(run / "data", sha256) for run in (original, repeat))
    odd = {name for name in {*left, *right} if left.get(name) != right.get(name)}
    # What is fitted decides what is stored, but ids come from what `dataset` returned.
    fitted = sorted(name for name in odd if name.startswith(f"{FITTED}/"))
    if fitted and not any(name.endswith("/id.npy") for name in odd):
        return Divergence("fitted preprocessing", variable=Path(fitted[0]).stem)
    # Ids come from the content unless they were given: the content says more, so it goes first.
    parts = odd.difference(fitted)
    first = min(parts, key=lambda name: (name.endswith("/id.npy"), name), default=None)
    return Divergence("prepared data", variable=first) if first else None


def _initial(left: Trace, right: Trace) -> Divergence | None:
    for group, what in _EPOCH.items():
        if name := _odd(left.header["initial"][group], right.header["initial"][group]):
            return Divergence(f"initial {what}", variable=name)
    if name := _odd(left.header, right.header):
        return Divergence("trace layout", variable=name)
    return None


def _line(
    left: Mapping[str, Any], right: Mapping[str, Any], variables: list[str]
) -> Divergence | None:
    epoch, step = left["epoch"], left.get("step")
    if (epoch, step) != (right["epoch"], right.get("step")):
        return Divergence("length", epoch, step)
    for key, what in _STEP.items() if step is not None else _EPOCH.items():
        if left[key] == right[key]:
            continue
        if step is None:
            name = _odd(left[key], right[key])
        elif key == "weights":
            pairs = zip(variables, left[key], right[key], strict=True)
            name = next(variable for variable, a, b in pairs if a != b)
        else:
            name = None
        return Divergence(what, epoch, step, name)
    return None


def _taken_in_another_order(divergence: Divergence, left: Trace, right: Trace) -> bool:
    """Whether both runs have the batch that the other one took, at another step of the epoch."""
    left_batches, right_batches = (
        {line["step"]: line["batch"] for line in trace.lines
         if "step" in line and line["epoch"] == divergence.epoch}
        for trace in (left, right)
    )  # fmt: skip
    return (
        left_batches[divergence.step] in right_batches.values()
        and right_batches[divergence.step] in left_batches.values()
    )


def _stops(original: Trace, limit: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """The limit, where the original went on after it; None where a repeat ends with it."""
    if limit is None:
        return None
    if "epochs" in limit:
        beyond = any(line["epoch"] >= limit["epochs"] for line in original.lines)
    else:
        beyond = sum("step" in line for line in original.lines) > limit["steps"]
    return limit if beyond else None


def _expected(
    original: Trace, stopped: Mapping[str, int] | None
) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """The lines that the repeat must have, and whether it stops within an epoch."""
    lines = original.lines
    if stopped is None:
        return lines, False
    if "epochs" in stopped:
        return [line for line in lines if line["epoch"] < stopped["epochs"]], False
    steps = [number for number, line in enumerate(lines) if "step" in line]
    end = steps[stopped["steps"] - 1] + 1
    within = "step" in lines[end]
    return lines[: end if within else end + 1], within


def _steps(left: Trace, right: Trace, stopped: Mapping[str, int] | None) -> Divergence | None:
    (expected, within), lines = _expected(left, stopped), right.lines
    for a, b in zip(expected, lines, strict=False):
        if divergence := _line(a, b, left.header["variables"]):
            batch = divergence.what == "batch content"
            if batch and _taken_in_another_order(divergence, left, right):
                return replace(divergence, what="data order")
            return divergence
    if within and len(lines) == len(expected) + 1 and "step" not in lines[-1]:
        lines = lines[:-1]  # its state where it stopped, which the original has not
    if len(expected) != len(lines):
        longer = max(expected, lines, key=len)[min(len(expected), len(lines))]
        return Divergence("length", longer["epoch"], longer.get("step"))
    return None


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
    stopped = _stops(first, limit)
    if divergence := _initial(first, second) or _steps(first, second, stopped):
        return divergence, stopped
    whole = sum("step" not in line for line in _expected(first, stopped)[0])
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
    """The first place where one step of two runs parts; None where it does not.

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
