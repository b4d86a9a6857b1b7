"""A tf.data.Dataset is taken whole, if it gives the same twice and has an end."""

from typing import Any

import numpy as np
import pytest
from repro.core.errors import UserError
from repro.data.dataset import examples_of
from repro.data.tf_dataset import collected

X, Y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)


def stream(*parts: Any) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(parts)


def refusal(returned: Any) -> str:
    with pytest.raises(UserError) as error:
        collected(returned)
    return str(error.value)


def test_a_stream_becomes_arrays() -> None:
    found = collected(stream(X, Y))
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["y"], Y)
    assert set(found) == {"x", "y"}
    assert found["x"].dtype == X.dtype
    assert examples_of(found).ids == examples_of({"x": X, "y": Y}).ids


def test_weights_and_names_are_kept() -> None:
    found = collected(stream({"a": X, "b": Y}, Y, X[:, 0]))
    np.testing.assert_array_equal(found["x"]["b"], Y)
    np.testing.assert_array_equal(found["sample_weight"], X[:, 0])


def test_anything_else_passes() -> None:
    returned = {"x": X, "y": Y}
    assert collected(returned) is returned


def test_text_is_taken() -> None:
    found = collected(stream(np.array(["a", "longer"] * 5), Y))
    assert found["x"].tolist() == [b"a", b"longer"] * 5
    rows = np.array([["a", "bb"], ["ccc", ""]] * 5)
    assert collected(stream(rows, Y))["x"].tolist() == rows.astype("S").tolist()


def test_a_shuffled_one_is_refused() -> None:
    sentence = refusal(stream(X, Y).shuffle(10))
    assert "the same examples in the same order" in sentence
    assert "Leave out `shuffle`" in sentence


def test_one_that_draws_at_random_is_refused() -> None:
    import tensorflow as tf

    def drawn(x: Any) -> Any:
        return x + np.random.default_rng().normal(size=2).astype(np.float32)

    def with_noise(x: Any, y: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(drawn, [x], tf.float32), [2]), y

    noisy = stream(X, Y).map(with_noise)
    assert "give every random operation a seed" in refusal(noisy)


def test_an_endless_one_is_refused() -> None:
    assert "that ends. Received an endless one" in refusal(stream(X, Y).repeat())


def test_examples_of_other_shapes_are_refused() -> None:
    import tensorflow as tf

    def ragged() -> Any:
        for size in (2, 3):
            yield np.zeros(size, np.float32), 0

    signature = (tf.TensorSpec([None]), tf.TensorSpec([], tf.int32))
    sentence = refusal(tf.data.Dataset.from_generator(ragged, output_signature=signature))
    assert "one example of one shape" in sentence
    assert "different shapes" in refusal(stream(X, Y).batch(4))


@pytest.mark.parametrize("kind", ["one part", "empty", "mapping", "four parts"])
def test_another_form_is_refused(kind: str) -> None:
    import tensorflow as tf

    streams = {
        "one part": tf.data.Dataset.from_tensor_slices(X),
        "empty": stream(X, Y).take(0),
        "mapping": tf.data.Dataset.from_tensor_slices({"x": X, "y": Y}),
        "four parts": stream(X, Y, Y, Y),
    }
    assert "(x, y) or (x, y, sample_weight)" in refusal(streams[kind])
