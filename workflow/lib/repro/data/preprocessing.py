"""Preprocessing: what the user's `fit_preprocessing` fits on the training part, applied to all.

Synopsis:
    done = preprocessed(code, parts, settings, seeds, intake)
    done.parts["test"].columns          # transformed
    done.fitted                         # {"x": {"mean_": array}}

It sees the training part alone, as `dataset` returned it. What it returns transforms each example
by itself: what would depend on the other rows of a part is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from repro.arrays.array import Array
from repro.arrays.columns import alike, checked_columns
from repro.arrays.fitted import is_layer, values_of
from repro.arrays.intake import Intake
from repro.arrays.nested import length, mapped
from repro.core.canonical_json import Json
from repro.core.errors import UserError
from repro.core.parameters import ReadLimits
from repro.core.seeding import Seeds
from repro.data.dataset import Examples, Part, Rows
from repro.data.user_code import Code

FUNCTION = "fit_preprocessing"
_COLUMNS = ("x", "y", "sample_weight")


@dataclass(frozen=True)
class Preprocessed:
    """The parts, transformed, and what was fitted, by column; `kinds` are what transforms them."""

    parts: Mapping[str, Part]
    kinds: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fitted: Mapping[str, Any] = field(default_factory=dict[str, Any])


def preprocessed(
    code: Code,
    parts: Mapping[str, Part],
    settings: Mapping[str, Json],
    seeds: Seeds,
    intake: Intake,
) -> Preprocessed:
    """The parts as the user's `fit_preprocessing` makes them; unchanged where there is none.

    Raises:
        UserError: the function fails, or what it returns is nothing that transforms every part.
    """
    function = code.function(FUNCTION)
    if function is None:
        return Preprocessed(parts)
    given = {name: _given(part) for name, part in parts.items()}
    with code.blamed(FUNCTION):
        returned = function(deepcopy(given["train"]), deepcopy(dict(settings)), seeds)
    transforms = _checked(returned, given["train"])
    changed: dict[str, dict[str, Any]] = {}
    with code.blamed(FUNCTION):
        for name, values in given.items():
            changed[name] = dict(values)
            for column, transform in transforms.items():
                changed[name][column] = _transformed(
                    name, column, transform, values[column], intake.limits
                )
    columns = {name: checked_columns(values, intake) for name, values in changed.items()}
    arrays = alike(columns, intake)
    made = {
        name: _replaced(
            part, arrays[name], _names(part, arrays[name], columns[name][1], transforms)
        )
        for name, part in parts.items()
    }
    kinds = {name: _kind(transform) for name, transform in transforms.items()}
    fitted = {name: values_of(transform) for name, transform in transforms.items()}
    for name in (name for name, values in fitted.items() if not values):
        intake.say(f"What transforms `{name}` shows no values that it was fitted to.")
    return Preprocessed(made, kinds, fitted)


def _given(part: Part) -> dict[str, Any]:
    """The rows of a part in the form in which `dataset` returned them."""
    given = part.examples.given
    size = len(part.examples.ids)

    def rows(value: Any) -> Any:
        return _taken(value, part.rows)

    return {name: mapped(rows, given[name], size) for name in _COLUMNS if name in given}


def _taken(value: Any, rows: Rows) -> Any:
    """Some rows of an array, a frame or a column of one, numbered again."""
    if hasattr(value, "iloc"):
        return value.iloc[rows].reset_index(drop=True)
    if hasattr(value, "tocsr"):
        return value.tocsr()[rows]
    return np.asanyarray(value)[rows]


def _checked(returned: Any, train: Mapping[str, Any]) -> dict[str, Any]:
    form = f"`{FUNCTION}` to return a mapping of {', '.join(train)} to what transforms them"
    if not isinstance(returned, Mapping):
        raise UserError(
            f"Expected {form}. Received {type(returned).__name__}. Return such as {{'x': scaler}}."
        )
    transforms = cast("Mapping[str, Any]", returned)
    if odd := [name for name in transforms if name not in train]:
        raise UserError(f"Expected {form}. Received one of {odd[0]!r}. Remove it.")
    return dict(transforms)


def _applied(transform: Any, value: Any) -> Any:
    """What a transformation makes of an array, or each of a mapping of those of its own part."""
    if isinstance(transform, Mapping):
        inner = cast("Mapping[Any, Any]", transform)
        if not isinstance(value, Mapping) or not set(inner) <= set(cast("Any", value)):
            shown = ", ".join(map(str, inner))
            raise UserError(
                f"Expected `{FUNCTION}` to return one transformation for what is one array, or a "
                f"mapping with the names of its parts. Received one of {shown}. Return as "
                "`dataset` does."
            )
        named = cast("Mapping[Any, Any]", value)
        return {k: _applied(inner[k], v) if k in inner else v for k, v in named.items()}
    if callable(getattr(transform, "transform", None)):
        return transform.transform(value)
    if callable(transform):
        return transform(_fed(value) if is_layer(transform) else value)
    raise UserError(
        f"Expected what `{FUNCTION}` returns to be callable, or to have a method `transform`. "
        f"Received {type(transform).__name__}. Return a function, a layer or a transformer."
    )


def _fed(value: Any) -> Any:
    """As a Keras layer takes it: text as objects, frames as arrays."""

    def array(leaf: Any) -> Any:
        found = leaf.to_numpy() if hasattr(leaf, "iloc") else np.asarray(leaf)
        return found.astype(object) if found.dtype.kind in "US" else found

    return mapped(array, value)


def _transformed(part: str, column: str, transform: Any, before: Any, limits: ReadLimits) -> Any:
    """What a transformation makes of a column of a part.

    Raises:
        UserError: it makes more or fewer rows, or others of the first half alone.
    """
    count = length(before) or 0
    rows: Rows = np.arange(-(-count // 2), dtype=np.int64)
    half = None
    if part != "train":  # it was fitted on those, and each other part is looked at
        # Taken before the whole is: the user's function may write into what it is given.
        half = mapped(lambda leaf: _taken(leaf, rows), before, count)
    after = _applied(transform, before)
    if length(after) != count:
        raise UserError(
            f"Expected what `{FUNCTION}` returns for `{column}` to make one row of each. Received "
            f"{length(after)} of {count} in `{part}`. Leave out no example there."
        )
    if half is not None:
        _check_rows(part, column, after, _applied(transform, half), limits)
    return after


def _check_rows(part: str, column: str, after: Any, half: Any, limits: ReadLimits) -> None:
    """Refuses what makes other rows of the first half of a part alone."""
    quiet = Intake(limits)
    whole, some = (checked_columns({"x": each}, quiet)[0] for each in (after, half))
    count = length(half) or 0
    if not all(_same(array[:count], some.get(name)) for name, array in whole.items()):
        raise UserError(
            f"Expected what `{FUNCTION}` returns for `{column}` to transform each example by "
            f"itself. Received other values, or another shape, for the first {count} of "
            f"`{part}` alone than among all. Fit it there (a mean, a vocabulary, a length), and "
            "only apply it."
        )


def _same(one: Array, other: Array | None) -> bool:
    """Whether two arrays are alike but for rounding."""
    if other is None or one.shape != other.shape:
        return False
    if one.dtype.kind not in "fc":
        return bool((one == other).all())
    tolerance = float(np.finfo(one.dtype).eps) ** 0.5
    return bool(np.isclose(one, other, tolerance, tolerance, equal_nan=True).all())


def _names(
    part: Part, columns: Mapping[str, Array], names: Mapping[str, tuple[str, ...]],
    transforms: Mapping[str, Any],
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """The names of columns that a transformation of a DataFrame gives back as an array."""
    found = dict(names)
    for column, before in part.examples.names.items():
        array = columns.get(column)
        if column in found or array is None or array.ndim != 2:
            continue
        told: Callable[[], Sequence[object]] | None = getattr(
            transforms.get(column), "get_feature_names_out", None
        )
        after = before
        if told:
            after = ()
            with suppress(Exception):  # scikit-learn raises where a step of a pipeline knows none
                after = tuple(map(str, told()))
        if len(after) == array.shape[1]:
            found[column] = after
    return found


def _replaced(part: Part, columns: dict[str, Array], names: Mapping[str, tuple[str, ...]]) -> Part:
    """The part with other columns; ids and groups stay, those of what `dataset` returned."""
    examples, rows = part.examples, part.rows

    places: list[int] = rows.tolist()

    def chosen(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(values[place] for place in places)

    if "group" in examples.columns:
        columns["group"] = examples.columns["group"][rows]
    made: Examples = replace(
        examples, columns=columns, names=names, given={}, ids=chosen(examples.ids),
        unit=chosen(examples.unit), contents=chosen(examples.contents),
    )  # fmt: skip
    return Part(made, np.arange(len(rows), dtype=np.int64))


def _kind(transform: Any) -> Any:
    """What a transformation is, in a word, as the manifest tells it."""
    if isinstance(transform, Mapping):
        inner = cast("Mapping[Any, Any]", transform)
        return {str(key): _kind(value) for key, value in inner.items()}
    name = getattr(transform, "__name__", None)
    return f"function {name}" if isinstance(name, str) else type(transform).__name__
