"""Parts that `dataset` gives, and what is fitted on one of them, on their way to a verdict."""

import json

import pytest

pytestmark = pytest.mark.slow

WITH_PARTS = """\
import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x, y = 50 + 10 * table[:, :-1], np.where(table[:, -1] > 0, "over", "under").astype(object)
    test = np.r_[120:160, 0:5]  # five are in `train` as well
    return (x[:120], y[:120]), (x[test], y[test])


def fit_preprocessing(train, settings, seeds):
    names = np.unique(train["y"].astype(str))
    mean, scale = train["x"].mean(axis=0), train["x"].std(axis=0)

    def number(y):
        return np.searchsorted(names, y.astype(str)).astype("int32")

    return {"x": lambda x: (x - mean) / scale, "y": number}


def model(settings, seeds, prepared):
    import keras

    dense = keras.initializers.GlorotUniform(seeds("dense"))
    classes = len(prepared.class_counts["y"])
    network = keras.Sequential(
        [
            keras.Input(prepared.shapes["x"]),
            keras.layers.Dense(classes, kernel_initializer=dense),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
"""
"""Five of 45 test examples are copies."""
FITTED = 'mean, scale = train["x"].mean(axis=0), train["x"].std(axis=0)'
DRAWN = FITTED.replace('train["x"].mean(axis=0)', "np.random.default_rng().normal(size=4)")
SHORT = {"epochs": 1, "batch_size": 32}


@pytest.fixture(scope="module")
def done(new_project):
    """A project with both experiments, run to their verdicts in one go."""
    made = new_project("parts")
    (made.folder / "parts.py").write_text(WITH_PARTS)
    (made.folder / "drawn.py").write_text(WITH_PARTS.replace(FITTED, DRAWN))
    made.configure(
        parts=made.entry(code="parts.py", training=SHORT),
        drawn=made.entry(code="drawn.py", training=SHORT, repeat={"steps": 1}),
    )
    # Also where a claim does not hold, since it is `verify` that fails then.
    assert made.by_run("all", "--cores", "2").returncode == 0
    return made


def test_copies_in_given_parts_are_warned_of_and_stay(done):
    verdict = done.verdict("parts")
    assert verdict["verdict"] == "met"
    (mistake,) = (m for m in verdict["mistakes"] if m["mistake"] == "overlapping splits")
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


def test_runs_that_fit_other_values_part_there(done):
    verdict = done.verdict("drawn")
    assert verdict["verdict"] == "not met"
    (first, *_) = verdict["per_seed"]
    assert first["divergence"]["what"] == "fitted preprocessing"
    assert first["divergence"]["variable"] == "x.mean"
    cause = verdict["causes"][0]
    assert (cause["cause"], cause["file"]) == ("preprocessing", "drawn.py")
    line = DRAWN.strip()
    assert line in (done.folder / "drawn.py").read_text().splitlines()[cause["line"] - 1]


def test_a_claim_that_does_not_hold_has_a_status_and_one_of_which_nobody_can_tell_another(
    done, tmp_path
):
    made = done.copied(tmp_path / "parted")
    for repeat, status in (({"steps": 1}, 1), ("off", 3)):
        made.configure(drawn=made.entry(code="drawn.py", training=SHORT, repeat=repeat))
        assert made.by_run("verify", "--cores", "2").returncode == status
