"""Results: what one seed of the original left on disk, looked at as a whole.

Synopsis:
    facts = facts_of(run / "data", run / "seed-0", trace)
    facts.nonfinite            # {"weights": {"dense/kernel": 4096}, …}
"""

from __future__ import annotations

import csv
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.arrays.nested import rebuilt
from repro.data.prepare import part
from repro.model.classification import classes
from repro.record.trace import Trace
from repro.sanity.finite import nonfinite
from repro.sanity.one_answer import OneAnswer, constant, no_better_class, no_better_number
from repro.sanity.progress import Stall, flat, never_falls
from repro.variables.by_path import read as read_weights

Array = npt.NDArray[Any]
_LOSSES = ("loss", "val_loss")
_STEPS = 100
"""After fewer steps a loss that still stands may yet fall."""
_RIGHT = ("accuracy", "binary_accuracy")


@dataclass(frozen=True)
class ResultFacts:
    """What is odd in the results of one seed; nothing as a rule.

    `nonfinite` holds, by kind (`the inputs`, `the loss`, `the weights`, `the predictions`) and
    name, how many numbers are NaN or infinite; `constant` the outputs that are the same for all
    examples.
    """

    seed: int | None = None
    nonfinite: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    constant: tuple[str, ...] = ()
    one_answer: OneAnswer | None = None
    stall: Stall | None = None


def facts_of(
    data: Path, folder: Path, seed: int | None = None, trace: Trace | None = None,
    weighted: bool = False,
) -> ResultFacts:  # fmt: skip
    """Reads the results of one seed.

    Losses are those of each step where the trace of the training is given and holds them, else
    those of each epoch. Where classes counted differently in training (`weighted`), as where
    examples do, one answer for all is no measure of it: it may have traded accuracy for recall.
    """
    history, metrics = _history(folder / "history.csv"), _metrics(folder / "metrics.json")
    with np.load(folder / "predictions.npz") as saved:
        predictions = {name: saved[name] for name in saved.files if name != "id"}
    train, test = part(data, "train"), part(data, "test")
    stall = _stall(history.get("loss", []), _of_steps(trace) if trace else [])
    odd = {
        "the inputs": _inputs(data),
        "the loss": nonfinite({n: np.array(history[n]) for n in _LOSSES if n in history}),
        "the weights": nonfinite(read_weights(folder / "weights.safetensors")),
        # A logarithm of the probability 0 is no mistake.
        "the predictions": nonfinite({n: a[~np.isneginf(a)] for n, a in _real(predictions)}),
    }
    labels = {name: array for name, array in test.items() if name.split(".")[0] == "y"}
    return ResultFacts(
        seed,
        {what: counts for what, counts in odd.items() if counts},
        tuple(constant(predictions, labels)),
        None if weighted else _one_answer(train, test, predictions, metrics),
        stall,
    )


def _stall(epochs: Sequence[float], steps: Sequence[float]) -> Stall | None:
    # Without a column `loss` the steps' is one of several, as in a GAN, that need not fall.
    if not epochs:
        return None
    known = never_falls(steps or epochs) if len(steps) >= _STEPS or not steps else None
    return known or flat(epochs)


def _inputs(data: Path) -> dict[str, int]:
    return {
        f"{name} of {which}": count
        for which in ("train", "validation", "test")
        for name, count in nonfinite(
            {n: a for n, a in part(data, which).items() if n.split(".")[0] == "x"}
        ).items()
    }


def _real(arrays: Mapping[str, Array]) -> list[tuple[str, Array]]:
    return [(name, array) for name, array in arrays.items() if array.dtype.kind == "f"]


def _history(path: Path) -> dict[str, list[float]]:
    """What was logged in each epoch; a callback may log a value in some epochs only."""
    columns: dict[str, list[float]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, text in row.items():
                columns.setdefault(name, []).extend([float(text)] if text else [])
    return columns


def _metrics(path: Path) -> dict[str, float]:
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))["metrics"]
    return {name: float(value) for name, value in values.items()}


def _of_steps(trace: Trace) -> list[float]:
    return [
        struct.unpack(">d", bytes.fromhex(line["loss"]))[0]
        for line in trace.lines
        if "step" in line and "loss" in line
    ]


def _one_answer(
    train: Mapping[str, Array], test: Mapping[str, Array], predictions: Mapping[str, Array],
    metrics: Mapping[str, float],
) -> OneAnswer | None:  # fmt: skip
    """Of one output for one array of labels, where all examples count alike; else None."""
    known, true, predicted = train.get("y"), test.get("y"), predictions.get("y")
    weighted = rebuilt(test, "sample_weight") is not None
    if known is None or true is None or predicted is None or weighted or not len(true):
        return None
    if pair := classes(true, predicted):
        labels = known.argmax(axis=1) if known.shape[1:] == predicted.shape[1:] else known.ravel()
        if labels.min() < 0:
            return None
        return no_better_class(labels.astype(int), pair[0], int(np.sum(pair[0] == pair[1])))
    single = predicted.size == true.size == len(true)
    if single and all(bool(np.isin(array, (0, 1)).all()) for array in (known, true)):
        right = _right(metrics, len(true))
        labels = known.ravel().astype(int)
        return None if right is None else no_better_class(labels, true.ravel().astype(int), right)
    if true.dtype.kind in "iuf" and predicted.dtype.kind == "f":
        return no_better_number(known, true, predicted, metrics)
    return None


def _right(metrics: Mapping[str, float], examples: int) -> int | None:
    """How many of two classes were found, by the user's own metric; its threshold is the user's."""
    for name in _RIGHT:
        count = metrics.get(name, math.nan) * examples
        if math.isfinite(count) and abs(count - round(count)) < 0.01:
            return round(count)
    return None
