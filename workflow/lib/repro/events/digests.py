"""Digests: a variable's or a batch's bytes in 16 digits, without a change to anything.

Synopsis:
    Digester(tensorflow).of_variable(variable)

Small ones by SHA-256, cut; from 16 KiB on by FarmHash64, as TensorFlow has it, which is some
times as fast. Both depend on every bit and its place.
"""

from __future__ import annotations

import hashlib
from typing import Any

LENGTH = 16
"""Hexadecimal digits of a digest."""
_LARGE = 2**14  # bytes


class Digester:
    """Takes digests with what the user's TensorFlow has; no graph and no seed is touched."""

    def __init__(self) -> None:
        from tensorflow.python.ops import gen_array_ops, gen_resource_variable_ops

        self._arrays: Any = gen_array_ops
        self._read: Any = gen_resource_variable_ops.read_variable_op

    def of_variable(self, variable: Any) -> str:
        """Of a `tf.Variable` that exists eagerly."""
        return self.of_tensor(self._read(variable.handle, variable.dtype))

    def of_tensor(self, tensor: Any) -> str:
        """Of an eager tensor."""
        kind = tensor.dtype
        if kind.size and kind.size * tensor.shape.num_elements() >= _LARGE and not kind.is_bool:
            return self._by_tensorflow(tensor)
        return of_array(tensor.numpy())

    def _by_tensorflow(self, tensor: Any) -> str:
        from tensorflow.python.framework import dtypes

        flat = self._arrays.reshape(tensor, [1, -1])
        raw = flat if tensor.dtype.size == 1 else self._arrays.bitcast(flat, dtypes.uint8)
        rows = self._arrays.reshape(raw, [1, -1])
        return self._arrays.fingerprint(rows, "farmhash64").numpy().tobytes().hex()

    def of_values(self, values: Any) -> str | None:
        """Of tensors and arrays within tuples, lists and dictionaries; None where there are none.

        Symbolic tensors, and what is no number or text, are passed over.
        """
        found = hashlib.sha256()
        count = sum(found.update(one.encode()) or 1 for one in self._each(values))
        return found.hexdigest()[:LENGTH] if count else None

    def _each(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            for part in value:  # pyright: ignore[reportUnknownVariableType]
                yield from self._each(part)
        elif isinstance(value, dict):
            for part in value.values():  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
                yield from self._each(part)
        elif hasattr(value, "numpy") and hasattr(value, "dtype") and not hasattr(value, "handle"):
            yield self.of_tensor(value)
        elif hasattr(value, "__array_interface__"):
            yield of_array(value)


def of_array(array: Any) -> str:
    """Of a NumPy array or scalar."""
    import numpy as np

    whole = np.ascontiguousarray(array)
    if whole.dtype.hasobject:
        raw = repr(whole.tolist()).encode()
    else:
        raw = whole.reshape(-1).view(np.uint8).data
    return hashlib.sha256(raw).hexdigest()[:LENGTH]
