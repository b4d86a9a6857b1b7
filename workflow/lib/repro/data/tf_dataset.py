"""TF dataset: a tf.data.Dataset taken into arrays, if it gives the same examples twice.

Synopsis:
    returned = collected(returned)      # other values pass through
"""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np

from repro.core.errors import UserError


def _stacked(*parts: Any) -> Any:
    stacked = np.stack(parts)
    # TensorFlow gives text as objects, whose bytes are addresses.
    return stacked.astype(np.bytes_) if stacked.dtype.hasobject else stacked


def _once(stream: Any) -> dict[str, Any]:
    import tensorflow as tf

    elements = list(stream.as_numpy_iterator())
    first: Any = elements[0] if elements else None
    if not isinstance(first, tuple) or len(cast("tuple[Any, ...]", first)) not in (2, 3):
        shape = type(cast("Any", first)).__name__ if elements else "none: it is empty"
        raise UserError(
            "Expected a tf.data.Dataset of (x, y) or (x, y, sample_weight), one example each. "
            f"Received elements of type {shape}. Map it to that form."
        )
    try:
        stacked = tf.nest.map_structure(_stacked, *elements)
    except ValueError as error:
        raise UserError(
            "Expected every element of the tf.data.Dataset to be one example of one shape. "
            f"Received different shapes ({error}). Unbatch it, and pad or cut the examples."
        ) from error
    return dict(zip(("x", "y", "sample_weight"), stacked, strict=False))


def _bits(columns: dict[str, Any]) -> list[bytes]:
    import tensorflow as tf

    return [np.asarray(part).tobytes() for part in tf.nest.flatten(columns)]


def collected(returned: Any) -> Any:
    """The columns of a tf.data.Dataset as arrays; anything else is handed back as it is.

    Raises:
        UserError: the stream is endless, has another form, or differs when read again.
    """
    if "tensorflow" not in sys.modules:
        return returned  # nothing of TensorFlow's can have been made

    import tensorflow as tf

    if not isinstance(returned, tf.data.Dataset):
        return returned
    if int(returned.cardinality()) == int(tf.data.INFINITE_CARDINALITY):
        raise UserError(
            "Expected a tf.data.Dataset that ends. Received an endless one. Leave out `repeat()`."
        )
    first, second = _once(returned), _once(returned)
    if _bits(first) != _bits(second):
        raise UserError(
            "Expected the tf.data.Dataset to give the same examples in the same order when it is "
            "read again. Received others. Leave out `shuffle` (training shuffles by itself) and "
            "give every random operation a seed from `seeds`."
        )
    return first
