"""The digest that a graph computes is the one that is defined without TensorFlow."""

from typing import Any

import numpy as np
import pytest
from repro.core.digest import BLOCK, multilinear64, words_of
from repro.model.traced import digests

DTYPES = ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32",
          "uint32", "int64", "uint64", "bool", "complex64"]  # fmt: skip
SHAPES = [(), (0,), (1,), (3,), (5, 7), (BLOCK,), (BLOCK + 1,), (2, 0, 3), (4 * BLOCK + 3,)]


def bits(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Random bits, so NaN, infinities and negative zeros are among them."""
    import tensorflow as tf

    kind = tf.dtypes.as_dtype(dtype).as_numpy_dtype
    random = np.random.default_rng(len(shape))
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    size = np.dtype(kind).itemsize
    count = int(np.prod(shape))
    return np.frombuffer(random.bytes(size * count), kind).reshape(shape)


def reference(arrays: list[np.ndarray]) -> list[int]:
    return [multilinear64(words_of(array)) for array in arrays]


def unsigned(found: Any) -> list[int]:
    return [int(value) % 2**64 for value in found.numpy()]


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_equals_its_definition(dtype: str) -> None:
    import tensorflow as tf

    arrays = [bits(dtype, shape) for shape in SHAPES]
    tensors = [tf.constant(array) for array in arrays]
    assert unsigned(digests(tensors)) == reference(arrays)


def test_it_equals_its_definition_in_a_graph_of_unknown_shapes() -> None:
    import tensorflow as tf

    kinds = ["float32", "bool", "float16", "int64"]
    signature = [tf.TensorSpec([None, None], kind) for kind in kinds]
    graph = tf.function(lambda *tensors: digests(tensors), input_signature=signature)
    for shape in [(0, 3), (1, 1), (3, 5), (BLOCK, 3)]:
        arrays = [bits(kind, shape) for kind in kinds]
        assert unsigned(graph(*map(tf.constant, arrays))) == reference(arrays)


def test_text_has_a_digest() -> None:
    import tensorflow as tf

    one, two, again = (digests([tf.constant(t)]).numpy()[0] for t in (["a"], ["b"], ["a"]))
    assert one == again != two
