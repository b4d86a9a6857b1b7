"""Compare: two runs of one seed, from raw data to predictions; where they first part, and how far.

Synopsis:
    comparison = compare(original, repeat, seed, limit=None)
    comparison.divergence          # None where every bit is the same

Needs no TensorFlow: runs are judged from their files.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.digest import files_below, sha256_file
from repro.core.errors import UserError
from repro.core.trace import Trace, read
from repro.model.checkpoint import read as load

Array = npt.NDArray[Any]

_STEP = {
    "ids": "data order",
    "batch": "batch content",
    "lr": "learning rate",
    "loss": "loss",
    "weights": "weights",
}
_EPOCH = {"weights": "weights", "optimizer": "optimizer state", "seeds": "seed states"}


@dataclass(frozen=True)
class Divergence:
    """The first place where two runs part.

    `epoch` and `step` count from 0 and are None before training and after it. `what` is
    one of: prepared data, initial weights, initial optimizer state, initial seed states,
    data order, batch content, learning rate, loss, weights, optimizer state, seed states,
    length, history, metrics, predictions, trace layout. `variable` names the array,
    variable or column.
    """

    what: str
    epoch: int | None = None
    step: int | None = None
    variable: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What comparing one seed of the original with one repeat, `run`, found."""

    run: str
    seed: int
    divergence: Divergence | None
    differences: Mapping[str, Any]


def _odd(left: Mapping[str, Any], right: Mapping[str, Any]) -> str | None:
    """The first key, in the left one's order, under which two mappings differ."""
    keys = [*left, *(key for key in right if key not in left)]
    missing = object()
    return next((k for k in keys if left.get(k, missing) != right.get(k, missing)), None)


def _prepared(original: Path, repeat: Path) -> Divergence | None:
    left, right = (
        {name: sha256_file(file) for name, file in files_below(run / "data")}
        for run in (original, repeat)
    )
    odd = {name for name in {*left, *right} if left.get(name) != right.get(name)}
    # Ids come from the content unless they were given: the content says more, so it goes first.
    first = min(odd, key=lambda name: (name.endswith("/id.npy"), name), default=None)
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


def _expected(
    original: Trace, limit: Mapping[str, int] | None
) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """The lines that the repeat must have, and whether it stops within an epoch."""
    lines = original.lines
    if limit is None:
        return lines, False
    if "epochs" in limit:
        return [line for line in lines if line["epoch"] < limit["epochs"]], False
    steps = [number for number, line in enumerate(lines) if "step" in line]
    if limit["steps"] >= len(steps):
        return lines, False
    end = steps[limit["steps"] - 1] + 1
    within = "step" in lines[end]
    return lines[: end if within else end + 1], within


def _steps(left: Trace, right: Trace, limit: Mapping[str, int] | None) -> Divergence | None:
    (mine, within), its = _expected(left, limit), right.lines
    for a, b in zip(mine, its, strict=False):
        if found := _line(a, b, left.header["variables"]):
            return found
    if within and len(its) == len(mine) + 1 and "step" not in its[-1]:
        its = its[:-1]  # its state where it stopped, which the original has not
    if len(mine) != len(its):
        longer = max(mine, its, key=len)[min(len(mine), len(its))]
        return Divergence("length", longer["epoch"], longer.get("step"))
    return None


def _bits(array: Array) -> Array:
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), f"V{array.dtype.itemsize}")


def _apart(left: Array, right: Array) -> dict[str, Any] | None:
    """How far two arrays are apart; None where they have the same bits."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return {"share": 1.0, "shapes": [list(left.shape), list(right.shape)]}
    differ = _bits(left) != _bits(right)
    if not differ.any():
        return None
    found: dict[str, Any] = {"share": float(differ.mean())}
    if left.dtype.kind in "fiub":
        a, b = left.ravel()[differ].astype(np.float64), right.ravel()[differ].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            absolute = np.abs(a - b)
            relative = absolute / np.maximum(np.abs(a), np.abs(b))
        for name, values in (("largest_absolute", absolute), ("largest_relative", relative)):
            finite = values[np.isfinite(values)]
            found[name] = float(finite.max()) if finite.size else None
    return found


def _arrays_apart(left: Mapping[str, Array], right: Mapping[str, Array]) -> dict[str, Any]:
    nothing = np.zeros(0)
    names = sorted({*left, *right})
    found = {name: _apart(left.get(name, nothing), right.get(name, nothing)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _predictions(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _history(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return {name: [row[n] for row in rows] for n, name in enumerate(head)}


def _metrics(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))["metrics"]


def _both(
    left: Path, right: Path, name: str, reader: Callable[[Path], Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    for path in (left / name, right / name):
        try:
            yield reader(path)
        except Exception as error:  # each library that reads has errors of its own
            raise UserError(
                f"Expected results at {path}. Received a file that cannot be read ({error}). "
                "Delete what that step wrote, and run it again."
            ) from error


_KINDS = ("weights", "history", "predictions", "metrics")


def _ends(
    left: Path, right: Path, kinds: Sequence[str]
) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """What, first odd part, and all differences of each of these kinds of results."""
    if "weights" in kinds:
        weights = _arrays_apart(*_both(left, right, "weights.safetensors", load))
        yield "weights", next(iter(weights), None), weights
    if "history" in kinds:
        mine, its = _both(left, right, "history.csv", _history)
        names = sorted({*mine, *its})
        yield "history", _odd(mine, its), {n: "differs" for n in names if mine.get(n) != its.get(n)}
    if "predictions" in kinds:
        predictions = _arrays_apart(*_both(left, right, "predictions.npz", _predictions))
        yield "predictions", next(iter(predictions), None), predictions
    if "metrics" in kinds:
        mine, its = _both(left, right, "metrics.json", _metrics)
        values = {
            n: [mine.get(n), its.get(n)] for n in sorted({*mine, *its}) if mine.get(n) != its.get(n)
        }
        yield "metrics", _odd(mine, its), values


def parted(
    step: str, original: Path, repeat: Path, seed: int, limit: Mapping[str, int] | None = None
) -> Divergence | None:
    """The first place where one step of two runs parts.

    Args:
        step: `prepare`, `train` or `evaluate`; nothing of another step is read.
        original: the folder of the first run.
        repeat: the folder of the second.
        seed: the root seed of training.
        limit: None, or where the repeat's training stopped early.

    Returns:
        The first divergence within that step, or None.

    Raises:
        UserError: a trace or a result cannot be read.
    """
    if step == "prepare":
        return _prepared(original, repeat)
    left, right = original / f"seed-{seed}", repeat / f"seed-{seed}"
    if step == "train":
        first, second = read(left / "trace.jsonl"), read(right / "trace.jsonl")
        if found := _initial(first, second) or _steps(first, second, limit):
            return found
    own = {"train": ("weights", "history"), "evaluate": ("predictions", "metrics")}[step]
    ends = _ends(left, right, own) if limit is None else ()
    return next((Divergence(what, variable=name) for what, name, _ in ends if name), None)


def compare(original: Path, repeat: Path, seed: int, limit: Mapping[str, int] | None) -> Comparison:
    """Compares one seed of two runs.

    Args:
        original: the folder of the first run.
        repeat: the folder of the second.
        seed: the root seed of training.
        limit: None, or where the repeat stopped early: `{"epochs": N}` or `{"steps": N}`.

    Returns:
        The first divergence, in the order in which things happen, and all differences
        between the results that both runs have.

    Raises:
        UserError: a trace or a result cannot be read.
    """
    left, right = original / f"seed-{seed}", repeat / f"seed-{seed}"
    first, second = read(left / "trace.jsonl"), read(right / "trace.jsonl")
    found = _prepared(original, repeat) or _initial(first, second) or _steps(first, second, limit)
    differences: dict[str, Any] = {}
    for what, name, parts in _ends(left, right, _KINDS) if limit is None else ():
        if name is not None:
            differences[what] = parts
            found = found or Divergence(what, variable=name)
    return Comparison(repeat.name, seed, found, differences)
