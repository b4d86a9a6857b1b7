"""Variables that training changes and that no weights file holds are found, and only those."""

from pathlib import Path
from typing import Any

import experiments as e
from repro.checkpoint.resume import CheckpointPolicy
from repro.core.parameters import EvaluateParameters
from repro.model.evaluation import evaluate
from repro.model.training import Trained

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=8)


def trained(model: Any, folder: Path, **changed: Any) -> Trained:
    """A training of the model, of one epoch."""
    data = e.prepared(folder / "data")
    return e.trained(e.code(model=model), data, folder / "out", **{"epochs": 1, **changed})


def read(model: Any, folder: Path) -> list[str] | None:
    """What predictions with the trained weights read beside these."""
    weights = folder / "out/weights.safetensors"
    found = evaluate(e.code(model=model), folder / "data", weights, PARAMETERS, folder / "found")
    return None if found.unsaved is None else [*found.unsaved]


def behind(layers: list[Any], settings: Any, seeds: Any, **options: Any) -> Any:
    """A model behind layers of the user's."""
    import keras

    model = keras.Sequential([keras.Input((6,)), *layers, e.mlp(settings, seeds)])
    return e.compiled(model, **options)


def warm() -> Any:
    """A layer with a variable that training changes and predictions read."""
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

    return Warm()


def warm_in_a_module() -> Any:
    """The same, in a module that Keras does not know."""
    import keras
    import tensorflow as tf

    class Warm(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.warmth = tf.Variable(1.0, name="warmth of a module")

    class Scale(keras.layers.Layer):
        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                kept.warmth.assign(kept.warmth * 0.9)
            return inputs * kept.warmth

    kept = Warm()
    return Scale()


def warm_by_a_weight() -> Any:
    """The same, in a weight, which is saved."""
    import keras

    class Tepid(keras.layers.Layer):
        def build(self, _shape: Any) -> None:
            self.warmth = self.add_weight(shape=(), initializer="ones", trainable=False)

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.warmth.assign(self.warmth + 0.1)
            return inputs * self.warmth

    return Tepid()


def counted() -> Any:
    """A layer with a variable that training changes and no prediction reads."""
    import keras
    import tensorflow as tf

    class Counted(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.calls = tf.Variable(0, name="calls")

        def call(self, inputs: Any) -> Any:
            self.calls.assign_add(1)
            return inputs

    return Counted()


def annealed() -> Any:
    """A loss with such a variable."""
    import keras
    import tensorflow as tf

    weight = tf.Variable(0.0, name="annealing")
    usual = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(true: Any, predicted: Any) -> Any:
        weight.assign_add(0.1)
        return usual(true, predicted) + weight * keras.ops.mean(predicted**2)

    return loss


def fixed() -> Any:
    """A layer with a variable that predictions read and nothing changes."""
    import keras
    import tensorflow as tf

    class Fixed(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(2.0, name="factor")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    return Fixed()


def noisy(seeds: Any) -> Any:
    """A layer with a generator, whose state is drawn from."""
    import keras
    import tensorflow as tf

    draws = tf.random.Generator.from_seed(seeds("draws"))

    class Noisy(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 0.1 * draws.normal(tf.shape(inputs))

    return Noisy()


def of_all_kinds(settings: Any, seeds: Any) -> Any:
    """Variables of all kinds in one model; Keras' own layers know theirs."""
    import keras

    keras_own = [
        keras.layers.BatchNormalization(),
        keras.layers.GaussianNoise(0.1),
        keras.layers.Dropout(0.2),
        keras.layers.Dropout(0.3, seed=seeds("dropout")),
    ]
    own = [warm(), warm_in_a_module(), warm_by_a_weight(), counted(), fixed(), noisy(seeds)]
    return behind([*own, *keras_own], settings, seeds, loss=annealed())


CHANGED = ["annealing", "calls", "warmth", "warmth of a module"]
READ = ["factor", "warmth", "warmth of a module"]


def test_what_training_changes_and_what_predictions_read_is_found(tmp_path: Path) -> None:
    assert trained(of_all_kinds, tmp_path, loop="graph").unsaved == CHANGED
    assert read(of_all_kinds, tmp_path) == READ


def test_the_other_loop_finds_the_same(tmp_path: Path) -> None:
    assert trained(of_all_kinds, tmp_path, loop="fit").unsaved == CHANGED


def test_checkpoints_do_not_hide_it(tmp_path: Path) -> None:
    keeping = CheckpointPolicy(tmp_path / "checkpoints", "key", 0)
    (tmp_path / "checkpoints").mkdir()
    assert trained(of_all_kinds, tmp_path, keeping=keeping, epochs=2).unsaved == CHANGED


def scheduled_own_step(settings: Any, seeds: Any) -> Any:
    return e.compiled(e.own_step(settings, seeds), optimizer=e.scheduled(settings, seeds).optimizer)


def test_what_is_saved_is_left_alone(tmp_path: Path) -> None:
    assert trained(scheduled_own_step, tmp_path).unsaved == []
    assert read(scheduled_own_step, tmp_path) == []


def eager(settings: Any, seeds: Any) -> Any:
    return behind([warm()], settings, seeds, run_eagerly=True)


def test_without_a_graph_nothing_is_claimed(tmp_path: Path) -> None:
    assert trained(eager, tmp_path).unsaved is None
    assert read(eager, tmp_path) is None
