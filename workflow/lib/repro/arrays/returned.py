"""Returned: which parts and columns the user's `dataset` returned, in any of the usual shapes.

Synopsis:
    parts_of(((x_train, y_train), (x_test, y_test)), intake)
    # {"train": {"x": x_train, "y": y_train}, "test": {"x": x_test, "y": y_test}}
    parts_of((x, y), intake)
    # {"": {"x": x, "y": y}}, of which parts are to be made
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from repro.arrays.intake import Intake
from repro.arrays.nested import holds_arrays, is_array, length
from repro.arrays.tf_dataset import collected, is_stream
from repro.core.errors import UserError

PARTS = ("train", "validation", "test")
COLUMNS = ("x", "y", "id", "group", "sample_weight")
WHOLE = ""
"""The name of what is no part, but to be split."""
_FED = ("x", "y", "sample_weight")
_FORMS = (
    "a mapping with `x` and, where there are labels, `y`; (x, y); a tf.data.Dataset; or such parts "
    "as {'train': …, 'test': …}"
)


def parts_of(returned: Any, intake: Intake) -> dict[str, dict[str, Any]]:
    """The columns of each part that was given; those of `WHOLE` where none was.

    Raises:
        UserError: it has another form, or one that could mean two things.
    """
    given = _given_parts(returned)
    if given is None:
        return {WHOLE: _columns(returned, "", intake)}
    if "train" not in given:
        raise UserError(
            f"Expected a part `train` from `dataset`. Received {', '.join(given)} alone. Return it "
            "too: `validation` and `test` are split off it where they are not given."
        )
    return {name: _columns(given[name], f" part `{name}` of", intake) for name in given}


def _given_parts(returned: Any) -> dict[str, Any] | None:
    """The parts by name, in the order of `PARTS`; None where there is but one whole."""
    if isinstance(returned, Mapping):
        named = cast("Mapping[Any, Any]", returned)
        if not set(PARTS) & set(named):
            return None
        if odd := [name for name in named if name not in PARTS]:
            raise UserError(
                f"Expected only {', '.join(PARTS)} beside one another from `dataset`. Received "
                f"{odd[0]!r} as well. Rename or remove it."
            )
        return {name: named[name] for name in PARTS if named.get(name) is not None}
    if not isinstance(returned, tuple):
        return None
    values = cast("tuple[Any, ...]", returned)
    if len(values) not in (2, 3) or not (all(map(is_stream, values)) or _are_pairs(values)):
        return None
    return dict(zip(("train", "test") if len(values) == 2 else PARTS, values, strict=True))


def _are_pairs(values: Sequence[Any]) -> bool:
    """Whether these are (x, y) of several parts, and not several inputs and several labels."""
    pairs = [isinstance(each, tuple) or holds_arrays(each) for each in values]
    if not all(pairs) or any(len(each) not in (2, 3) for each in values):
        return False
    lengths = [{length(column) for column in pair} for pair in values]
    if any(len(each) != 1 or None in each for each in lengths):
        return False
    counts = {count for each in lengths for count in each}
    if len(counts) > 1:
        return True
    raise UserError(
        "Expected `dataset` to return what means one thing. Received a tuple of tuples of arrays "
        f"that all have {counts.pop()} rows: (x, y) of several parts, or several inputs and "
        "labels. Return {'train': (x, y), 'test': (x, y)}, or {'x': …, 'y': …}."
    )


def _columns(value: Any, of: str, intake: Intake) -> dict[str, Any]:
    """The columns of one part; `of` names it in a sentence."""
    if is_stream(value):
        return collected(value, intake)
    if isinstance(value, Mapping):
        return _named(cast("Mapping[Any, Any]", value), of)
    if isinstance(value, tuple) or holds_arrays(value):
        values = cast("Sequence[Any]", value)
        if 1 <= len(values) <= 3 and all(each is not None for each in values):
            return dict(zip(_FED, values, strict=False))
    elif is_array(value):
        return {"x": value}
    raise UserError(
        f"Expected{of} `dataset` to return {_FORMS}. Received {_shown(value)}. Return one of those."
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(cast('tuple[Any, ...]', value))}"
    return type(value).__name__


def _named(values: Mapping[Any, Any], of: str) -> dict[str, Any]:
    if "x" not in values:
        shown = sorted(map(str, values)) or "an empty one"
        raise UserError(
            f"Expected{of} `dataset` to return {_FORMS}. Received a mapping of {shown}. Return one "
            "of those."
        )
    if extra := sorted(set(map(str, values)) - set(COLUMNS)):
        raise UserError(
            f"Expected only {', '.join(COLUMNS)} from `dataset`. Received `{extra[0]}`. Remove it."
        )
    if values.get("sample_weight") is not None and "y" not in values:
        raise UserError(
            "Expected `sample_weight` from `dataset` beside `y`, as Keras takes it. Received it "
            "beside `x` alone. Return `y` too, or weigh the loss in the model."
        )
    return {name: values[name] for name in COLUMNS if _meant(name, values)}


def _meant(name: str, values: Mapping[Any, Any]) -> bool:
    """Whether a column is there: None stands for one that is not, where it need not be."""
    return name in values and (name in ("x", "y") or values[name] is not None)
