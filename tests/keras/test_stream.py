"""A tf.data.Dataset is taken whole, if it gives the same twice and has an end."""

from typing import Any

import numpy as np
import pytest
from repro.arrays import tf_dataset
from repro.arrays.intake import Intake
from repro.arrays.returned import parts_of
from repro.core.errors import UserError
from repro.core.parameters import ReadLimits
from repro.data.dataset import examples_of

X, Y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)


def collected(returned: Any, said: list[str] | None = None, **limits: int) -> dict[str, Any]:
    said = [] if said is None else said
    return parts_of(returned, Intake(ReadLimits(**limits), said.append))[""]


def stream(*parts: Any) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(parts)


def refusal(returned: Any, **limits: int) -> str:
    with pytest.raises(UserError) as error:
        collected(returned, **limits)
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


def test_text_is_taken() -> None:
    found = collected(stream(np.array(["a", "longer"] * 5), Y))
    assert found["x"].tolist() == [b"a", b"longer"] * 5
    rows = np.array([["a", "bb"], ["ccc", ""]] * 5)
    assert collected(stream(rows, Y))["x"].tolist() == rows.astype("S").tolist()


@pytest.mark.parametrize("batched", [False, True])
def test_one_that_comes_in_another_order_each_time_is_taken(batched: bool) -> None:
    shuffled = stream(X, Y).shuffle(10)
    found = collected(shuffled.batch(4) if batched else shuffled)
    assert sorted(examples_of(found).ids) == sorted(examples_of({"x": X, "y": Y}).ids)
    texts = np.array([f"text {number}" for number in range(10)])
    assert len(collected(stream(texts, Y).shuffle(10).batch(3))["x"]) == 10


@pytest.mark.parametrize("kind", ["take", "skip", "drop_remainder"])
def test_one_that_gives_some_of_the_shuffled_examples_is_refused(kind: str) -> None:
    shuffled = stream(X, Y).shuffle(10)
    some = shuffled.batch(4, drop_remainder=True) if kind == "drop_remainder" else None
    sentence = refusal(some or getattr(shuffled, kind)(3))
    assert "the same examples when it is read again, in any order" in sentence
    assert f"`{kind}`" in sentence


def test_examples_that_swap_their_labels_are_refused() -> None:
    import tensorflow as tf

    labels = iter([Y, Y[::-1]])

    def some() -> Any:
        yield from zip(X, next(labels), strict=True)

    signature = (tf.TensorSpec([2]), tf.TensorSpec([], tf.int64))
    found = tf.data.Dataset.from_generator(some, output_signature=signature)
    assert "Received others" in refusal(found.batch(4))


def test_one_that_draws_at_random_is_refused() -> None:
    import tensorflow as tf

    def drawn(x: Any) -> Any:
        return x + np.random.default_rng().normal(size=2).astype(np.float32)

    def with_noise(x: Any, y: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(drawn, [x], tf.float32), [2]), y

    noisy = stream(X, Y).map(with_noise)
    assert "belongs into `augment`" in refusal(noisy)


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
    assert "different shapes" in refusal(stream(X, Y).padded_batch(4).map(widened))


def test_batches_with_fewer_labels_than_examples_are_refused() -> None:
    import tensorflow as tf

    found = collected(stream(X, Y).batch(5).map(lambda x, y: (x, y[:2])))
    with pytest.raises(UserError, match=r"to have one length\. Received {'x': 10, 'y': 4}"):
        examples_of(found)

    def count(y: Any) -> Any:
        return np.int64(len(y))

    def counted(x: Any, y: Any) -> Any:
        return x, tf.numpy_function(count, [y], tf.int64)

    assert "one example of one shape" in refusal(stream(X, Y).batch(5).map(counted))


def widened(x: Any, y: Any) -> Any:
    """Batches of which some are wider than others."""
    import tensorflow as tf

    return tf.repeat(x, 1 + tf.cast(y[0] > 0, tf.int32), axis=1), y


BATCHED: dict[str, Any] = {
    "equal batches": lambda found: found.batch(5),
    "a smaller last one": lambda found: found.batch(4),
    "by several threads": lambda found: found.batch(4, num_parallel_calls=2),
    "padded": lambda found: found.padded_batch(4),
    "and mapped": lambda found: found.batch(4).map(lambda x, y: (x, y)).prefetch(1).cache(),
    "batched again": lambda found: found.batch(4).unbatch().batch(3),
    "by length": lambda found: found.bucket_by_sequence_length(lambda x, y: 2, [3], [4, 4]),
}


@pytest.mark.parametrize("kind", BATCHED)
def test_batches_are_taken_apart(kind: str) -> None:
    said: list[str] = []
    found = collected(BATCHED[kind](stream(X, Y)), said)
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["y"], Y)
    assert "comes in batches: 10 rows" in said[0]
    assert "10 examples" in said[0]


def test_batches_that_were_taken_apart_are_examples() -> None:
    said: list[str] = []
    np.testing.assert_array_equal(collected(stream(X, Y).batch(4).unbatch(), said)["x"], X)
    pairs = collected(stream(X, Y).batch(2).map(lambda x, y: (x, y[0])), said)
    np.testing.assert_array_equal(pairs["x"], X.reshape(5, 2, 2))
    assert said == []


def test_what_may_be_examples_or_batches_is_refused() -> None:
    import tensorflow as tf

    def batches() -> Any:
        for _ in range(3):
            yield np.zeros((4, 2), np.float32), np.zeros(4, np.int32)

    signature = (tf.TensorSpec([None, 2]), tf.TensorSpec([None], tf.int32))
    found = tf.data.Dataset.from_generator(batches, output_signature=signature)
    assert "whether its elements are examples or batches" in refusal(found)
    assert len(collected(found.unbatch())["x"]) == 12


def test_windows_of_a_series_are_its_examples() -> None:
    import keras

    series = np.arange(20.0)
    found = keras.utils.timeseries_dataset_from_array(series, series, 3, batch_size=4)
    assert collected(found)["x"].tolist() == [[n, n + 1, n + 2] for n in range(18)]


def endless_generator() -> Any:
    import tensorflow as tf

    def forever() -> Any:
        while True:
            yield np.zeros(2, np.float32), 0

    signature = (tf.TensorSpec([2]), tf.TensorSpec([], tf.int32))
    return tf.data.Dataset.from_generator(forever, output_signature=signature)


def test_what_is_repeated_and_filtered_is_refused_before_it_is_read() -> None:
    import tensorflow as tf

    found = stream(X, Y).repeat()
    for endless in (found.filter(lambda x, y: y > 90), found.filter(lambda x, y: y > 3).batch(4)):
        assert "that ends. Received an endless one" in refusal(endless)
    ends = found.take_while(lambda x, y: tf.cast(y, tf.int64) < 5)
    assert collected(ends)["y"].tolist() == [0, 1, 2, 3, 4]
    assert len(collected(found.take(13))["y"]) == 13


def test_what_goes_on_for_ever_is_refused_at_the_limit() -> None:
    sentence = refusal(endless_generator(), rows=50)
    assert "ends within 50 rows" in sentence
    assert "raise `limits`" in sentence
    wide = stream(np.zeros((40, 2**15)), np.zeros(40))  # 10 MiB
    assert "and 1 MiB. Received more" in refusal(wide, mebibytes=1)
    assert "within 9 rows" in refusal(stream(X, Y).batch(5), rows=9)
    texts = stream(np.array(["a" * 2**15] * 40), np.zeros(40))
    assert "and 1 MiB" in refusal(texts, mebibytes=1)
    assert len(collected(stream(X, Y), rows=10)["x"]) == 10


def test_how_far_the_reading_is_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf_dataset, "_SILENT", -1.0)
    said: list[str] = []
    collected(stream(X, Y), said)
    assert said[-1] == "Reading the tf.data.Dataset: 10 rows, 0 MiB so far."


@pytest.mark.parametrize("change", [-1, 1])
def test_one_that_has_another_length_the_second_time_is_refused(change: int) -> None:
    import tensorflow as tf

    sizes = iter([5, 5 + change])

    def some() -> Any:
        for number in range(next(sizes)):
            yield np.float32(number), number

    signature = (tf.TensorSpec([]), tf.TensorSpec([], tf.int32))
    found = tf.data.Dataset.from_generator(some, output_signature=signature)
    assert "read again, in any order. Received others" in refusal(found)


def test_ragged_and_sparse_elements_are_refused() -> None:
    import tensorflow as tf

    ragged = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[1], [2, 3]]))
    assert "tf.RaggedTensor" in refusal(ragged)
    sparse = tf.data.Dataset.from_tensor_slices(tf.sparse.from_dense(np.eye(3)))
    assert "tf.SparseTensor" in refusal(sparse)


def test_inputs_alone_are_taken() -> None:
    import tensorflow as tf

    np.testing.assert_array_equal(collected(tf.data.Dataset.from_tensor_slices(X))["x"], X)
    named = collected(tf.data.Dataset.from_tensor_slices({"a": X, "b": Y}))
    np.testing.assert_array_equal(named["x"]["b"], Y)
    assert set(named) == {"x"}
    several = collected(tf.data.Dataset.from_tensor_slices(((X, Y),)))
    np.testing.assert_array_equal(several["x"][1], Y)


def test_each_part_may_be_one() -> None:
    import tensorflow as tf

    parts = parts_of((stream(X, Y).batch(4), stream(X[:3], Y[:3])), Intake())
    assert {name: len(part["x"]) for name, part in parts.items()} == {"train": 10, "test": 3}
    three = parts_of((stream(X, Y),) * 3, Intake())
    assert list(three) == ["train", "validation", "test"]
    named = parts_of({"train": stream(X, Y), "test": tf.constant(X)}, Intake())
    assert set(named["test"]) == {"x"}


@pytest.mark.parametrize("kind", ["empty", "mapping", "four parts"])
def test_another_form_is_refused(kind: str) -> None:
    import tensorflow as tf

    streams = {
        "empty": (stream(X, Y).take(0), "at least one example"),
        "mapping": (tf.data.Dataset.from_tensor_slices({"x": X, "y": Y}), "Map it to a tuple"),
        "four parts": (stream(X, Y, Y, Y), "x, (x, y) or (x, y, sample_weight)"),
    }
    found, words = streams[kind]
    assert words in refusal(found)
