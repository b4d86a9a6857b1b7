"""Random numbers that come back at every step are found; fixed projections and tables are not."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.seeding import Seeds, step_seeds
from repro.model.training import built, made
from repro.probe.frozen_randomness import FrozenSource, in_augment, in_step

HERE = Path(__file__).parent
CONSTANT, TRACED, CHOSEN, PLACED = "never changes", "gave them", "chose among", "copies"


def layer(call: Callable[..., Any], name: str = "noise", **attributes: Any) -> Any:
    """A layer that calls `call(layer, x, training)`."""
    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any, training: bool = False) -> Any:
            return call(self, x, training)

    own = Own(name=name)
    for attribute, value in attributes.items():
        setattr(own, attribute, value)
    return own


def stacked(*between: Any) -> Any:
    import keras

    model = keras.Sequential([keras.Input((6,)), *e.layers(*between)])
    return e.compiled(model, optimizer=keras.optimizers.SGD(0.01), metrics=None)


def sources(model: Any, all_change: bool = False, dataset: Any = e.table) -> list[FrozenSource]:
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    arrays = dataset(None, {}, None)
    code = e.code(model=lambda *_: model())
    whole = built(made(code, {}, Seeds(0), Path()), arrays, e.code())
    batch = tuple(tf.constant(arrays[name][:16]) for name in ("x", "y"))
    return in_step(whole, batch, HERE, all_change)


def in_training(noisy: Callable[[Any], Any]) -> Callable[..., Any]:
    """A layer's call that adds noise in training alone."""
    return lambda _layer, x, training: x + noisy(x) if training else x


def normal(x: Any) -> Any:
    import keras

    return keras.random.normal(keras.ops.shape(x), seed=3)


def dropped(_layer: Any, x: Any, training: bool, **options: Any) -> Any:
    import keras

    return keras.random.dropout(x, 0.5, seed=3, **options) if training else x


def dropped_for_all(own: Any, x: Any, training: bool) -> Any:
    return dropped(own, x, training, noise_shape=(1, 6))


def sampled(_layer: Any, x: Any, _training: bool) -> Any:
    return x + normal(x)


def by_numpy(_x: Any) -> Any:
    return np.random.normal(size=6).astype(np.float32)


def by_seeded_numpy(_x: Any) -> Any:
    return np.random.default_rng(0).normal(size=6).astype(np.float32)


def negated_or_not(_layer: Any, x: Any, training: bool) -> Any:
    return -x if training and random.random() < 0.5 else x


def within_a_function(x: Any) -> Any:
    import tensorflow as tf

    return tf.function(normal)(x)


def within_a_branch(x: Any) -> Any:
    import tensorflow as tf

    return tf.cond(tf.reduce_mean(x) > 0, lambda: normal(x), lambda: tf.zeros_like(x))


def within_a_loop(x: Any) -> Any:
    import tensorflow as tf

    def body(n: Any, total: Any) -> Any:
        return n + 1, total + tf.random.stateless_normal(tf.shape(x), [1, n])

    return tf.while_loop(lambda n, _: n < 3, body, [0, tf.zeros_like(x)])[1]


def by_a_forgotten_variable(own: Any, x: Any, training: bool) -> Any:
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), own.seed.value) if training else x


def forgetful(name: str) -> Any:
    import keras

    seed = keras.Variable(np.array([1, 2], np.int32), trainable=False, dtype="int32")
    return layer(by_a_forgotten_variable, name, seed=seed)


def shuffled(_layer: Any, x: Any, training: bool) -> Any:
    import keras

    return x + 0.1 * keras.random.shuffle(x, seed=1) if training else x


def for_batches_of_16(x: Any) -> Any:
    import keras

    return keras.random.normal((16, 6), seed=1)


def noisy_gradients() -> Any:
    import keras
    import tensorflow as tf

    class Noisy(keras.optimizers.SGD):
        def apply_gradients(self, grads_and_vars: Any, **options: Any) -> Any:
            noisy = [
                (g + 0.01 * tf.random.stateless_normal(tf.shape(g), [0, n]), v)
                for n, (g, v) in enumerate(grads_and_vars)
            ]
            return super().apply_gradients(noisy, **options)

        def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
            noisy = [g + 0.01 * tf.random.stateless_normal(tf.shape(g), [0, 7]) for g in grads]
            return super().apply(noisy, trainable_variables)

    return e.compiled(e.mlp({}, Seeds(0)), optimizer=Noisy(0.01))


def one_latent_batch() -> Any:
    import keras
    import tensorflow as tf

    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            latent = tf.random.stateless_normal([tf.shape(x)[0], 6], [1, 2])
            return super().train_step((x + latent, y))

    inputs = keras.Input((6,))
    return e.compiled(Own(inputs, keras.layers.Dense(2)(inputs)))


FAULTS: dict[str, tuple[Callable[..., Any], str]] = {
    "normal": (in_training(normal), CONSTANT),
    "dropout": (dropped, CONSTANT),
    "columns": (dropped_for_all, CONSTANT),
    "sampled": (sampled, CONSTANT),
    "batch": (lambda _layer, x, _training: x + for_batches_of_16(x), CONSTANT),
    "function": (in_training(within_a_function), CONSTANT),
    "branch": (in_training(within_a_branch), CONSTANT),
    "loop": (in_training(within_a_loop), CONSTANT),
    "shuffled": (shuffled, CONSTANT),
    "numpy": (in_training(by_numpy), TRACED),
    "seeded": (in_training(by_seeded_numpy), TRACED),
}


def test_layers_whose_numbers_come_back_are_found() -> None:
    def model() -> Any:
        layers = [layer(call, f"own_{name}") for name, (call, _) in FAULTS.items()]
        return stacked(*layers, forgetful("own_forgotten"))

    found = sources(model)
    whys = {f"own_{name}": why for name, (_, why) in FAULTS.items()} | {"own_forgotten": CONSTANT}
    assert {source.layer for source in found} == set(whys)
    lines = Path(__file__).read_text().splitlines()
    for source in found:
        assert source.layer is not None
        assert whys[source.layer] in source.why, source
        assert source.file == Path(__file__).name
        assert source.line is not None
        assert re.search(r"random|noisy\(x\)", lines[source.line - 1]), source


@pytest.mark.parametrize("model", [noisy_gradients, one_latent_batch])
def test_steps_whose_numbers_come_back_are_found(model: Callable[[], Any]) -> None:
    found = sources(model)
    assert found
    for source in found:
        assert CONSTANT in source.why
        assert source.layer is None
        assert source.file == Path(__file__).name


def test_a_choice_that_comes_back_is_found() -> None:
    (found,) = sources(lambda: stacked(layer(negated_or_not)))
    assert CHOSEN in found.why


def by_its_generator(own: Any, x: Any, training: bool) -> Any:
    import keras

    return x + keras.random.normal(keras.ops.shape(x), seed=own.generator) if training else x


def globally(x: Any) -> Any:
    import keras

    return keras.random.normal(keras.ops.shape(x))


def stateful(x: Any) -> Any:
    import tensorflow as tf

    return tf.random.normal(tf.shape(x))


def by_tensorflows_generator(own: Any, x: Any, training: bool) -> Any:
    return x + own.generator.normal([6]) if training else x


def of_the_step(x: Any) -> Any:
    import tensorflow as tf

    return tf.random.stateless_normal(tf.shape(x), tf.cast([1, tf.reduce_sum(x) * 1000], tf.int32))


def counted(own: Any, x: Any, training: bool) -> Any:
    import tensorflow as tf

    if not training:
        return x
    own.count.assign_add(1)
    return x + tf.random.stateless_normal(tf.shape(x), tf.stack([7, own.count.value]))


def projected(_layer: Any, x: Any, _training: bool) -> Any:
    import keras

    return keras.ops.cos(x @ (keras.random.normal((6, 6), seed=1) / 6**0.5))


def projected_in_training(_layer: Any, x: Any, training: bool) -> Any:
    import keras

    return x @ (keras.random.normal((6, 6), seed=2) / 6**0.5) if training else x


def projected_by_numpy(_layer: Any, x: Any, _training: bool) -> Any:
    return x @ np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)


def shifted(_layer: Any, x: Any, _training: bool) -> Any:
    import keras

    return x + keras.random.normal((6,), seed=1)


def permuted(_layer: Any, x: Any, _training: bool) -> Any:
    import keras

    return keras.ops.take(x, keras.random.shuffle(keras.ops.arange(6), seed=1), axis=1)


def with_positions(_layer: Any, x: Any, _training: bool) -> Any:
    return x + np.sin(np.arange(6)).astype(np.float32)


def sparse(name: str) -> Any:
    import keras

    class Sparse(keras.layers.Dense):
        def call(self, inputs: Any) -> Any:
            kept = keras.random.uniform((6, 6), seed=2) < 0.3
            return inputs @ (self.kernel * keras.ops.cast(kept, "float32"))

    return Sparse(6, use_bias=False, name=name)


def recurrent() -> Any:
    import keras

    lstm = keras.layers.LSTM(4, dropout=0.2, recurrent_dropout=0.2, seed=1)
    return e.compiled(keras.Sequential([keras.Input((3, 2)), *e.layers(lstm)]))


def attention() -> Any:
    import keras

    inputs = keras.Input((3, 2))
    mixed = keras.layers.MultiHeadAttention(2, 2, dropout=0.2, seed=1)(inputs, inputs)
    mixed = keras.layers.LayerNormalization()(mixed + inputs)
    return e.compiled(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(mixed))))


def random_images() -> Any:
    import keras

    own = keras.layers
    between = [
        own.RandomFlip(seed=1), own.RandomRotation(0.1, seed=2), own.RandomTranslation(0.1, 0.1),
        own.SpatialDropout2D(0.1, seed=3), own.Flatten(),
    ]  # fmt: skip
    return e.compiled(keras.Sequential([keras.Input((6, 6, 1)), *e.layers(*between)]))


CLEAN: dict[str, Callable[..., Any]] = {
    "globally": in_training(globally),
    "stateful": in_training(stateful),
    "of_the_content": in_training(of_the_step),
    "projected": projected,
    "projected_in_training": projected_in_training,
    "projected_by_numpy": projected_by_numpy,
    "shifted": shifted,
    "permuted": permuted,
    "with_positions": with_positions,
}


def clean_layers() -> Any:
    import keras
    import tensorflow as tf

    own = keras.layers
    count = keras.Variable(0, trainable=False, dtype="int32")
    return stacked(
        *[layer(call, name) for name, call in CLEAN.items()],
        layer(by_its_generator, "by_its_generator", generator=keras.random.SeedGenerator(1)),
        layer(by_tensorflows_generator, "own", generator=tf.random.Generator.from_seed(1)),
        layer(counted, "counted", count=count), sparse("sparse"),
        own.Dropout(0.2, seed=1), own.GaussianNoise(0.1, seed=2), own.GaussianDropout(0.1, seed=3),
        own.AlphaDropout(0.1, seed=4), own.BatchNormalization(), own.Dropout(0.2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "dataset"),
    [
        (clean_layers, e.table),
        (lambda: e.own_step({}, Seeds(0)), e.table),
        (random_images, e.images),
        pytest.param(recurrent, e.sequences, marks=pytest.mark.slow),
        pytest.param(attention, e.sequences, marks=pytest.mark.slow),
    ],
    ids=["layers", "own step", "images", "recurrent", "attention"],
)
def test_what_only_looks_like_it_is_left_alone(model: Callable[[], Any], dataset: Any) -> None:
    assert sources(model, dataset=dataset) == []


def test_a_variable_that_a_callback_may_set_is_left_alone() -> None:
    assert sources(lambda: stacked(forgetful("own")), all_change=True) == []


def augmented(augment: Callable[..., Any], dataset: Any = e.table) -> list[FrozenSource]:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    arrays = dataset(None, {}, None)
    batch = tuple(tf.constant(arrays[name][:16]) for name in ("x", "y"))
    return in_augment(augment, batch, step_seeds(0, 0, 2), HERE)


def constant_seed(x: Any, y: Any, _seed: Any) -> Any:
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), [1, 2]), y


def one_shift(x: Any, y: Any, _seed: Any) -> Any:
    import tensorflow as tf

    return tf.roll(x, tf.random.stateless_uniform([], [1, 2], 0, 6, tf.int32), 1), y


def numpy_noise(x: Any, y: Any, _seed: Any) -> Any:
    return x + np.random.normal(size=6).astype(np.float32), y


GENERATOR = np.random.default_rng(5)


def a_generator_of_the_module(x: Any, y: Any, _seed: Any) -> Any:
    return x + GENERATOR.normal(size=6).astype(np.float32), y


def seeded_numpy(x: Any, y: Any, _seed: Any) -> Any:
    return x + np.random.RandomState(1).normal(size=6).astype(np.float32), y


def pythons_choice(x: Any, y: Any, _seed: Any) -> Any:
    return (x if random.random() < 0.5 else -x), y


TABLE = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)


def a_row_for_each_place(x: Any, y: Any, _seed: Any) -> Any:
    import tensorflow as tf

    return x + tf.constant(TABLE)[: tf.shape(x)[0]], y


def seeded_in_python(x: Any, y: Any, _seed: Any) -> Any:
    import tensorflow as tf

    def draw(array: Any) -> Any:
        return array + np.random.default_rng(0).normal(size=array.shape).astype(np.float32)

    return tf.ensure_shape(tf.numpy_function(draw, [x], tf.float32), [None, 6]), y


@pytest.mark.parametrize(
    ("augment", "why"),
    [
        (constant_seed, CONSTANT),
        (one_shift, CONSTANT),
        (numpy_noise, TRACED),
        (a_generator_of_the_module, TRACED),
        (seeded_numpy, TRACED),
        (pythons_choice, CHOSEN),
        (a_row_for_each_place, PLACED),
        (seeded_in_python, PLACED),
    ],
)
def test_augmentation_that_comes_back_is_found(augment: Callable[..., Any], why: str) -> None:
    (found,) = augmented(augment)
    assert why in found.why
    assert found.layer is None
    if why in (CONSTANT, TRACED):
        assert found.file == Path(__file__).name


def normalised(x: Any, y: Any, _seed: Any) -> Any:
    return (x - np.float32(0.1)) / np.full(6, 2, np.float32), y


def every_second_one(x: Any, y: Any, _seed: Any) -> Any:
    import tensorflow as tf

    return tf.where(tf.range(tf.shape(x)[0])[:, None] % 2 == 0, x, -x), y


def mixed(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    share = tf.random.stateless_uniform([tf.shape(x)[0], 1], seed)
    return share * x + (1 - share) * x[::-1], y


def stateful_noise(x: Any, y: Any, _seed: Any) -> Any:
    return x + stateful(x), y


def branching(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    if tf.random.stateless_uniform([], seed) < 0.5:  # as AutoGraph reads it
        x = -x
    return x, y


def split_seeds(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    one, two = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    x = x + tf.random.stateless_normal(tf.shape(x), one)
    return x + tf.random.stateless_normal([6], tf.random.experimental.stateless_fold_in(two, 3)), y


@pytest.mark.parametrize(
    "augment",
    [e.noise, normalised, every_second_one, mixed, stateful_noise, branching, split_seeds],
)
def test_augmentation_by_its_seed_is_left_alone(augment: Callable[..., Any]) -> None:
    assert augmented(augment) == []
