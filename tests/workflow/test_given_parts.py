"""Parts that `dataset` gives, and what is fitted on one of them, on their way to a verdict.

Of two inputs by name, with a weight for each example; one input alone is in test_zoo.py.
"""

import json

import pytest

pytestmark = pytest.mark.slow

WITH_PARTS = """\
import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    inputs = {"left": 50 + 10 * table[:, :2], "right": 50 + 10 * table[:, 2:-1]}
    y = np.where(table[:, -1] > 0, "over", "under").astype(object)
    weight = 0.5 + table[:, 0]

    def part(rows):
        return {name: x[rows] for name, x in inputs.items()}, y[rows], weight[rows]

    return part(np.r_[:120]), part(np.r_[120:160, 0:5])  # five are in `train` as well


def fit_preprocessing(train, settings, seeds):
    names = np.unique(train["y"].astype(str))
    x = np.concatenate([*train["x"].values()])
    mean, scale = x.mean(axis=0), x.std(axis=0)

    def number(y):
        return np.searchsorted(names, y.astype(str)).astype("int32")

    return {"x": lambda x: {name: (x[name] - mean) / scale for name in x}, "y": number}


def model(settings, seeds, prepared):
    import keras

    def dense(name, units, activation=None):
        kernel = keras.initializers.GlorotUniform(seeds(name))
        return keras.layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    shapes, classes = prepared.shapes["x"], len(prepared.class_counts["y"])
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    towers = [dense(f"tower_{name}", 8, "relu")(part) for name, part in inputs.items()]
    joined = keras.layers.Dropout(0.2, seed=seeds("dropout"))(keras.layers.Concatenate()(towers))
    network = keras.Model(inputs, dense("classes", classes)(joined))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, weighted_metrics=["accuracy"])
    return network
"""
"""Five of 45 test examples are copies."""


@pytest.fixture(scope="module")
def done(new_project):
    """A project with them, run to its verdict."""
    made = new_project("parts")
    (made.folder / "parts.py").write_text(WITH_PARTS)
    made.configure(parts=made.entry(code="parts.py"))
    result = made.run("--cores", "2", "results/parts/verdict.json")
    assert result.returncode == 0, result.stdout
    return made


def test_copies_in_given_parts_are_warned_of_and_stay(done):
    done.assert_met_with_everything_varied("parts", mistakes=["overlapping splits"])
    (mistake,) = done.verdict("parts")["mistakes"]
    process = json.loads((done.results / "parts/original/data.manifest.json").read_text())
    record = json.dumps(process)
    assert '"given": ["train", "test"]' in record
    assert "of 45 in `test`" in mistake["evidence"]


def test_what_was_fitted_is_bound_by_the_manifest(done):
    manifest = json.loads((done.results / "parts/original/data.manifest.json").read_text())
    names = {subject["name"] for subject in manifest["subject"]}
    fitted = {name for name in names if "fitted/" in name}
    assert {name.rpartition("/")[2] for name in fitted} == {
        "x.mean.npy", "x.scale.npy", "y.names.npy",
    }  # fmt: skip
    assert '"preprocessing": {"x": "function <lambda>", "y": "function number"}' in (
        json.dumps(manifest)
    )
