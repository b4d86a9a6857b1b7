"""TF dataset: a tf.data.Dataset taken into arrays, if it ends and gives the same examples twice.

In which order they come does not matter: they are stored in the order of their ids.

Synopsis:
    if is_stream(returned):
        columns = collected(returned, intake)      # {"x": …, "y": …}
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np

from repro.arrays.array import refuse_undense
from repro.arrays.intake import Intake
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError
from repro.core.text import counted

_SILENT = 10.0
"""Seconds of reading without a line."""
_ENDLESS, _UNKNOWN = -1, -2
_COLUMNS = ("x", "y", "sample_weight")


def is_stream(value: Any) -> bool:
    """Whether it is a tf.data.Dataset."""
    if "tensorflow" not in sys.modules:
        return False  # nothing of TensorFlow's can have been made

    import tensorflow as tf

    return isinstance(value, tf.data.Dataset)


def collected(stream: Any, intake: Intake) -> dict[str, Any]:
    """The columns of a tf.data.Dataset as arrays; one that comes in batches is unbatched.

    Raises:
        UserError: it has no end, another form, or differs when it is read again.
    """
    import tensorflow as tf

    for spec in tf.nest.flatten(stream.element_spec):
        refuse_undense("elements of the tf.data.Dataset", type(spec).__name__)
    _check_end(stream)
    batched = _is_batched(stream)
    elements = [*_elements(stream, batched, intake)]
    if not elements:
        raise UserError(
            "Expected a tf.data.Dataset with at least one example. Received an empty one. Return "
            "some."
        )
    _check_again(stream, elements, batched)
    columns = _named(_joined(elements, batched))
    if batched:
        rows = sum(len(_parts(element)[0]) for element in elements)
        intake.say(
            f"The tf.data.Dataset comes in batches: {rows} rows in {len(elements)} "
            f"elements were taken as {counted(rows, 'example')}."
        )
    return columns


def _parts(element: Any) -> list[Any]:
    import tensorflow as tf

    return tf.nest.flatten(element)


def _input(stream: Any) -> Any:
    """What a step of a pipeline reads, where that is one dataset; else None."""
    found: list[Any] = list(stream._inputs()) if hasattr(stream, "_inputs") else []
    return found[0] if len(found) == 1 else None


def _kind(stream: Any) -> str:
    return type(stream).__name__.lower()


def _check_end(stream: Any) -> None:
    """Refuses what surely never ends, before it is read."""
    node: Any = stream
    while int(node.cardinality()) == _UNKNOWN and "takewhile" not in _kind(node):
        if (node := _input(node)) is None:
            return
    if int(node.cardinality()) == _ENDLESS:
        raise UserError(
            "Expected a tf.data.Dataset that ends. Received an endless one. Leave out `repeat()`."
        )


def _is_batched(stream: Any) -> bool:
    """Whether each element is a batch, by the last step of the pipeline that says so.

    Raises:
        UserError: elements look like batches, and no step makes any.
    """
    import tensorflow as tf

    specs = tf.nest.flatten(stream.element_spec)
    shapes = [getattr(spec, "shape", tf.TensorShape(None)) for spec in specs]
    if not specs or any(shape.rank == 0 for shape in shapes):
        return False
    node: Any = stream
    while node is not None:
        kind = _kind(node)
        if "unbatch" in kind:
            return False
        if "batch" in kind or "groupbywindow" in kind:
            return True
        if "window" in kind:
            return False
        node = _input(node)
    if all(shape.rank and shape[0] is None for shape in shapes):
        raise UserError(
            "Expected a tf.data.Dataset that shows whether its elements are examples or batches. "
            f"Received elements of the form {stream.element_spec}, from a source that may give "
            "either. If they are batches, end it with `.unbatch()`; if each is an example, give "
            "its shape in `output_signature`, or by `tf.ensure_shape`."
        )
    return False


def _elements(stream: Any, batched: bool, intake: Intake) -> Iterator[Any]:
    """The elements as NumPy's, up to the limits; says now and then how far it is."""
    limits, rows, size, said = intake.limits, 0, 0, time.monotonic()
    for element in stream.as_numpy_iterator():
        parts = [np.asarray(part) for part in _parts(element)]
        rows += len(parts[0]) if batched and parts[0].ndim else 1
        size += sum(map(_size, parts))
        if rows > limits.rows or size > limits.mebibytes * 2**20:
            raise UserError(
                f"Expected a tf.data.Dataset that ends within {limits.rows} rows and "
                f"{limits.mebibytes} MiB. Received more. Leave out `repeat()` and what goes on for "
                "ever, or raise `limits` in the configuration."
            )
        if time.monotonic() > said + _SILENT:
            said = time.monotonic()
            intake.say(f"Reading the tf.data.Dataset: {rows} rows, {size // 2**20} MiB so far.")
        yield element


def _size(part: Any) -> int:
    return sum(map(len, part.ravel())) if part.dtype.hasobject else part.nbytes


def _check_again(stream: Any, elements: Sequence[Any], batched: bool) -> None:
    """Refuses a stream that gives other examples when it is read again."""
    again = islice(stream.as_numpy_iterator(), len(elements) + 1)  # one more, to see its end
    if _content(again, batched) != _content(elements, batched):
        raise UserError(
            "Expected the tf.data.Dataset to give the same examples when it is read again, in any "
            "order. Received others. What changes examples at random belongs into `augment`; what "
            "takes some of them (`take`, `skip`, `drop_remainder`) must not come after `shuffle`."
        )


def _content(elements: Iterable[Any], batched: bool) -> tuple[int, int]:
    """How many examples there are, and the sum of their hashes, which no order changes.

    Method: AdHash, of M. Bellare and D. Micciancio, "A New Paradigm for Collision-free Hashing"
    (Eurocrypt 1997).
    """
    count = total = 0
    for element in elements:
        parts = [np.asarray(part) for part in _parts(element)]
        even = batched and parts[0].ndim > 0 and len({part.shape[:1] for part in parts}) == 1
        # What is uneven is refused later, where columns are joined and counted.
        for row in zip(*parts, strict=True) if even else [parts]:
            count, total = count + 1, total + int(sha256_bytes(b"".join(map(_bits, row))), 16)
    return count, total % 2**256


def _bits(cell: Any) -> bytes:
    array = np.asarray(cell)
    # TensorFlow gives text as objects, whose bytes are addresses.
    content = repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()
    return repr((array.dtype.str, array.shape)).encode() + content


def _joined(elements: Sequence[Any], batched: bool) -> Any:
    """All elements as one, each of its arrays with a row for each example."""
    import tensorflow as tf

    def joined(*parts: Any) -> Any:
        whole = np.concatenate(parts) if batched else np.stack(parts)
        return whole.astype(np.bytes_) if whole.dtype.hasobject else whole

    try:
        return tf.nest.map_structure(joined, *elements)
    except ValueError as error:
        raise UserError(
            "Expected every element of the tf.data.Dataset to be one example of one shape. "
            f"Received different shapes ({error}). Unbatch it, and pad or cut the examples."
        ) from error


def _named(whole: Any) -> dict[str, Any]:
    """The columns by name: a tuple is (x, y, sample_weight), as Keras takes it, all else `x`."""
    if isinstance(whole, Mapping) and "x" in whole:
        raise UserError(
            "Expected a tf.data.Dataset of x, (x, y) or (x, y, sample_weight). Received mappings "
            "with `x`, which Keras takes for inputs of that name. Map it to a tuple."
        )
    if not isinstance(whole, tuple):
        return {"x": whole}
    values = cast("tuple[Any, ...]", whole)
    if not 1 <= len(values) <= len(_COLUMNS):
        raise UserError(
            "Expected a tf.data.Dataset of x, (x, y) or (x, y, sample_weight). Received tuples of "
            f"{len(values)}. Map it to that form."
        )
    return dict(zip(_COLUMNS, values, strict=False))
