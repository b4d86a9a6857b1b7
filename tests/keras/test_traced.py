"""The digest that a graph computes is the one defined without TensorFlow, and changes nothing."""

from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from reference_farmhash import farmhash64
from repro.model.instrumented_step import digest
from repro.record.trace import read

DTYPES = ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32",
          "uint32", "int64", "uint64", "bool", "complex64"]  # fmt: skip
# Of each number of bytes at which the method changes, and of many blocks.
SHAPES = [(), (0,), (2, 0, 3), (2, 513), *((size,) for size in range(1, 80))]


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
    return [int(farmhash64(array[None])[0]) for array in arrays]


def unsigned(found: Any) -> int:
    return int.from_bytes(found.numpy().tobytes(), "little")


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_equals_its_definition(dtype: str) -> None:
    import tensorflow as tf

    arrays = [bits(dtype, shape) for shape in SHAPES]
    assert [unsigned(digest(tf.constant(array))) for array in arrays] == reference(arrays)


def test_it_equals_its_definition_in_a_graph_of_unknown_shapes() -> None:
    import tensorflow as tf

    kinds = ["float32", "bool", "float16", "int64"]
    signature = [tf.TensorSpec([None, None], kind) for kind in kinds]
    graph = tf.function(lambda *tensors: [*map(digest, tensors)], input_signature=signature)
    for shape in [(0, 3), (1, 1), (3, 5), (256, 3)]:
        arrays = [bits(kind, shape) for kind in kinds]
        assert [*map(unsigned, graph(*map(tf.constant, arrays)))] == reference(arrays)


def test_text_has_a_digest() -> None:
    import tensorflow as tf

    one, two, again = (unsigned(digest(tf.constant(t))) for t in (["a"], ["b"], ["a"]))
    assert one == again != two


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["graph", "fit"])
def test_looking_at_every_step_changes_no_bit(loop: str, tmp_path: Path) -> None:
    data = e.prepared(tmp_path / "data", e.images, e.NO_VALIDATION)
    experiment = e.code(dataset=e.images, model=e.cnn, augment=e.noise)
    for trace in ("step", "epoch"):
        e.trained(experiment, data, tmp_path / trace, loop=loop, trace=trace)
    steps, epochs = (
        [line for line in read(tmp_path / trace / "trace.jsonl").lines if "step" not in line]
        for trace in ("step", "epoch")
    )
    assert steps == epochs
    assert len(read(tmp_path / "step" / "trace.jsonl").lines) > 2 * len(epochs)
    for file in ("weights.safetensors", "history.csv"):
        assert (tmp_path / "step" / file).read_bytes() == (tmp_path / "epoch" / file).read_bytes()
