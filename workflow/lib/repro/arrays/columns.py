"""Columns: what stands under `x`, `y` and `sample_weight`, as arrays by flat name.

Synopsis:
    columns, names = checked_columns({"x": x, "y": y}, intake)
    alike({"train": (columns, names), "test": others}, intake)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from repro.arrays.array import Array, arrays_of
from repro.arrays.intake import Intake
from repro.arrays.nested import holds_arrays, length
from repro.core.errors import UserError

Checked = tuple[dict[str, Array], dict[str, tuple[str, ...]]]
"""Arrays by flat name, and the columns' names of what was a DataFrame."""


def checked_columns(values: Mapping[str, Any], intake: Intake) -> Checked:
    """The arrays of `x`, `y` and `sample_weight` by flat name, and the names in DataFrames.

    Raises:
        UserError: one is missing or no array.
    """
    columns: dict[str, Array] = {}
    names: dict[str, tuple[str, ...]] = {}
    for name in ("x", "y", "sample_weight"):
        if name not in values:
            continue
        value = values[name]
        if value is None or (isinstance(value, Mapping | list | tuple) and not value):
            raise UserError(
                f"Expected `{name}` of the dataset to be an array, or a mapping or sequence of "
                f"arrays. Received {value!r}. Return at least one, or leave out `{name}`."
            )
        others = (length(other) for key, other in values.items() if key != name)
        examples = next(others, None)
        _check_inputs(name, value, examples)
        arrays, named = arrays_of(name, value, examples, intake)
        columns, names = columns | arrays, names | named
    return columns, names


def _check_inputs(name: str, value: Any, examples: int | None) -> None:
    """Refuses a list of arrays that are rather examples than inputs, where nothing else tells."""
    if examples is None and holds_arrays(value) and len(value) > (length(value) or 0):
        raise UserError(
            f"Expected `{name}` of the dataset to be an array, or a list of inputs with a row for "
            f"each example. Received a list of {len(value)} arrays of {length(value)} row(s). If "
            "each is an example, stack them: `np.stack(…)`."
        )


def _form(columns: Mapping[str, Array]) -> dict[str, str]:
    kinds = {"U": "text", "S": "bytes"}
    return {
        name: f"{kinds.get(c.dtype.kind, 'numbers')} of shape {list(c.shape[1:])}"
        for name, c in columns.items()
    }


def _check_names(parts: Mapping[str, Checked]) -> None:
    """Refuses DataFrames that became one array each, of columns that differ in the parts."""
    first = next(iter(parts))
    for part, (arrays, names) in parts.items():
        for name in (name for name in names if name in arrays):
            known = parts[first][1].get(name, names[name])
            for one, other in zip_longest(known, names[name]):
                if one != other:
                    raise UserError(
                        f"Expected the DataFrames `{name}` of the parts `{first}` and `{part}` to "
                        f"have the same columns in the same order. Received {one!r} and {other!r} "
                        "at one place. Select them by name, alike in all parts."
                    )


def alike(checked: Mapping[str, Checked], intake: Intake) -> Mapping[str, dict[str, Array]]:
    """The columns of all parts in the same dtypes, so that the same example has the same bytes.

    Args:
        checked: what `checked_columns` returns of each part.

    Raises:
        UserError: two parts have other columns.
    """
    parts = {name: arrays for name, (arrays, _) in checked.items()}
    first = next(iter(parts))
    for name, columns in parts.items():
        mine, other = _form(parts[first]), _form(columns)
        if mine != other:
            odd = next(key for key in {**mine, **other} if mine.get(key) != other.get(key))
            raise UserError(
                f"Expected the same columns in the parts `{first}` and `{name}` of the dataset. "
                f"Received for `{odd}` {mine.get(odd, 'nothing')} and {other.get(odd, 'nothing')}. "
                "Prepare both alike."
            )
    _check_names(checked)
    for key in parts[first]:
        dtypes = {name: columns[key].dtype for name, columns in parts.items()}
        if len({d.kind if d.kind in "US" else d.str for d in dtypes.values()}) > 1:
            whole = np.result_type(*dtypes.values())
            shown = ", ".join(f"{dtype} in `{name}`" for name, dtype in dtypes.items())
            intake.say(f"`{key}` has other types in the parts: {shown}. All are stored as {whole}.")
            for columns in parts.values():
                columns[key] = columns[key].astype(whole)
    return parts
