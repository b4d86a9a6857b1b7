"""Array: one column of what a user returned, as a plain array with a row for each example.

Synopsis:
    dense("x", value, intake)         # numbers, truth values or fixed-width text

Frames, sparse matrices, masked arrays, tensors and text in objects are taken or refused here, each
with a sentence; pandas, SciPy and TensorFlow are recognised, and never imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.arrays.intake import Intake
from repro.arrays.nested import is_frame, joined, leaves
from repro.core.errors import UserError

Array = npt.NDArray[Any]
_KINDS = "biufcSU"
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def arrays_of(
    name: str, value: Any, examples: int | None, intake: Intake
) -> tuple[dict[str, Array], dict[str, tuple[str, ...]]]:
    """The arrays of a structure by flat name; and of what was a DataFrame, its columns' names.

    A DataFrame of numbers is one array [examples, columns], any other a mapping of its columns.

    Raises:
        UserError: see `dense` and `repro.arrays.nested.leaves`.
    """
    arrays: dict[str, Array] = {}
    names: dict[str, tuple[str, ...]] = {}
    for path, leaf in leaves(name, value, examples):
        if not is_frame(leaf):
            arrays[path] = dense(path, leaf, intake)
            continue
        columns = _columns(path, leaf, intake)
        names[path] = tuple(columns)
        if all(column.dtype.kind not in "SU" for column in columns.values()):
            arrays[path] = np.stack(list(columns.values()), axis=1)
        else:
            arrays |= {name: columns[key] for key, name in joined(path, columns).items()}
    return arrays, names


def dense(name: str, value: Any, intake: Intake) -> Array:
    """The array that a value is, little-endian; a memory-mapped one stays as it is.

    Raises:
        UserError: it is none, has rows of several shapes, or cells that no file can hold.
    """
    array = _checked(name, _plain(name, _dense(name, value, intake), intake))
    labels = name.split(".")[0] in ("y", "sample_weight") and array.dtype.kind in "fc"
    if labels and (count := int((~np.isfinite(array)).sum())):
        raise UserError(
            f"Expected finite numbers in `{name}` of the dataset. Received {count} NaN or "
            "infinite value(s). Remove or mend those examples."
        )
    # One order of bytes, whatever the source had: bits, ids and TensorFlow depend on it.
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _columns(name: str, frame: Any, intake: Intake) -> dict[str, Array]:
    names = [str(each) for each in frame.columns]
    if len(set(names)) != len(names) or not names:
        twice = next((each for each in names if names.count(each) > 1), None)
        raise UserError(
            f"Expected columns of different names in the DataFrame `{name}`. Received "
            f"{f'{twice!r} more than once' if names else 'none'}. Mend it in `dataset`."
        )
    return {
        each: dense(f"{name}.{each}", frame.iloc[:, place], intake)
        for place, each in enumerate(names)
    }


def _dense(name: str, value: Any, intake: Intake) -> Any:
    """What a value is, without the ways of saying that most of it is nothing."""
    if hasattr(value, "toarray") and hasattr(value, "nnz"):  # SciPy's sparse ones
        rows, columns = value.shape
        intake.check_size(name, rows * columns * np.dtype(value.dtype).itemsize)
        intake.say(f"`{name}` is a sparse matrix: it is stored dense, {rows} by {columns}.")
        return value.toarray()
    refuse_undense(f"`{name}` of the dataset", type(value).__name__)
    if isinstance(value, np.ma.MaskedArray):
        masked = cast("np.ma.MaskedArray[Any, Any]", value)
        if count := int(np.ma.getmaskarray(masked).sum()):
            raise UserError(
                f"Expected `{name}` of the dataset to have a value in each cell. Received a masked "
                f"array with {count} masked value(s). Fill them by `.filled(…)`, or remove those "
                "examples."
            )
        return masked.data
    if hasattr(value, "iloc"):
        return value.to_numpy()
    if isinstance(value, list | tuple):
        for each in cast("Sequence[Any]", value):
            if isinstance(each, np.ma.MaskedArray):  # NumPy would take what is under the mask
                _dense(name, each, intake)
    return cast("Any", value)


def refuse_undense(what: str, kind: str) -> None:
    """Refuses TensorFlow's tensors that have no value in each cell.

    Args:
        what: has them, fit to follow "Expected".
        kind: the name of the class, or of the class of its specification.

    Raises:
        UserError: it is such a one.
    """
    for name, how in (
        ("SparseTensor", "tf.sparse.to_dense"), ("RaggedTensor", "tensor.to_tensor(shape=…)"),
    ):  # fmt: skip
        if kind.startswith(name):
            raise UserError(
                f"Expected dense arrays as {what}. Received a tf.{name}. Make it dense by `{how}`."
            )


def _plain(name: str, value: Any, intake: Intake) -> Array:
    try:
        array: Array = np.asanyarray(value)  # keeps a memory-mapped array as it is
    except ValueError as error:
        raise UserError(
            f"Expected `{name}` of the dataset to be an array. Received rows of different "
            "shapes. Pad or cut them to one shape."
        ) from error
    if isinstance(array, np.ma.MaskedArray):
        return _plain(name, _dense(name, array, intake), intake)  # made of masked rows
    if array.dtype.kind == "T":  # NumPy's text of any width
        array = array.astype(object)
    return _of_objects(name, array, intake) if array.dtype.hasobject and array.ndim else array


def _of_objects(name: str, array: Array, intake: Intake) -> Array:
    """Text and numbers that stand in an array of objects, in one of their own kind."""
    cells: Sequence[Any] = array.ravel().tolist()
    missing = sum(map(_is_missing, cells))
    if missing and missing < len(cells):
        raise UserError(
            f"Expected `{name}` of the dataset to have a value in each cell. Received {missing} "
            "missing value(s) among objects (None, NaN or NA). Fill them, or remove those examples."
        )
    for kind in (str, bytes, _NUMBERS):
        if cells and all(isinstance(cell, kind) for cell in cells):
            if kind is not _NUMBERS:  # the longest decides how much each takes
                intake.check_size(name, 4 * len(cells) * max(map(len, cells)))
            return np.array(cells).reshape(array.shape)
    return array


def _is_missing(cell: Any) -> bool:
    nan = isinstance(cell, float) and cell != cell
    return cell is None or nan or type(cell).__name__ in ("NAType", "NaTType")


def _checked(name: str, array: Array) -> Array:
    if array.dtype.kind not in _KINDS or array.ndim == 0:
        raise UserError(
            f"Expected `{name}` of the dataset to be an array of numbers, truth values or text "
            f"with one row for each example. Received dtype {array.dtype}, shape {array.shape}. "
            "Convert it."
        )
    return array
