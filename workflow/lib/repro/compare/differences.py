"""Differences: how far apart the results of two runs of one seed are, in counts and maxima.

Synopsis:
    weights(left, right)          # folders of one seed; by variable, {} where all bits agree
    history(left, right, epochs)
    predictions(left, right, test)["churn"]
    metrics(left, right)

Everything is compared as bits first: NaNs with other payloads and the two zeros differ. How
far apart the values are is said only of what differs.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.canonical_json import Json
from repro.core.errors import UserError
from repro.model.classification import classes
from repro.variables.by_path import read as load

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


def _read(path: Path, reader: Callable[[Path], Any]) -> Any:
    try:
        return reader(path)
    except Exception as error:  # each library that reads has errors of its own
        raise UserError(
            f"Expected results at {path}. Received a file that cannot be read ({error}). "
            "Delete what that step wrote, and run it again."
        ) from error


def bits(array: Array) -> Array:
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), f"V{array.dtype.itemsize}")


def _wholly(array: Array, **reason: Any) -> dict[str, Any]:
    return {"elements": array.size, "differ": array.size, "share": 1.0, **reason}


def apart(left: Array, right: Array) -> dict[str, Json] | None:
    """How far two arrays are apart; None where they have the same bits.

    How many of the `elements` `differ`, their `share`, and for numbers `largest_absolute`,
    `largest_relative` (to the larger of the two values) and `mean_absolute` (over all elements),
    of what is finite, null where nothing is. Where they differ as a whole: `shapes` or `types`.
    """
    if left.shape != right.shape:
        return _wholly(left, shapes=[list(left.shape), list(right.shape)])
    if left.dtype != right.dtype:
        return _wholly(left, types=[left.dtype.str, right.dtype.str])
    differ = bits(left) != bits(right)
    if not differ.any():
        return None
    count = int(differ.sum())
    distance: dict[str, Any] = {"elements": left.size, "differ": count, "share": count / left.size}
    if left.dtype.kind in "fiub":
        a, b = (array.ravel()[differ].astype(np.float64) for array in (left, right))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            absolute = np.abs(a - b)
            relative = absolute / np.maximum(np.abs(a), np.abs(b))
        absolute, relative = absolute[np.isfinite(absolute)], relative[np.isfinite(relative)]
        distance["largest_absolute"] = float(absolute.max()) if absolute.size else None
        distance["largest_relative"] = float(relative.max()) if relative.size else None
        # Divided before it is added up, so that no sum of finite numbers overflows.
        mean = float((absolute / left.size).sum()) if absolute.size else None
        distance["mean_absolute"] = mean
    return distance


def _apart(left: Arrays, right: Arrays) -> dict[str, dict[str, Any]]:
    """How far each pair of arrays is apart, the left one's order first; only those that differ."""
    distances: dict[str, Any] = {}
    for name in {**left, **right}:
        if name in left and name in right:
            distances[name] = apart(left[name], right[name])
        else:
            run, array = ("original", left[name]) if name in left else ("repeat", right[name])
            distances[name] = _wholly(array, only_in=run)
    return {name: distance for name, distance in distances.items() if distance is not None}


def weights(left: Path, right: Path) -> dict[str, Json]:
    """How far the final weights of one seed are apart in the folders of two runs.

    `weights`: by variable, only those that differ; `weights_share`: the share of all weights that
    differ. Empty where every bit is the same.
    """
    left_arrays: Arrays = _read(left / "weights.safetensors", load)
    right_arrays: Arrays = _read(right / "weights.safetensors", load)
    distances = _apart(left_arrays, right_arrays)
    if not distances:
        return {}
    differ = sum(distance["differ"] for distance in distances.values())
    share = differ / sum(array.size for array in {**right_arrays, **left_arrays}.values())
    return {"weights": distances, "weights_share": share}


def _rows(path: Path) -> list[dict[str, str]]:
    """What was logged at each epoch; a callback may log a value in some epochs only."""
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return [{n: v for n, v in zip(head, row, strict=True) if v} for row in rows]


def history(left: Path, right: Path, epochs: int | None = None) -> dict[str, Json]:
    """Where what was logged at the end of each epoch first differs, by name.

    `history`: by name, `epoch` (from 0) and the text of both runs, the earliest first. Empty where
    all is the same. `epochs`: how many both runs went through; None for all.
    """
    left_rows: list[dict[str, str]] = _read(left / "history.csv", _rows)
    right_rows: list[dict[str, str]] = _read(right / "history.csv", _rows)
    differences: dict[str, Any] = {}
    pairs = zip_longest(left_rows[:epochs], right_rows[:epochs], fillvalue=dict[str, str]())
    for epoch, (left_row, right_row) in enumerate(pairs):
        for name in {**left_row, **right_row}:
            values = {"original": left_row.get(name), "repeat": right_row.get(name)}
            if len(set(values.values())) > 1:
                differences.setdefault(name, {"epoch": epoch, **values})
    return {"history": differences} if differences else {}


def _saved(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict[str, Array](file)
    if {len(array) for array in arrays.values()} != {len(arrays["id"])}:
        raise ValueError("not one prediction for each id")
    return arrays


def churn(labels: Any, left: Array, right: Array) -> dict[str, Json] | None:
    """How many examples got another class; None where the task is another one.

    `labels` are as `repro.model.classification` takes them, scores [n, classes]. `examples`,
    `changed` and `share`, over all and `per_class` of the true one.
    """
    before, after = classes(labels, left), classes(labels, right)
    if before is None or after is None:
        return None
    true, changed, count = before[0], before[1] != after[1], left.shape[1]

    def counted(examples: int, others: int) -> dict[str, Any]:
        share = others / examples if examples else None
        return {"examples": examples, "changed": others, "share": share}

    support = np.bincount(true, minlength=count)
    moved = np.bincount(true[changed], minlength=count)
    by_class = enumerate(zip(support, moved, strict=True))
    whole = counted(len(true), int(changed.sum()))
    return {
        **whole,
        "per_class": [{"class": c, **counted(int(n), int(k))} for c, (n, k) in by_class],
    }


def predictions(left: Path, right: Path, test: Path) -> dict[str, Json]:
    """How far the predictions on the test part (the first run's is in `test`) are apart.

    `predictions`: by output, only what differs; where the test examples differ, of those that both
    runs have, and `id` counts those of the first that the other lacks. `churn`: the same-named
    function's answer by output. Empty where every bit is the same.
    """
    left_arrays: Arrays = _read(left / "predictions.npz", _saved)
    right_arrays: Arrays = _read(right / "predictions.npz", _saved)
    distances = _apart(left_arrays, right_arrays)
    if not distances:
        return {}
    rows: Any = slice(None)
    if "id" in distances:
        # Preparation gave other examples: rows do not answer one another, ids do.
        _, rows, others = np.intersect1d(left_arrays["id"], right_arrays["id"], return_indices=True)
        lost = len(left_arrays["id"]) - len(rows)
        ids = {
            "elements": len(left_arrays["id"]),
            "differ": lost,
            "share": lost / len(left_arrays["id"]),
        }
        left_arrays, right_arrays = (
            {n: a[rows] for n, a in left_arrays.items()},
            {n: a[others] for n, a in right_arrays.items()},
        )
        distances = {**_apart(left_arrays, right_arrays), "id": ids}
    changes: dict[str, Any] = {}
    for name in (n for n in distances if n in left_arrays and n in right_arrays):
        if name != "id" and (file := test / f"{name}.npy").exists():
            labels: Array = _read(file, np.load)
            changes[name] = churn(labels[rows], left_arrays[name], right_arrays[name])
    changes = {name: change for name, change in changes.items() if change is not None}
    return {"predictions": distances, **({"churn": changes} if changes else {})}


def _measured(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))["metrics"]


def metrics(left: Path, right: Path) -> dict[str, Json]:
    """How far the metrics on the test part are apart.

    `metrics`: by name, only those that differ: `original`, `repeat`, and their `difference` (repeat
    minus original; null where one is no finite number). Empty where all is the same.
    """
    left_values: dict[str, Any] = _read(left / "metrics.json", _measured)
    right_values: dict[str, Any] = _read(right / "metrics.json", _measured)
    differences: dict[str, Any] = {}
    for name in {**left_values, **right_values}:
        original, repeat = left_values.get(name), right_values.get(name)
        if repr(original) != repr(repeat):
            values = [value for value in (original, repeat) if isinstance(value, float)]
            difference = values[1] - values[0] if len(values) > 1 else math.inf
            differences[name] = {
                "original": original, "repeat": repeat,
                "difference": difference if math.isfinite(difference) else None,
            }  # fmt: skip
    return {"metrics": differences} if differences else {}
