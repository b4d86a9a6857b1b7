"""A smaller last batch is left out of training alone, alike in both loops, also after a kill."""

import json
from pathlib import Path

import experiments as e
import numpy as np
import pytest
from repro.core.errors import UserError
from repro.core.parameters import EvaluateParameters
from repro.core.seeding import Seeds
from repro.data.order import order
from repro.data.prepare import part
from repro.model.evaluation import evaluate
from repro.record.trace import read
from repro.variables.by_path import read as weights_of
from test_resume import Killed, keeping, killed_after

SIZE = 16


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data", split=e.NO_VALIDATION)


def test_it_is_dropped_in_both_loops_as_by_whole_batches(data: Path, tmp_path: Path) -> None:
    import keras

    arrays = part(data, "train")
    steps, rest = divmod(len(arrays["id"]), SIZE)
    assert rest
    for loop in ("graph", "fit"):
        e.trained(e.code(), data, tmp_path / loop, loop=loop, epochs=2, drop_remainder=True)
    assert e.contents(tmp_path / "graph") == e.contents(tmp_path / "fit")
    trace = read(tmp_path / "graph" / "trace.jsonl")
    assert sum("step" in line for line in trace.lines) == 2 * steps
    keras.backend.clear_session()
    model = e.mlp({}, Seeds(0))
    for epoch in range(2):
        rows = order(0, epoch, len(arrays["id"]))[: steps * SIZE]
        x, y = arrays["x"][rows], arrays["y"][rows]
        model.fit(x, y, SIZE, 1, verbose=0, shuffle=False)
    saved = weights_of(tmp_path / "graph" / "weights.safetensors")
    for variable in model.weights:
        np.testing.assert_allclose(saved[variable.path], variable.numpy(), rtol=1e-5, atol=1e-6)


def test_a_killed_training_goes_on_with_whole_batches(data: Path, tmp_path: Path) -> None:
    """By one of the loops, which share what resumes them."""
    asked, experiment = {"epochs": 4, "drop_remainder": True}, e.code(model=e.small)
    e.trained(experiment, data, tmp_path / "whole", **asked)
    kept = keeping(tmp_path / "kept")
    with pytest.raises(Killed), killed_after(2):
        e.trained(experiment, data, tmp_path / "killed", keeping=kept, **asked)
    done = e.trained(experiment, data, tmp_path / "resumed", keeping=kept, **asked)
    assert done.resumed == (2,)
    assert e.contents(tmp_path / "resumed") == e.contents(tmp_path / "whole")


def test_validation_and_test_are_evaluated_whole(tmp_path: Path) -> None:
    data = e.prepared(tmp_path / "data")
    e.trained(e.code(), data, tmp_path, epochs=1, drop_remainder=True)
    asked = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=SIZE)
    evaluate(e.code(), data, tmp_path / "weights.safetensors", asked, tmp_path)
    examples = len(part(data, "test")["id"])
    assert examples % SIZE
    assert json.loads((tmp_path / "metrics.json").read_text())["examples"] == examples
    names, values = (
        line.split(",") for line in (tmp_path / "history.csv").read_text().splitlines()
    )
    accuracy = float(values[names.index("val_accuracy")])
    right = accuracy * len(part(data, "validation")["id"])
    assert right == pytest.approx(round(right), abs=1e-3)


def test_fewer_examples_than_a_batch_are_refused(data: Path, tmp_path: Path) -> None:
    examples = len(part(data, "train")["id"])
    with pytest.raises(UserError, match=rf"at least 500 training.*Received {examples}\."):
        e.trained(e.code(), data, tmp_path, batch_size=500, drop_remainder=True)


def test_a_fixed_input_takes_what_is_whole(data: Path, tmp_path: Path) -> None:
    import keras

    def fixed(*_: object) -> object:
        inputs = keras.Input(batch_shape=(SIZE, 6))
        return e.compiled(keras.Model(inputs, e.layers()[0](inputs)))

    whole = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    assert len(part(whole, "train")["id"]) % SIZE
    with pytest.raises(UserError, match="Expected batches of 16 examples"):
        e.trained(e.code(model=fixed), whole, tmp_path / "odd", epochs=1)
    e.trained(e.code(model=fixed), whole, tmp_path / "even", epochs=1, drop_remainder=True)
