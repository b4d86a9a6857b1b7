"""Weights kept after chosen steps: no bit changes, and where runs diverge the difference shows."""

import os
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.compare.divergence import Divergence
from repro.compare.growth import growth
from repro.compare.runs import parted
from repro.core.seeding import Seeds
from repro.model.training import train
from repro.variables.by_path import read
from repro.watch.recorded_values import RecordedValues

STEPS = ((0, 0), (0, 2), (1, 0), (1, 1))


def trained(out: Path, data: Path, values: RecordedValues | None, loop: str, **code: Any) -> Path:
    """The folder of a training, of whose two epochs the last ends early."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    (out / "seed-0").mkdir(parents=True)
    steps = -(-len(np.load(data / "train" / "id.npy")) // 16)
    parameters = e.to_train({"steps": steps + 2}, epochs=2, batch_size=16, loop=loop)
    train(e.code(**code), data, parameters, out / "seed-0", values)
    return out


def eager(settings: Any, seeds: Any) -> Any:
    return e.compiled(e.mlp(settings, seeds), run_eagerly=True)


CHANGED = {
    "graph": (e.images, {"model": e.cnn, "augment": e.noise}),
    "fit": (e.table, {"model": e.own_step}),
    "eager": (e.table, {"model": eager}),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_training_that_keeps_weights_has_the_same_bits(name: str, tmp_path: Path) -> None:
    dataset, code = CHANGED[name]
    data = e.prepared(tmp_path / "data", dataset, e.NO_VALIDATION)
    loop = name.replace("eager", "fit")
    values = RecordedValues(tmp_path / "values", STEPS)
    one = trained(tmp_path / "a", data, None, loop, **code)
    other = trained(tmp_path / "b", data, values, loop, **code)
    for file in ("weights.safetensors", "trace.jsonl", "history.csv"):
        assert (one / "seed-0" / file).read_bytes() == (other / "seed-0" / file).read_bytes(), file
    kept = {file.stem for file in (tmp_path / "values").iterdir()}
    assert kept == {f"{epoch}-{step}" for epoch, step in STEPS}
    last, weights = (
        read(tmp_path / "values" / "1-1.safetensors"),
        read(other / "seed-0" / "weights.safetensors"),
    )
    assert {n: v.tobytes() for n, v in last.items()} == {n: v.tobytes() for n, v in weights.items()}


def nudged(_settings: Any, seeds: Any) -> Any:
    """A model that one step changes a little, if the environment says so."""
    import keras
    import tensorflow as tf

    class Nudged(keras.Model):
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            here = tf.cast(self.optimizer.iterations == 2, tf.float32)
            # The same for all classes would change no probability.
            self.get_layer("last").bias.assign_add([here * float(os.environ["NUDGE"]), 0.0, 0.0])
            return logs

    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(8, "relu", name="first")(inputs)
    return e.compiled(Nudged(inputs, keras.layers.Dense(3, name="last")(hidden)))


def test_a_difference_shows_from_the_step_at_which_it_arises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    for nudge in ("0", "1e-3"):
        monkeypatch.setenv("NUDGE", nudge)
        values = RecordedValues(tmp_path / nudge, [(0, 0), (0, 1), (0, 2), (1, 1)])
        trained(tmp_path / f"run-{nudge}", data, values, "graph", model=nudged)
    at = parted("train", tmp_path / "run-0", tmp_path / "run-1e-3", 0)
    assert at == Divergence("weights", 0, 1, "last/bias")
    steps, first = growth(tmp_path / "0", tmp_path / "1e-3")
    assert [(each["epoch"], each["step"]) for each in steps] == [(0, 1), (0, 2), (1, 1)]
    assert (steps[0]["variable"], first[0]) == (
        "last/bias", {"epoch": 0, "step": 1, "variable": "last/bias"},
    )  # fmt: skip
    # Of all others the gradient differs one step later.
    assert {each["variable"]: each["step"] for each in first[1:]} == dict.fromkeys(
        ("first/kernel", "first/bias", "last/kernel"), 2
    )


def test_of_large_weights_one_element_in_so_many_is_kept(tmp_path: Path) -> None:
    data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    for every in (1, 3):
        values = RecordedValues(tmp_path / str(every), [(0, 0)], every)
        trained(tmp_path / f"run-{every}", data, values, "graph")
    whole, part = (read(tmp_path / str(every) / "0-0.safetensors") for every in (1, 3))
    assert whole.keys() == part.keys()
    assert all((array.ravel()[::3] == part[name]).all() for name, array in whole.items())
