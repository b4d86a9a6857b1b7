"""Dataset: what the user's `dataset` returned, checked, and split by a hash of each id.

Synopsis:
    examples = examples_of(returned)                      # checked columns, ids
    parts = split(examples, {"train": 0.8, ...}, seed)    # name -> rows, in the order of ids

Nothing depends on the order in which examples came: rows are stored in the order of
their ids, and an example's part is a function of its id (or group) and the seed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.core.digest import sha256_bytes, sha256_value
from repro.core.errors import UserError

IDS = "sha256-content-v1"
SPLIT = "sha256-split-v1"

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
_COLUMNS = ("x", "y", "id", "group", "sample_weight")


@dataclass(frozen=True)
class Examples:
    """Checked columns, each with as many rows; `x` and `y` may be several (`x.left`, …).

    `unit` says which examples must stay together in one part of the split: those of one
    group, or, where neither ids nor groups were given, those with the same `x`.
    """

    columns: Mapping[str, Array]
    ids: tuple[str, ...]
    unit: tuple[str, ...]


def _column_names(returned: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in ("x", "y", "sample_weight"):
        value = returned.get(name)
        if isinstance(value, Mapping):
            parts = cast("Mapping[str, Any]", value)
            columns |= {f"{name}.{part}": parts[part] for part in sorted(parts)}
        elif value is not None:
            columns[name] = value
    return columns


def _checked_array(name: str, value: Any) -> Array:
    try:
        array: Array = np.asanyarray(value)  # keeps a memory-mapped array as it is
    except ValueError as error:
        raise UserError(
            f"Expected `{name}` of the dataset to be an array. Received rows of different "
            "shapes. Pad or cut them to one shape."
        ) from error
    if array.dtype.hasobject or array.dtype.names or array.ndim == 0:
        raise UserError(
            f"Expected `{name}` of the dataset to be an array of numbers, truth values or text "
            f"with one row for each example. Received dtype {array.dtype}, shape {array.shape}. "
            "Convert it."
        )
    labels = name.split(".")[0] in ("y", "sample_weight") and array.dtype.kind in "fc"
    if labels and (count := int((~np.isfinite(array)).sum())):
        raise UserError(
            f"Expected finite numbers in `{name}` of the dataset. Received {count} NaN or "
            "infinite value(s). Remove or mend those examples."
        )
    return array


def _same_length(columns: Mapping[str, Any]) -> int:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(
            f"Expected the dataset's arrays to have one length. Received {lengths}. "
            "Give each example one row in every array."
        )
    return next(iter(lengths.values()))


def _given(name: str, value: Any) -> tuple[str, ...]:
    array = _checked_array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "iuUSb":
        raise UserError(
            f"Expected `{name}` of the dataset to be one number or text for each example. "
            f"Received dtype {array.dtype}, shape {array.shape}. Convert it."
        )
    texts: list[Any] = array.tolist()
    return tuple(t.decode() if isinstance(t, bytes) else str(t) for t in texts)


def _row_hashes(columns: Mapping[str, Array]) -> tuple[str, ...]:
    header = sha256_value([IDS, {n: [c.dtype.str, list(c.shape[1:])] for n, c in columns.items()}])
    rows = zip(*columns.values(), strict=True)
    return tuple(
        sha256_bytes(header.encode() + b"".join(np.asarray(cell).tobytes() for cell in row))[:32]
        for row in rows
    )


def _with_occurrence(hashes: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    ids: list[str] = []
    for value in hashes:
        seen[value] = seen.get(value, -1) + 1
        ids.append(f"{value}-{seen[value]}")
    return tuple(ids)


def _unique(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = next(i for i in ids if i in seen or seen.add(i))
        raise UserError(
            f"Expected every `id` of the dataset once. Received {twice!r} more than once. "
            "Make the ids unique, or leave them out: then they come from the content."
        )
    return ids


def examples_of(returned: Any) -> Examples:
    """Checks what `dataset` returned.

    Args:
        returned: a mapping with `x` and `y` (arrays [n, …], or mappings of names to
            such arrays), and optionally `id`, `group` [n] and `sample_weight` [n].

    Returns:
        The columns and ids. Without `id`, an id is the content's hash and its occurrence.

    Raises:
        UserError: a key, dtype, length, id or label is wrong.
    """
    mapping = isinstance(returned, Mapping)
    values = cast("Mapping[str, Any]", returned if mapping else {})
    if not {"x", "y"} <= set(values):
        shown = sorted(map(str, values)) or type(returned).__name__
        raise UserError(
            "Expected `dataset` to return a mapping with `x` and `y`, or a tf.data.Dataset of "
            f"(x, y). Received {shown}. Return that."
        )
    if extra := sorted(set(map(str, values)) - set(_COLUMNS)):
        raise UserError(
            f"Expected only {', '.join(_COLUMNS)} from `dataset`. Received `{extra[0]}`. Remove it."
        )
    columns = {n: _checked_array(n, v) for n, v in _column_names(values).items()}
    labels = {n: _given(n, values[n]) for n in ("id", "group") if values.get(n) is not None}
    if _same_length({**columns, **labels}) == 0:
        raise UserError("Expected at least one example from `dataset`. Received none. Return some.")
    ids = _unique(labels["id"]) if "id" in labels else _with_occurrence(_row_hashes(columns))
    inputs = {name: column for name, column in columns.items() if name.split(".")[0] == "x"}
    unit = labels.get("group") or labels.get("id") or _row_hashes(inputs)
    if "group" in labels:
        columns = {**columns, "group": np.array(labels["group"])}
    return Examples(columns, ids, unit)


def split(examples: Examples, shares: Mapping[str, float], seed: int) -> dict[str, Rows]:
    """Which rows go into which part, by a hash of each unit; sizes are approximate.

    Args:
        examples: what `examples_of` gave.
        shares: the fraction of each part; they sum to 1.
        seed: the seed of the split's stream.

    Returns:
        For each part with a share above 0, its row numbers, int64, in the order of the ids.

    Raises:
        UserError: a part with a share above 0 received no example.
    """
    bounds: list[tuple[str, int]] = []
    total = Fraction(0)
    for name, share in shares.items():
        total += Fraction(str(share))
        bounds.append((name, int(total * 2**64)))
    rows: dict[str, list[int]] = {name: [] for name, share in shares.items() if share}
    by_unit: dict[str, str] = {}
    for row in sorted(range(len(examples.ids)), key=examples.ids.__getitem__):
        unit = examples.unit[row]
        if unit not in by_unit:
            draw = int(sha256_value([SPLIT, seed, unit])[:16], 16)
            by_unit[unit] = next(name for name, bound in bounds if draw < bound)
        rows[by_unit[unit]].append(row)
    for name, chosen in rows.items():
        if not chosen:
            raise UserError(
                f"Expected at least one example in the part `{name}` of the split. Received none "
                f"of {len(examples.ids)}. Give it a larger share, more data, or another data_seed."
            )
    return {name: np.array(chosen, np.int64) for name, chosen in rows.items()}
