"""Dataset: what the user's `dataset` returned, checked, and split by a hash of each id.

Synopsis:
    examples = examples_of(returned)                      # checked columns, ids
    parts = split(examples, {"train": 0.8, ...}, seed)    # name -> rows, in the order of ids

Nothing depends on the order in which examples came: rows are stored in the order of
their ids, and an example's part is a function of its id (or group) and the seed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.arrays.array import Array, dense
from repro.arrays.columns import alike, checked_columns
from repro.arrays.intake import Intake
from repro.arrays.returned import WHOLE, parts_of
from repro.core.canonical_json import canonical
from repro.core.digest import sha256_bytes, sha256_value
from repro.core.errors import UserError

IDS = "sha256-content-v1"
SPLIT = "sha256-split-v1"

Rows = npt.NDArray[np.int64]
Shares = Mapping[str, float] | Mapping[str, Fraction]


@dataclass(frozen=True)
class Examples:
    """Checked columns, each with as many rows; `x` and `y` may be several (`x.left`, …).

    `unit` says which examples must stay together in one part of the split: those of one
    group, or, where neither ids nor groups were given, those with the same `x`; `contents`
    are the hashes of each `x`. `names` are those of the columns of what was a DataFrame, and
    `given` is what the user returned, as it came.
    """

    columns: Mapping[str, Array]
    ids: tuple[str, ...]
    unit: tuple[str, ...]
    contents: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def by_id(self) -> Rows:
        """All rows, in the order of the ids."""
        rows = sorted(range(len(self.ids)), key=self.ids.__getitem__)
        return np.array(rows, np.int64)


def _same_length(columns: Mapping[str, Any]) -> int:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(
            f"Expected the dataset's arrays to have one length. Received {lengths}. "
            "Give each example one row in every array."
        )
    return next(iter(lengths.values()))


def _given(name: str, value: Any, intake: Intake) -> tuple[str, ...]:
    array = dense(name, value, intake)
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


def examples_of(returned: Any, intake: Intake | None = None) -> Examples:
    """Checks what `dataset` returned, where it is one whole or one part.

    Args:
        returned: see `repro.arrays.returned`; optionally with `id`, `group` [n] and
            `sample_weight` [n].

    Returns:
        The columns and ids. Without `id`, an id is the content's hash and its occurrence.

    Raises:
        UserError: a key, dtype, length, id or label is wrong.
    """
    intake = intake or Intake()
    (examples,) = examples_of_parts(parts_of(returned, intake), intake).values()
    return examples


def examples_of_parts(
    given: Mapping[str, Mapping[str, Any]], intake: Intake
) -> dict[str, Examples]:
    """The same of each part, as `repro.arrays.returned.parts_of` returns them.

    Raises:
        UserError: see `examples_of`; or two parts have other columns.
    """
    checked = {name: checked_columns(values, intake) for name, values in given.items()}
    columns = alike(checked, intake)
    return {
        name: _examples(name, values, columns[name], checked[name][1], intake)
        for name, values in given.items()
    }


def _examples(
    part: str, values: Mapping[str, Any], columns: dict[str, Array],
    names: Mapping[str, tuple[str, ...]], intake: Intake,
) -> Examples:  # fmt: skip
    labels = {n: _given(n, values[n], intake) for n in ("id", "group") if n in values}
    if _same_length({**columns, **labels}) == 0:
        where = f" in the part `{part}`" if part != WHOLE else ""
        raise UserError(
            f"Expected at least one example from `dataset`{where}. Received none. Return some."
        )
    if "group" in labels:
        columns["group"] = np.array(labels["group"])
    ids = _unique(labels["id"]) if "id" in labels else _with_occurrence(_row_hashes(columns))
    inputs = {name: column for name, column in columns.items() if name.split(".")[0] == "x"}
    contents = _row_hashes(inputs)
    unit = labels.get("group") or labels.get("id") or contents
    return Examples(columns, ids, unit, contents, names, values)


@dataclass(frozen=True)
class Part:
    """A part of the data: some rows of some examples."""

    examples: Examples
    rows: Rows


def parted(
    given: Mapping[str, Examples], shares: Mapping[str, float], seed: int
) -> dict[str, Part]:
    """The parts by name: those that were given as they are, the others split off `train`.

    What is split keeps the proportions of its shares.

    Args:
        given: as `examples_of_parts` returns it.

    Raises:
        UserError: a part with a share above 0 received no example, or nothing is left for a test.
    """
    source = given.get(WHOLE) or given["train"]
    wanted = {n: Fraction(str(s)) for n, s in shares.items() if n == "train" or n not in given}
    total = sum(wanted.values())
    rows = split(source, {name: share / total for name, share in wanted.items()}, seed)
    whole = {name: Part(each, each.by_id()) for name, each in given.items() if name != WHOLE}
    made = {name: Part(source, chosen) for name, chosen in rows.items()}
    if "test" not in whole | made:
        raise UserError(
            "Expected a part `test`, on which the model is evaluated. Received none from "
            "`dataset`, and 0 as its share. Return one, or give `split.test` a share in the "
            "configuration."
        )
    return {name: (whole | made)[name] for name in shares if name in whole | made}


def split(examples: Examples, shares: Shares, seed: int) -> dict[str, Rows]:
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
    in_order: list[int] = examples.by_id().tolist()
    for row in in_order:
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
