"""Both loops give these models the same bits and the same trace; what one cannot do is said."""

from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from reference_trace import check_lines
from repro.core.errors import UserError
from repro.model import loops
from repro.record.trace import read
from repro.watch.training_progress import ProgressReport, Seen

# A schedule with an average of weights is none of them: on some processors, two compiled functions
# round its momentum differently. test_resume holds that each loop repeats it.
CASES: dict[str, dict[str, Any]] = {
    "cnn": {"dataset": e.images, "model": e.cnn, "augment": e.noise},
    "lstm": {"dataset": e.sequences, "model": e.lstm},
    "own step": {"model": e.own_step},
    "own step with flat logs": {"model": e.own_step_flat, "split": e.NO_VALIDATION},
    "two inputs in one batch, trace of epochs": {
        "dataset": e.two_inputs, "model": e.two_towers, "batch_size": 500, "trace": "epoch",
    },
    "augmented with weights": {"dataset": e.weighted, "augment": e.noise},
    "early stopping": {"callbacks": e.stopping, "epochs": 8},
    "sample weights, learning rates, without seeds": {
        "dataset": e.weighted, "model": e.unseeded, "callbacks": e.rates, "epochs": 3,
        "split": e.NO_VALIDATION,
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_both_loops_give_the_same_bits(name: str, tmp_path: Path) -> None:
    case = dict(CASES[name])
    functions = {k: case.pop(k) for k in ("model", "augment", "callbacks") if k in case}
    split, dataset = case.pop("split", e.SPLIT), case.pop("dataset", e.table)
    data = e.prepared(tmp_path / "data", dataset, split)
    experiment = e.code(dataset=dataset, **functions)
    graph = e.trained(experiment, data, tmp_path / "graph", **case)
    assert graph.loop == "graph"
    fit = e.trained(experiment, data, tmp_path / "fit", loop="fit", **case)
    assert fit.loop == "fit"
    assert (graph.epochs, graph.augmented) == (fit.epochs, "augment" in functions)
    for file, content in e.contents(tmp_path / "graph").items():
        assert content == (tmp_path / "fit" / file).read_bytes(), file
    trace = read(tmp_path / "graph" / "trace.jsonl")
    assert len([line for line in trace.lines if "step" not in line]) == graph.epochs
    if name == "early stopping":
        assert 1 < graph.epochs < 8
    if "learning rates" in name:
        assert len({line["lr"] for line in trace.lines if "step" in line}) == 3


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def plain(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training of two epochs writes."""
    folder = tmp_path_factory.mktemp("plain")
    e.trained(e.code(), data, folder)
    return folder


def test_the_trace_tells_every_step(data: Path, plain: Path) -> None:
    from repro.data.prepare import part

    trace = read(plain / "trace.jsonl")
    size = len(part(data, "train")["id"])
    steps = -(-size // 16)
    assert size % 16
    assert [(line["epoch"], line.get("step")) for line in trace.lines] == [
        (epoch, step) for epoch in range(2) for step in (*range(steps), None)
    ]
    own = [line for line in trace.lines if "step" in line]
    for key in ("ids", "batch", "loss"):
        assert len({line[key] for line in own}) == 2 * steps, key
    assert len({tuple(line["weights"]) for line in own}) == 2 * steps
    check_lines(plain / "trace.jsonl")


def dropping(_settings: Any, seeds: Any) -> Any:
    import keras

    between = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.3, seed=seeds("dropout"))]
    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(*between)]))


@pytest.mark.parametrize("loop", ["graph", "fit"])
def test_who_looks_at_it_all_the_time_changes_no_bit(loop: str, tmp_path: Path) -> None:
    report = ProgressReport("train", print)
    report.every, seen = 0, list[Seen]()
    report.show = lambda where, extent: seen.append(where)
    experiment = e.code(augment=e.noise, model=dropping)
    data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    for name, looked in (("alone", None), ("looked at", report)):
        e.trained(experiment, data, tmp_path / name, loop=loop, report=looked)
    assert e.contents(tmp_path / "alone") == e.contents(tmp_path / "looked at")
    # It sees true numbers, in the middle of an epoch as well.
    lines = read(tmp_path / "alone" / "trace.jsonl").lines
    losses = {np.uint64(int(line["loss"], 16)) for line in lines if "loss" in line}
    steps = {where.steps for where in seen}
    assert len(steps) > 2
    inside = [where.loss for where in seen if where.steps > 1]
    assert inside
    assert {np.float64(loss).view(np.uint64) for loss in inside} <= losses


def test_the_trace_tells_true(data: Path, plain: Path) -> None:
    """Weights, batch and ids of the trace are those of the arrays, by the reference digest."""
    import hashlib

    from reference_farmhash import farmhash64
    from repro.data.order import order
    from repro.data.prepare import part
    from repro.variables.by_path import read as weights_of

    trace, arrays = read(plain / "trace.jsonl"), part(data, "train")
    saved = weights_of(plain / "weights.safetensors")
    last = [line for line in trace.lines if "step" in line][-1]
    names = trace.header["variables"]
    assert last["weights"] == [f"{farmhash64(saved[n][None])[0]:016x}" for n in names]
    rows = order(0, 0, len(arrays["id"]))[:16]
    first = trace.lines[0]
    ids = hashlib.sha256(np.ascontiguousarray(arrays["id"][rows]).tobytes()).hexdigest()[:16]
    assert first["ids"] == ids
    parts = [farmhash64(arrays[name][rows][None]) for name in ("x", "y")]
    assert first["batch"] == f"{farmhash64(np.stack(parts, 1))[0]:016x}"
    assert np.frombuffer(bytes.fromhex(first["lr"]), ">f8")[0] == np.float32(0.01)


def test_history_is_what_keras_gives(plain: Path) -> None:
    rows = [line.split(",") for line in (plain / "history.csv").read_text().splitlines()]
    assert rows[0] == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row[0] for row in rows[1:]] == ["0", "1"]
    assert all(0 <= float(row[1]) <= 1 for row in rows[1:])


# How far to go is one plan for both loops; each ends within an epoch in its own way.
WITHIN = [{"steps": 2}, {"steps": 7}]
LIMITS = {"graph": [{"epochs": 1}, *WITHIN, {"steps": 1000}], "fit": WITHIN}


@pytest.mark.slow
@pytest.mark.parametrize("loop", LIMITS)
def test_a_limit_gives_the_beginning_of_the_whole(data: Path, tmp_path: Path, loop: str) -> None:
    """With validation only in the loop of Keras, which runs it by itself."""
    from repro.compare.runs import parted

    if loop == "graph":
        data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    experiment = e.code(model=e.small, augment=e.noise, callbacks=e.rates)
    e.trained(experiment, data, tmp_path / "whole" / "seed-0", loop=loop)
    whole = read(tmp_path / "whole" / "seed-0" / "trace.jsonl")
    for number, limit in enumerate(LIMITS[loop]):
        run = tmp_path / str(number)
        e.trained(experiment, data, run / "seed-0", limit, loop=loop)
        short = read(run / "seed-0" / "trace.jsonl")
        assert short.header == whole.header
        assert parted("train", tmp_path / "whole", run, 0, limit) is None, limit
        done = sum("step" in line for line in short.lines)
        steps = sum("step" in line for line in whole.lines)
        assert done == min(limit.get("steps", steps // 2), steps)


def batches(_settings: Any, _seeds: Any) -> list[Any]:
    import keras

    class Loud(keras.callbacks.Callback):
        count = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.count += bool(logs) + batch

    return [Loud()]


def own_fit(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Own(keras.Sequential):
        def fit(self, *arguments: Any, **named: Any) -> Any:
            return super().fit(*arguments, **named)

    return e.compiled(Own([keras.Input((6,)), *e.layers()]))


def eager(_settings: Any, _seeds: Any) -> Any:
    import keras

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers()]), run_eagerly=True)


def texts(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    x = np.where(found["y"] == 1, "yes", "no")[:, None]
    return {**found, "x": x, "id": np.arange(len(x))}


def reader(_settings: Any, _seeds: Any) -> Any:
    import keras

    lookup = keras.layers.StringLookup(vocabulary=["yes", "no"], output_mode="one_hot")
    inputs = keras.Input((1,), dtype="string")
    output = e.layers()[0](keras.ops.cast(lookup(inputs), "float32"))
    return e.compiled(keras.Model(inputs, output))


def two_optimizers(_settings: Any, _seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Two(keras.Sequential):
        def compile(self, first: Any, second: Any) -> None:
            super().compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            self.first, self.second = first, second

        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            kernel, bias = tape.gradient(loss, self.trainable_variables)
            self.first.apply([kernel], [self.trainable_variables[0]])
            self.second.apply([bias], [self.trainable_variables[1]])
            return {"loss": loss}

    model = Two([keras.Input((6,)), *e.layers()])
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01))
    return model


OBSTACLES: dict[str, tuple[dict[str, Any], str]] = {
    "batch callback": (
        {"model": e.small, "callbacks": batches},
        "the callback Loud acts at batches",
    ),
    "own fit": ({"model": own_fit}, "the model has a fit of its own"),
    "eager": ({"model": eager}, "the model runs eagerly"),
    "text": ({"dataset": texts, "model": reader}, "the data holds text"),
    "optimizers": ({"model": two_optimizers}, "not exactly one, compiled optimizer"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OBSTACLES)
def test_an_obstacle_is_told_and_auto_takes_the_other_loop(name: str, tmp_path: Path) -> None:
    functions, words = OBSTACLES[name]
    data = e.prepared(tmp_path / "data", functions.get("dataset", e.table), e.NO_VALIDATION)
    experiment = e.code(**functions)
    with pytest.raises(
        UserError, match=rf"`loop: graph` can train.*because .*{words}.*`loop: auto`"
    ):
        e.trained(experiment, data, tmp_path / "graph", loop="graph")
    assert not (tmp_path / "graph").exists()
    for out in ("one", "two"):
        assert e.trained(experiment, data, tmp_path / out, epochs=1).loop == "fit"
    assert e.contents(tmp_path / "one") == e.contents(tmp_path / "two")


def test_data_beyond_memory_is_an_obstacle(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "MEMORY", 100)
    with pytest.raises(UserError, match="the data is larger than 100 bytes"):
        e.trained(e.code(), data, tmp_path, loop="graph")


def test_callbacks_at_epochs_are_no_obstacle() -> None:
    import keras

    quiet = [keras.callbacks.EarlyStopping(), keras.callbacks.LambdaCallback(on_epoch_end=print)]
    loud = keras.callbacks.LambdaCallback(on_train_batch_end=print)
    assert not any(loops._acts_at_batches(callback) for callback in quiet)
    assert loops._acts_at_batches(loud)


@pytest.mark.slow
def test_a_value_logged_in_some_epochs_stands_beside_them(data: Path, tmp_path: Path) -> None:
    def seldom(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        class Seldom(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    logs["seldom"] = 0.5

        return [Seldom()]

    for loop in ("graph", "fit"):
        experiment = e.code(model=e.small, callbacks=seldom)
        e.trained(experiment, data, tmp_path / loop, loop=loop, epochs=3)
        head, *rows = [r.split(",") for r in (tmp_path / loop / "history.csv").read_text().split()]
        assert [row[head.index("seldom")] for row in rows] == ["", "0.5", ""]
