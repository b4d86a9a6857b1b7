"""The probe finds what two runs would agree on, and keeps silent about what only looks like it."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.errors import UserError
from repro.core.parameters import ProbeParameters
from repro.core.seeding import Seeds
from repro.data.user_code import MODULE, Code
from repro.probe.reseeded import reseeded
from repro.probe.sanity_probe import probe
from repro.record.trace import Trace, read
from repro.verdict.silent_errors import mistakes, unlooked

IDLE = "a seed that changes nothing"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data")


def probed(data: Path, out: Path, trace: str = "step", **functions: Any) -> dict[str, Any]:
    experiment = Code(e.code(**functions).module, Path(__file__).parent)
    training = e.training(trace=trace)
    parameters = ProbeParameters(threads=e.THREADS, settings={}, training=training, seed=0)
    probe(experiment, data, parameters, out)
    return json.loads((out / "probe.json").read_text())


def told(found: dict[str, Any]) -> dict[str, str]:
    named = mistakes(Trace({}, ()), found, {}, {"changed": []})
    return {mistake.mistake: mistake.evidence for mistake in named}


def dense(seed: Any = None, kernel: Any = None, **between: Any) -> Any:
    import keras

    initial = kernel or keras.initializers.GlorotUniform(seed)
    inner = [value for value in between.values() if value]
    last = keras.layers.Dense(2, kernel_initializer=initial)
    model = keras.Sequential([keras.Input((6,)), *inner, last])
    return e.compiled(model, optimizer=keras.optimizers.SGD(0.01), metrics=None)


def constant_seeds(_settings: Any, _seeds: Any) -> Any:
    import keras

    return dense(42, dropout=keras.layers.Dropout(0.2, seed=1))


def one_global_seed(_settings: Any, _seeds: Any) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    return dense(dropout=keras.layers.Dropout(0.2))


def numpys_weights(_settings: Any, _seeds: Any) -> Any:
    model = dense()
    draw = np.random.default_rng(7).normal
    model.set_weights([draw(size=w.shape) for w in model.get_weights()])
    return model


def zeros_and_dropout(_settings: Any, _seeds: Any) -> Any:
    import keras

    return dense(kernel="zeros", dropout=keras.layers.Dropout(0.5, seed=1))


@pytest.mark.parametrize(
    "model", [constant_seeds, one_global_seed, numpys_weights, zeros_and_dropout]
)
def test_a_seed_that_changes_nothing_is_found(
    model: Callable[..., Any], data: Path, tmp_path: Path
) -> None:
    found = told(probed(data, tmp_path, model=model))
    assert list(found) == [IDLE]
    assert "seeds 0 and " in found[IDLE]


def linear(_settings: Any, _seeds: Any) -> Any:
    return dense(kernel="zeros")


def one_constant_among_seeds(_settings: Any, seeds: Any) -> Any:
    import keras

    return dense(42, dropout=keras.layers.Dropout(0.2, seed=seeds("dropout")))


def unseeded_initialiser(_settings: Any, _seeds: Any) -> Any:
    return dense()


def idle_generator(_settings: Any, seeds: Any) -> Any:
    import keras

    # An LSTM keeps a generator even where it drops nothing.
    own = keras.layers
    between = [own.Reshape((3, 2)), own.LSTM(2, seed=1, kernel_initializer="zeros",
               recurrent_initializer="zeros")]  # fmt: skip
    last = own.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seeds("out")))
    return e.compiled(keras.Sequential([keras.Input((6,)), *between, last]))


CLEAN: dict[str, dict[str, Any]] = {
    "zeros with augmentation": {"model": linear, "augment": e.noise},
    "some seeds": {"model": one_constant_among_seeds},
    "global seed": {"model": unseeded_initialiser},
    "idle generator": {"model": idle_generator},
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_seed_that_changes_something_is_left_alone(name: str, data: Path, tmp_path: Path) -> None:
    """Of one of them the same bytes are written again, without a name of this machine."""
    found = probed(data, tmp_path, **CLEAN[name])
    assert told(found) == {}
    assert unlooked(found) == []
    if "augment" in CLEAN[name]:
        (tmp_path / "again").mkdir()
        probed(data, tmp_path / "again", **CLEAN[name])
        content = (tmp_path / "probe.json").read_text()
        assert (tmp_path / "again" / "probe.json").read_text() == content
        assert str(tmp_path) not in content


def test_weights_that_were_read_are_no_draw(data: Path, tmp_path: Path) -> None:
    saved = tmp_path / "somebody_elses.npz"
    np.savez(saved, *constant_seeds({}, Seeds(0)).get_weights())

    def overwritten(_settings: Any, _seeds: Any) -> Any:
        model = dense(42)
        with np.load(saved) as arrays:
            model.set_weights(list(arrays.values()))
        return model

    assert told(probed(data, tmp_path, model=overwritten)) == {}


def for_one_seed(_settings: Any, seeds: Any) -> Any:
    if seeds.root != 0:
        raise KeyError(f"no entry for {seeds.root}")
    return dense(seeds("out"))


def test_what_another_seed_breaks_is_told(data: Path, tmp_path: Path) -> None:
    (evidence,) = told(probed(data, tmp_path, model=for_one_seed)).values()
    assert "with the seed 0 the model is made" in evidence.lower()
    assert "KeyError at test_probe.py, line" in evidence


def test_what_its_own_seed_breaks_is_the_users_mistake(data: Path, tmp_path: Path) -> None:
    def failing(_settings: Any, _seeds: Any) -> Any:
        raise ValueError("no such width")

    with pytest.raises(UserError, match="no such width"):
        probed(data, tmp_path, model=failing)
    assert not list(tmp_path.iterdir())


def eager(_settings: Any, seeds: Any) -> Any:
    import keras

    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            float(data[0][0, 0].numpy())  # a graph has no values yet
            return super().train_step(data)

    inputs = keras.Input((6,))
    initial = keras.initializers.GlorotUniform(seeds("out"))
    model = Own(inputs, keras.layers.Dense(2, kernel_initializer=initial)(inputs))
    return e.compiled(model, run_eagerly=True)


def test_what_cannot_be_looked_at_is_said(data: Path, tmp_path: Path) -> None:
    found = probed(data, tmp_path, trace="epoch", model=eager)
    assert told(found) == {}
    order, noise = sorted(unlooked(found), reverse=True)
    assert order == "One order for every epoch was not looked for: the trace holds epochs alone."
    assert noise.startswith("Frozen noise was not looked for: ")
    assert "AttributeError at test_probe.py, line" in noise


def one_order(_settings: Any, seeds: Any) -> Any:
    """Trains on arrays of its own, which Keras shuffles alike in every epoch."""
    import keras

    class Own(keras.Model):
        def fit(self, *_batches: Any, **options: Any) -> Any:
            table = e.table(None, {}, None)
            options |= {"x": table["x"][:84], "y": table["y"][:84], "shuffle": True}
            return super().fit(batch_size=16, **{**options, "steps_per_epoch": None})

    inputs = keras.Input((6,))
    initial = keras.initializers.GlorotUniform(seeds("out"))
    return e.compiled(Own(inputs, keras.layers.Dense(2, kernel_initializer=initial)(inputs)))


def test_one_order_for_every_epoch_is_found(data: Path, tmp_path: Path) -> None:
    experiment = e.code(model=one_order)
    e.trained(experiment, data, tmp_path, epochs=3)
    found = probed(data, tmp_path, model=one_order)
    trace = read(tmp_path / "trace.jsonl")
    (one,) = mistakes(trace, found, {}, {"changed": []})
    assert one.mistake == "one order for every epoch"
    assert "All 3 epochs" in one.evidence


def test_seeds_of_the_code_are_others_within_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    users = ModuleType(MODULE)
    vars(users)["default_rng"] = np.random.default_rng
    monkeypatch.setitem(sys.modules, MODULE, users)

    def draws() -> list[float]:
        np.random.seed(1)
        random.seed(1)
        return [
            np.random.default_rng(1).normal(), np.random.default_rng(seed=1).normal(),
            users.default_rng(1).normal(), np.random.RandomState(1).normal(),
            random.Random(1).random(), np.random.normal(), random.random(),
        ]  # fmt: skip

    before = draws()
    with reseeded() as seeding:
        within = draws()
        assert isinstance(np.random.RandomState(1), np.random.RandomState)
    assert seeding.used
    assert all(a != b for a, b in zip(before, within, strict=True))
    assert draws() == before
    assert users.default_rng is np.random.default_rng
    with reseeded(shift=0) as seeding:
        assert not seeding.used
        assert draws() == before
        assert seeding.used
