"""What Keras and TensorFlow write, twice: the same by content; a nudged weight is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lean_python import lean
from repro.content.files import compared
from repro.content.folders import compared_folders
from repro.content.summary import summarised
from repro.content.tensor_reader import TensorReader
from repro.formats.findings import FileComparison

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from pathlib import Path
import keras, numpy as np, tensorflow as tf
out, nudge = Path(sys.argv[1]), sys.argv[2] == "nudge"
out.mkdir()
keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
inputs = keras.Input((4,))
shared = keras.layers.Dense(4, activation="relu", kernel_initializer=keras.initializers.HeNormal(1))
hidden = keras.layers.Dropout(0.1)(shared(shared(inputs)))
model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="scores")(hidden))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = np.random.default_rng(0).normal(size=(60, 4)).astype("float32"), np.arange(60) % 3
callbacks = [keras.callbacks.CSVLogger(out / "log.csv"), keras.callbacks.ModelCheckpoint(
    str(out / "best-{epoch:02d}-{val_loss:.4f}.weights.h5"), save_weights_only=True)]
model.fit(x, y, epochs=2, callbacks=callbacks, validation_split=0.2)
if nudge:
    kernel = model.get_layer("scores").kernel.numpy()
    kernel[1, 2] = np.nextafter(kernel[1, 2], np.float32(9))
    model.get_layer("scores").kernel.assign(kernel)
model.save(out / "model.keras")
model.save(out / "model.h5")
model.save_weights(out / "model.weights.h5")
model.export(str(out / "export"))
tf.saved_model.save(model, str(out / "saved"))
tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(out / "kept"), 2).save()
np.savez(out / "predictions.npz", scores=model.predict(x), label=y)
np.save(out / "scores.npy", model.predict(x))
np.savez_compressed(out / "weights.npz", *model.get_weights())
model.summary()
print("accuracy:", model.evaluate(x, y, verbose=0)[1])
"""
WEIGHTS = {
    "model.keras": "model.weights.h5: layers/dense_1/vars/0",
    "model.h5": "model_weights/scores/scores/kernel",
    "model.weights.h5": "layers/dense_1/vars/0",
    "export": "_all_variables/scores/kernel",
    "saved": "_operations/3/_kernel",
    "kept/ckpt-1.index": "model/_operations/3/_kernel",
    "weights.npz": "arr_2",
}
"""The files that hold the nudged weight, and its path in each."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of three processes: two of the same script, and one with a nudged weight."""
    folder = tmp_path_factory.mktemp("content")
    for name, word in (("first", "as it is"), ("second", "as it is"), ("nudged", "nudge")):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, folder / name, word],
            env=lean(os.environ), capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (folder / name / "stdout.txt").write_bytes(done.stdout)

    return {name: folder / name for name in ("first", "second", "nudged")}


@pytest.fixture(scope="module")
def tensors() -> Iterator[TensorReader]:
    with TensorReader([sys.executable]) as reader:
        yield reader


def between(runs: dict[str, Path], other: str, tensors: TensorReader) -> dict[str, FileComparison]:
    folders = [(str(runs["first"]), str(runs[other]))]
    found = compared_folders(runs["first"], runs[other], tensors, folders=folders)
    return {each.name: each for each in found}


def test_two_processes_write_the_same(runs: dict[str, Path], tensors: TensorReader) -> None:
    found = between(runs, "second", tensors)
    assert {*WEIGHTS} < {*found}
    assert [
        (each.name, each.how, each.differences) for each in found.values() if not each.same
    ] == []
    assert found["model.keras"].masked == ("dates and times of day", "generated ids")
    assert "durations and speeds" in found["stdout.txt"].masked


def test_one_unit_in_the_last_place_is_named_in_every_format(
    runs: dict[str, Path], tensors: TensorReader
) -> None:
    found = between(runs, "nudged", tensors)
    for name, place in WEIGHTS.items():
        each = found[name]
        assert not each.same, name
        places = {difference.place for difference in each.differences}
        assert place in places, (name, places)
        assert each.largest is not None
        assert each.largest.distance is not None
        assert each.largest.distance.index == (1, 2), name
        assert 0 < (each.largest.distance.relative or 0) < 2e-7
        assert each.role == "weights"
    for name in ("predictions.npz", "scores.npy"):
        assert found[name].differences[0].distance is not None
        assert found[name].differences[0].distance.examples == 60
    summary = summarised(list(found.values()))
    assert {name for name, _ in summary.weights} == {*WEIGHTS}
    assert {name for name, _ in summary.predictions} == {"predictions.npz", "scores.npy"}
    within = compared_folders(
        runs["first"], runs["nudged"], tensors, 1e-5, [tuple(map(str, runs.values()))[::2]]
    )
    assert [each.name for each in within if not each.same] == []
    assert sum(each.tolerated for each in within) >= len(WEIGHTS)


@pytest.mark.parametrize("form", ["kept/ckpt-1.index", "saved", "export"])
def test_damaged_tensorflow_files_have_an_answer(
    runs: dict[str, Path], tensors: TensorReader, tmp_path: Path, form: str
) -> None:
    import shutil

    for at in (0, 40, 200):
        copy = tmp_path / f"copy-{at}"
        shutil.copytree(runs["first"], copy)
        for file in (copy / form).rglob("*") if (copy / form).is_dir() else [copy / form]:
            if file.is_file():
                file.write_bytes(file.read_bytes()[:at])
        found = compared(runs["first"] / form, copy / form, form, tensors)
        assert not found.same
        assert "by bytes" in found.how or "by the bytes" in found.how


def events(path: Path, times: float, loss: float, *, cut: int = 0, swap: bool = False) -> None:
    """A file of events as TensorBoard's callback writes it: scalars as tensors, by tag and step."""
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    records: list[Any] = [event_pb2.Event(wall_time=times, file_version="brain.Event:2")]
    for step in range(3):
        for tag, value in (("epoch_loss", loss + step), ("epoch_accuracy", 0.5)):
            event = event_pb2.Event(wall_time=times + step, step=step)
            event.summary.value.add(tag=tag, tensor=tf.make_tensor_proto(value, tf.float32))
            records.append(event)
    records.append(event_pb2.Event(wall_time=times, graph_def=b"graph"))
    if swap:  # two writers of one process
        records[1], records[2] = records[2], records[1]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record.SerializeToString())
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])


def test_events_are_compared_without_wall_time(tmp_path: Path, tensors: TensorReader) -> None:
    name = "events.out.tfevents.1714000000.host.1.0.v2"
    left, right = tmp_path / "left", tmp_path / "right"
    events(left, 1714000000.5, 0.5)
    events(right, 1914000000.5, 0.5, swap=True)
    found = compared(left, right, name, tensors)
    assert found.same, (found.how, found.differences)
    assert (found.how, found.masked) == ("by tag and step", ("wall time",))
    events(right, 1914000000.5, 0.5000001)
    found = compared(left, right, name, tensors)
    assert [each.place for each in found.differences] == [
        "epoch_loss at step 0",
        "epoch_loss at step 1",
    ]
    assert [each.metric for each in found.metrics] == ["epoch_loss"]
    events(right, 1914000000.5, 0.5, cut=3)
    found = compared(left, right, name, tensors)
    assert not found.same
    assert found.how.startswith("by bytes (DataLossError")
