"""Dataset: what the user's `dataset` returned, checked, and split by a hash of each id.

Synopsis:
    examples = examples_of(returned)                      # checked columns, ids
    parts = split(examples, {"train": 0.8, ...}, seed)    # name -> rows, in the order of ids

Nothing depends on the order in which examples came: rows are stored in the order of
their ids, and an example's part is a function of its id (or group) and the seed alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.core.canonical_json import canonical
from repro.core.digest import sha256_bytes, sha256_value
from repro.core.errors import UserError

IDS = "sha256-content-v1"
SPLIT = "sha256-split-v1"

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_COLUMNS = ("x", "y", "id", "group", "sample_weight")


@dataclass(frozen=True)
class Examples:
    """Checked columns, each with as many rows; `x` and `y` may be several (`x.left`, …).

    `unit` says which examples must stay together in one part of the split: those of one
    group, or, where neither ids nor groups were given, those with the same `x`; `contents`
    are the hashes of each `x`.
    """

    columns: Mapping[str, Array]
    ids: tuple[str, ...]
    unit: tuple[str, ...]
    contents: tuple[str, ...]


def _parts(name: str, value: Any) -> dict[str, Any]:
    """The column, or those of a mapping by `name.part`; a part's name becomes one of a file."""
    if not isinstance(value, Mapping):
        return {name: value}
    parts = cast("Mapping[Any, Any]", value)
    if odd := [part for part in parts if not isinstance(part, str) or not _NAME.fullmatch(part)]:
        raise UserError(
            f"Expected names of letters, digits, `_`, `-` and `.` in the mapping `{name}` of the "
            f"dataset. Received {odd[0]!r}. Rename it."
        )
    return {f"{name}.{part}": parts[part] for part in sorted(parts)}


def _columns(returned: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in ("x", "y", "sample_weight"):
        value = returned.get(name)
        if name == "sample_weight" and value is None:
            continue
        if value is None or (isinstance(value, Mapping) and not value):
            raise UserError(
                f"Expected `{name}` of the dataset to be an array, or a mapping of names to "
                f"arrays. Received {value}. Return at least one."
            )
        columns |= _parts(name, value)
    return columns


def _checked_array(name: str, value: Any) -> Array:
    try:
        array: Array = np.asanyarray(value)  # keeps a memory-mapped array as it is
    except ValueError as error:
        raise UserError(
            f"Expected `{name}` of the dataset to be an array. Received rows of different "
            "shapes. Pad or cut them to one shape."
        ) from error
    if array.dtype.kind not in "biufcSU" or array.ndim == 0:
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
    # One order of bytes, whatever the source had: bits, ids and TensorFlow depend on it.
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


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
    try:
        return tuple(t.decode() if isinstance(t, bytes) else str(t) for t in texts)
    except UnicodeDecodeError as error:
        raise UserError(
            f"Expected `{name}` of the dataset to be text in UTF-8. Received {error.object!r}. "
            "Convert it."
        ) from error


def _kind(column: Array) -> list[Any]:
    # Of text the longest decides the dtype: what is added later must not rename what is there.
    text = column.dtype.kind in "US"
    return [column.dtype.kind if text else column.dtype.str, list(column.shape[1:])]


def _cells(column: Array) -> Iterable[bytes]:
    """Each row's bytes, which cannot run into those of the next column."""
    if column.dtype.kind == "S":
        column = np.char.decode(column, "latin-1")  # any byte has a letter there
    if column.dtype.kind == "U":
        return (canonical(cell.tolist()).encode() for cell in column)
    return (np.asarray(cell).tobytes() for cell in column)


def _row_hashes(columns: Mapping[str, Array]) -> tuple[str, ...]:
    header = sha256_value([IDS, {name: _kind(column) for name, column in columns.items()}]).encode()
    rows = zip(*map(_cells, columns.values()), strict=True)
    return tuple(sha256_bytes(header + b"".join(row))[:32] for row in rows)


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
    columns = {n: _checked_array(n, v) for n, v in _columns(values).items()}
    labels = {n: _given(n, values[n]) for n in ("id", "group") if values.get(n) is not None}
    if _same_length({**columns, **labels}) == 0:
        raise UserError("Expected at least one example from `dataset`. Received none. Return some.")
    if "group" in labels:
        columns["group"] = np.array(labels["group"])
    ids = _unique(labels["id"]) if "id" in labels else _with_occurrence(_row_hashes(columns))
    inputs = {name: column for name, column in columns.items() if name.split(".")[0] == "x"}
    contents = _row_hashes(inputs)
    unit = labels.get("group") or labels.get("id") or contents
    return Examples(columns, ids, unit, contents)


def split(examples: Examples, shares: Mapping[str, float], seed: int) -> dict[str, Rows]:
    """Which rows go into which part, by a hash of each unit; sizes are approximate.

    The shares are fractions that sum to 1.

    Returns:
        For each part with a share above 0, its row numbers, int64, in the order of the ids.

    Raises:
        UserError: a part with a share above 0 received no example.
    """
    bounds: list[tuple[str, int]] = []
    total = Fraction(0)
    for name, share in sorted(shares.items()):
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
