"""Variables that training changes and that no weights file holds are found, and only those."""

from pathlib import Path
from typing import Any

import experiments as e
import pytest
from repro.checkpoint.resume import CheckpointPolicy
from repro.core.parameters import EvaluateParameters
from repro.model.evaluation import evaluate

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=8)
Names = list[str] | None


def unsaved(model: Any, folder: Path, keeping: Any = None, **training: Any) -> tuple[Names, Names]:
    """What training changed, and what predictions read, beside the weights."""
    code, data = e.code(model=model), e.prepared(folder / "data")
    trained = e.trained(code, data, folder / "out", keeping=keeping, **{"epochs": 1, **training})
    weights = folder / "out/weights.safetensors"
    read = evaluate(code, data, weights, PARAMETERS, folder / "found").unsaved
    return tuple(None if names is None else [*names] for names in (trained.unsaved, read))


def scaled(call: Any, settings: Any, seeds: Any, **options: Any) -> Any:
    """A model behind a layer of the user's."""
    import keras

    inputs = keras.Input((6,))
    return e.compiled(keras.Model(inputs, e.mlp(settings, seeds)(call(inputs))), **options)


def in_a_layer(settings: Any, seeds: Any, **options: Any) -> Any:
    import keras
    import tensorflow as tf

    class Warm(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.warmth = tf.Variable(1.0, name="warmth")

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.warmth.assign_add(0.1)
            return inputs * self.warmth

    return scaled(Warm(), settings, seeds, **options)


def in_a_module(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Warm(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.warmth = tf.Variable(1.0, name="warmth")

    class Scale(keras.layers.Layer):
        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                kept.warmth.assign(kept.warmth * 0.9)
            return inputs * kept.warmth

    kept = Warm()
    return scaled(Scale(), settings, seeds)


@pytest.mark.parametrize("model", [in_a_layer, in_a_module])
@pytest.mark.parametrize("loop", ["graph", "fit"])
def test_what_training_changes_beside_the_weights_is_found(
    model: Any, loop: str, tmp_path: Path
) -> None:
    assert unsaved(model, tmp_path, loop=loop) == (["warmth"], ["warmth"])


def test_checkpoints_do_not_hide_it(tmp_path: Path) -> None:
    keeping = CheckpointPolicy(tmp_path / "checkpoints", "key", 0)
    (tmp_path / "checkpoints").mkdir()
    assert unsaved(in_a_layer, tmp_path, keeping, epochs=2) == (["warmth"], ["warmth"])


def as_a_weight(settings: Any, seeds: Any) -> Any:
    import keras

    class Tepid(keras.layers.Layer):
        def build(self, _shape: Any) -> None:
            self.warmth = self.add_weight(shape=(), initializer="ones", trainable=False)

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.warmth.assign(self.warmth + 0.1)
            return inputs * self.warmth

    return scaled(Tepid(), settings, seeds)


@pytest.mark.parametrize("model", [as_a_weight, e.cnn, e.unseeded, e.scheduled, e.own_step])
def test_what_is_saved_or_drawn_is_left_alone(model: Any, tmp_path: Path) -> None:
    dataset = e.images if model is e.cnn else e.table
    code, data = e.code(model=model, dataset=dataset), e.prepared(tmp_path / "data", dataset)
    assert e.trained(code, data, tmp_path / "out", epochs=1).unsaved == []
    weights = tmp_path / "out/weights.safetensors"
    assert evaluate(code, data, weights, PARAMETERS, tmp_path / "found").unsaved == []


def counted_only(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Counted(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.calls = tf.Variable(0, name="calls")

        def call(self, inputs: Any) -> Any:
            self.calls.assign_add(1)
            return inputs

    return scaled(Counted(), settings, seeds)


def annealed(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    weight = tf.Variable(0.0, name="annealing")
    usual = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(true: Any, predicted: Any) -> Any:
        weight.assign_add(0.1)
        return usual(true, predicted) + weight * keras.ops.mean(predicted**2)

    return e.compiled(e.mlp(settings, seeds), loss=loss)


@pytest.mark.parametrize(("model", "name"), [(counted_only, "calls"), (annealed, "annealing")])
def test_what_no_prediction_reads_is_told_apart(model: Any, name: str, tmp_path: Path) -> None:
    assert unsaved(model, tmp_path) == ([name], [])


def fixed(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Fixed(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(2.0, name="factor")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    return scaled(Fixed(), settings, seeds)


def of_a_generator(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    draws = tf.random.Generator.from_seed(seeds("draws"))

    class Noisy(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 0.1 * draws.normal(tf.shape(inputs))

    return scaled(Noisy(), settings, seeds)


@pytest.mark.parametrize(("model", "read"), [(fixed, ["factor"]), (of_a_generator, [])])
def test_what_training_leaves_alone_or_draws_is_no_change(
    model: Any, read: list[str], tmp_path: Path
) -> None:
    assert unsaved(model, tmp_path) == ([], read)


def eager(settings: Any, seeds: Any) -> Any:
    return in_a_layer(settings, seeds, run_eagerly=True)


def test_without_a_graph_nothing_is_claimed(tmp_path: Path) -> None:
    assert unsaved(eager, tmp_path) == (None, None)
