"""Blocks: tensors that are read block by block, so that their size does not matter.

Synopsis:
    tensor = BlockedTensor(dataset.shape, dataset.dtype, lambda block: dataset[block])
    for block in blocks(tensor.shape, tensor.dtype.itemsize): tensor.read(block)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

_BLOCK = 1 << 25
"""In bytes: how much of a tensor is in memory at once."""

Read = Callable[[tuple[slice, ...]], Any]
"""Gives one block of a tensor, as an array."""


class BlockedTensor:
    """A tensor that is read in blocks."""

    def __init__(self, shape: Any, dtype: Any, read: Read) -> None:
        self.shape: tuple[int, ...] = tuple(int(size) for size in shape)
        self.dtype = dtype
        self.read = read


def library(name: str) -> Any:
    """A module of the user's Python, whatever it has; ModuleNotFoundError where it has it not."""
    return importlib.import_module(name)


def of_array(array: Any) -> BlockedTensor:
    """An array in memory, or mapped to it."""
    return BlockedTensor(array.shape, array.dtype, lambda block: array[block] if block else array)


def blocks(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """The slices that cut a tensor into blocks of whole rows, or of parts of a row if need be."""
    whole, size = len(shape), max(itemsize, 1)
    while whole and size * shape[whole - 1] <= _BLOCK:
        whole -= 1
        size *= shape[whole]
    if not whole:
        yield tuple(slice(0, length) for length in shape)
        return
    step = max(1, _BLOCK // max(size, 1))
    cut = shape[whole - 1]
    inner = tuple(slice(0, length) for length in shape[whole:])
    for outer in product(*(range(length) for length in shape[: whole - 1])):
        head = tuple(slice(index, index + 1) for index in outer)
        for start in range(0, cut, step):
            yield (*head, slice(start, min(start + step, cut)), *inner)
