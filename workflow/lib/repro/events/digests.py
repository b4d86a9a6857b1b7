"""Digests: a variable's or a batch's bytes in 16 digits, without a change to anything.

Synopsis:
    Digester().of_variables(variables)       # one after the other

Small ones by SHA-256, cut; large ones by FarmHash64, as TensorFlow has it, which is several times
as fast. Both depend on every bit and its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

LENGTH = 16
"""Hexadecimal digits of a digest."""
_LARGE = 96 * 2**10  # bytes; from here on FarmHash64 takes less time, with what it takes to call it

_PLAIN = "fiu"
"""Kinds of types, by NumPy's letters, whose arrays are hashed as they are."""


class Digester:
    """Takes digests with what the user's TensorFlow has; no graph and no seed is touched."""

    def __init__(self) -> None:
        tensorflow: Any = import_module("tensorflow")
        eager, ops = "tensorflow.python.eager", "tensorflow.python.ops"
        self._arrays: Any = import_module(f"{ops}.gen_array_ops")
        self._read: Any = import_module(f"{ops}.gen_resource_variable_ops").read_variable_op
        self._execute: Any = import_module(f"{eager}.execute").execute
        self._context: Any = import_module(f"{eager}.context").context()
        self._bytes: Any = tensorflow.uint8
        # Made once: of a Python value, TensorFlow makes a tensor at each call, which takes longer.
        self._flat: Any = tensorflow.constant([1, -1])
        self._method: Any = tensorflow.constant("farmhash64")
        self._joined = self._together = True

    def of_variables(self, *groups: Sequence[Any]) -> str:
        """Of several `tf.Variable` that exist eagerly; another group may be on another device."""
        every = [variable for group in groups for variable in group]
        if self._joined and len(groups) > 1:
            try:
                return self._of_tensors(self._at_once(every))
            except Exception:
                self._joined = False
        return "".join(self._of_tensors(self._values(group)) for group in groups)

    def _values(self, variables: Sequence[Any]) -> list[Any]:
        if self._together and len(variables) > 1:
            try:
                return self._at_once(variables)
            except Exception:
                self._together = False
        return [self._read(variable.handle, variable.dtype) for variable in variables]

    def _at_once(self, variables: Sequence[Any]) -> list[Any]:
        """By one operation, since most of what an operation takes is to call it."""
        kinds = tuple([variable.dtype.as_datatype_enum for variable in variables])
        handles = [variable.handle for variable in variables]
        attributes = ("N", len(handles), "dtypes", kinds)
        return self._execute(b"_ReadVariablesOp", len(handles), handles, attributes, self._context)

    def _of_tensors(self, tensors: Sequence[Any]) -> str:
        """As `of_tensor` of each, without what a call takes for each small one of usual type."""
        sha256 = hashlib.sha256
        arrays = [tensor._numpy_internal() for tensor in tensors]
        found = [
            sha256(array).hexdigest()[:LENGTH]
            if array.nbytes < _LARGE and array.dtype.kind in _PLAIN
            else self.of_tensor(tensor)
            for array, tensor in zip(arrays, tensors)
        ]
        return "".join(found)

    def of_tensor(self, tensor: Any) -> str:
        """Of an eager tensor."""
        array = tensor._numpy_internal()
        if array.dtype.hasobject:
            return of_array(array)
        if array.nbytes >= _LARGE:
            with suppress(Exception):  # a type that TensorFlow cannot see as bytes
                return self._by_tensorflow(tensor)
        try:
            return hashlib.sha256(array).hexdigest()[:LENGTH]
        except (BufferError, TypeError, ValueError):  # a type that NumPy does not know by itself
            return of_array(array)

    def _by_tensorflow(self, tensor: Any) -> str:
        raw = self._arrays.bitcast(tensor, self._bytes)
        row = self._arrays.reshape(raw, self._flat)
        return self._arrays.fingerprint(row, self._method).numpy().tobytes().hex()

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
            if hasattr(value, "_numpy_internal"):
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
