"""Weights by path: they come back to the last bit, under names that are unique."""

from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.errors import UserError
from repro.variables import by_path


def built(make: Any, shape: tuple[int, ...]) -> Any:
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    model = make({}, e.Seeds(0))
    model(np.zeros((1, *shape), np.float32))
    return model


def test_weights_come_back_to_the_last_bit(tmp_path: Path) -> None:
    model = built(e.cnn, (6, 6, 1))
    for variable in model.weights:
        value = np.random.default_rng(0).normal(size=variable.shape).astype(np.float32)
        variable.assign(value)
    by_path.save(model, tmp_path / "a")
    other = built(e.cnn, (6, 6, 1))
    assert by_path.states(other).digests() != by_path.states(model).digests()
    by_path.load(other, tmp_path / "a")
    one, two = (by_path.states(m).digests()["weights"] for m in (model, other))
    assert one == two
    by_path.save(other, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_variable_has_a_name_of_its_own(tmp_path: Path) -> None:
    import keras

    keras.backend.clear_session()
    model = keras.Sequential(
        [keras.Input((2,)), keras.Sequential([keras.layers.Dense(2, name="same")], name="one"),
         keras.Sequential([keras.layers.Dense(2, name="same")], name="two")]
    )  # fmt: skip
    named = by_path.by_path([*model.weights, *model.weights])
    assert len(named) == 2 * len(model.weights)
    assert len([name for name in named if name.endswith("#2")]) == len(model.weights)
    again = by_path.by_path([*model.weights, *model.weights, model.weights[0]])
    assert [name for name in again if name.endswith("#3")] == [f"{model.weights[0].path}#3"]
    by_path.save(model, tmp_path / "a")
    assert len(by_path.read(tmp_path / "a")) == len(model.weights)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_other_dtypes_come_back(dtype: str, tmp_path: Path) -> None:
    import keras

    keras.backend.clear_session()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, dtype=dtype)])
    before = by_path.states(model).digests()
    by_path.save(model, tmp_path / "a")
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    by_path.load(model, tmp_path / "a")
    assert by_path.states(model).digests() == before


def test_seed_states_and_optimizer_are_states() -> None:
    model = built(e.cnn, (6, 6, 1))
    model.optimizer.build(model.trainable_variables)
    found = by_path.states(model)
    assert [name for name in found.seeds if "seed_generator" in name] == list(found.seeds) != []
    layers = {layer.name for layer in model.layers}
    assert {name.partition("/")[0] for name in found.seeds} <= layers, "a state tells its layer"
    assert any("momentum" in name for name in found.optimizer)
    assert any("moving_mean" in name for name in found.weights)
    assert not set(found.seeds) & set(found.weights)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    by_path.save(built(e.cnn, (6, 6, 1)), tmp_path / "weights.safetensors")
    with pytest.raises(UserError, match=r"variables of weights\.safetensors\. Received a differ"):
        by_path.load(built(e.mlp, (6,)), tmp_path / "weights.safetensors")


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    import keras

    def wide(count: int) -> Any:
        keras.backend.clear_session()
        return keras.Sequential([keras.Input((count,)), keras.layers.Dense(2)])

    by_path.save(wide(3), tmp_path / "weights.safetensors")
    with pytest.raises(UserError, match=r"weights\.safetensors.*shape"):
        by_path.load(wide(4), tmp_path / "weights.safetensors")


def test_a_weight_of_no_dimension_comes_back(tmp_path: Path) -> None:
    def scaled(_settings: Any, seeds: Any) -> Any:
        import keras

        return keras.Sequential([keras.Input((6,)), keras.layers.Normalization(), *e.layers()])

    model = built(scaled, (6,))
    assert () in [variable.shape for variable in model.weights]
    by_path.save(model, tmp_path / "a")
    by_path.load(built(scaled, (6,)), tmp_path / "a")
