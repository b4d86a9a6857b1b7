"""Arrays: the files that NumPy alone can read, `.npy`, `.npz` and safetensors.

Synopsis:
    npz(found, "first/a.npz", "second/a.npz")
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import IO, Any

from repro.reader.blocks import BlockedTensor, Read, library, of_array
from repro.reader.tensor_findings import TensorFindings


def npy(found: TensorFindings, left: str, right: str) -> None:
    """Compares two `.npy` files."""
    with open(left, "rb") as one, open(right, "rb") as other:  # noqa: PTH123
        _streams(found, os.path.basename(left), one, other)  # noqa: PTH119


def npz(found: TensorFindings, left: str, right: str) -> None:
    """Compares two `.npz` files by array; what else a member may be, by bytes."""
    with zipfile.ZipFile(left) as one, zipfile.ZipFile(right) as other:
        members, others = (
            {_place(name): name for name in file.namelist()} for file in (one, other)
        )
        for place in found.missing(members, others):
            with one.open(members[place]) as a, other.open(others[place]) as b:
                if members[place].endswith(".npy"):
                    _streams(found, place, a, b)
                else:
                    found.equal(place, a.read(), b.read())


def _place(name: str) -> str:
    return name[:-4] if name.endswith(".npy") else name


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, Any]:
    form = library("numpy.lib.format")
    version = form.read_magic(file)
    if version == (1, 0):
        return form.read_array_header_1_0(file)
    if version in ((2, 0), (3, 0)):
        return form.read_array_header_2_0(file)
    raise ValueError(f"a .npy file of version {version}")


def _streams(found: TensorFindings, place: str, left: IO[bytes], right: IO[bytes]) -> None:
    """Compares two arrays while they are read from start to end."""
    (shape, columns, dtype), (other_shape, other_columns, other_dtype) = map(_header, (left, right))
    if dtype.hasobject or other_dtype.hasobject:
        found.notes.append("pickled objects by bytes")
        found.equal(place, left.read(), right.read())
        return
    one, other = _Sequential(left, dtype).read, _Sequential(right, other_dtype).read
    # Arrays of another shape or dtype are not read. Of one shape, one that is stored by columns
    # is turned in memory, so that its rows are rows and an element has its own index.
    if (shape, dtype) == (other_shape, other_dtype) and len(shape) > 1:
        one = _turned(one, shape) if columns else one
        other = _turned(other, shape) if other_columns else other
    found.compare(
        place, BlockedTensor(shape, dtype, one), BlockedTensor(other_shape, other_dtype, other)
    )


class _Sequential:
    """Gives the blocks of an array in their order, which is the file's."""

    def __init__(self, file: IO[bytes], dtype: Any) -> None:
        self.file = file
        self.dtype = dtype

    def read(self, block: tuple[slice, ...]) -> Any:
        np = library("numpy")
        shape = tuple(part.stop - part.start for part in block)
        size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        parts: list[bytes] = []
        while size:
            part = self.file.read(size)
            if not part:
                raise ValueError("the file ends too early")
            parts.append(part)
            size -= len(part)
        content = parts[0] if len(parts) == 1 else b"".join(parts)
        return np.frombuffer(content, self.dtype).reshape(shape)


def _turned(read: Read, shape: tuple[int, ...]) -> Read:
    """Reads an array that is stored by columns, whole with its first block."""
    loaded: list[Any] = []

    def block(part: tuple[slice, ...]) -> Any:
        if not loaded:
            loaded.append(read(tuple(slice(0, size) for size in shape[::-1])).T)
        return loaded[0][part]

    return block


_SAFETENSORS = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


def safetensors(found: TensorFindings, left: str, right: str) -> None:
    """Compares two safetensors files by tensor, and their metadata.

    The form is the public one: the header's length in 8 bytes, a JSON header, the tensors' bytes.
    NumPy has no bfloat16: of such tensors, bits are compared and distances are those of float32.
    """
    (one, first), (other, second) = map(_safetensors, (left, right))
    found.equal("__metadata__", first, second)
    for name in found.missing(one, other):
        (kind, a), (other_kind, b) = one[name], other[name]
        if kind != other_kind:
            found.add(name, f"dtype {kind}", f"dtype {other_kind}")
        elif kind == "BF16":
            found.compare(name, _bfloat16(a), _bfloat16(b))
        else:
            found.compare(name, of_array(a), of_array(b))


def _safetensors(path: str) -> tuple[dict[str, tuple[str, Any]], Any]:
    np = library("numpy")
    with open(path, "rb") as file:  # noqa: PTH123
        length = int.from_bytes(file.read(8), "little")
        if length > os.fstat(file.fileno()).st_size - 8:
            raise ValueError("the header is longer than the file")
        header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    body = np.memmap(path, "u1", "r", 8 + length) if header else np.zeros(0, "u1")
    tensors: dict[str, tuple[str, Any]] = {}
    for name, entry in sorted(header.items()):
        start, stop = entry["data_offsets"]
        if not 0 <= start <= stop <= len(body):
            raise ValueError("a tensor is longer than the file")
        part, kind = body[start:stop], entry["dtype"]
        unit = _SAFETENSORS.get(kind, "<u2" if kind == "BF16" else "u1")
        shape = entry["shape"] if kind in _SAFETENSORS or kind == "BF16" else [-1]
        tensors[name] = (kind, np.frombuffer(part, unit).reshape(shape))
    return tensors, sorted(metadata.items())


def _bfloat16(array: Any) -> BlockedTensor:
    np = library("numpy")

    def read(block: tuple[slice, ...]) -> Any:
        # A float32 whose last 16 bits are zero; so no two bfloat16 become one.
        return (array[block].astype(np.uint32) << 16).view(np.float32)

    return BlockedTensor(array.shape, np.dtype(np.float32), read)
