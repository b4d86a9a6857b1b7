"""A training that was killed goes on bit for bit, or begins again; never anything between."""

import itertools
import os
import pickle
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.checkpoint.file_format import load as load_snapshot
from repro.checkpoint.file_format import save
from repro.checkpoint.resume import CheckpointPolicy, RestartTraining
from repro.checkpoint.store import CheckpointStore
from repro.core.errors import UserError
from repro.data.user_code import load

ZOO = Path(__file__).parents[1] / "zoo"


class Killed(BaseException):
    """Stands for SIGKILL: nothing in between handles it; tests/benchmarks/kills.py really kills."""


@contextmanager
def killed_after(epoch: int | None) -> Iterator[None]:
    """Kills as soon as the checkpoint after so many epochs is written."""
    own = CheckpointStore.add

    def add(self: CheckpointStore, snapshot: Any, trace: Path) -> None:
        own(self, snapshot, trace)
        if snapshot.epoch == epoch:
            raise Killed

    CheckpointStore.add = add  # type: ignore[method-assign]
    try:
        yield
    finally:
        CheckpointStore.add = own  # type: ignore[method-assign]


def digits(*_: Any) -> dict[str, Any]:
    """What the models of the zoo read from a table of images."""
    random = np.random.default_rng(0)
    return {"x": random.random((120, 64), np.float32), "y": random.integers(0, 10, 120, np.int32)}


def gan(settings: Any, seeds: Any) -> Any:
    return load(ZOO / "gan.py").module.model(settings, seeds)


def mixed(settings: Any, seeds: Any) -> Any:
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    try:
        return e.cnn(settings, seeds)
    finally:
        keras.config.set_dtype_policy("float32")


def both_callbacks(settings: Any, seeds: Any) -> list[Any]:
    """Nothing ever improves enough: the rate falls and training ends by what they remember."""
    import keras

    return [
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=10.0),
        keras.callbacks.EarlyStopping("loss", patience=4, min_delta=10.0,
                                      restore_best_weights=True),
    ]  # fmt: skip


def of_history(_settings: Any, seeds: Any) -> list[Any]:
    """What it does depends on all epochs so far, and on four generators."""
    import keras

    class Shaking(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.own, self.seen = np.random.default_rng(seeds("shaking")), []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            draws = [self.own.random(), np.random.random(), random.random(),
                     float(keras.random.uniform(()))]  # fmt: skip
            self.seen.append(sum(draws))
            rate = 0.01 * sum(self.seen) / (1 + len(self.model.history.history.get("loss", ())))
            self.model.optimizer.learning_rate = rate
            logs["seen"] = rate

    return [Shaking()]


def unseeded_lstm(_settings: Any, _seeds: Any) -> Any:
    import keras

    between = [keras.layers.GaussianNoise(0.1), keras.layers.LSTM(4, dropout=0.2)]
    return e.compiled(keras.Sequential([keras.Input((3, 2)), *e.layers(*between)]))


def own_step(settings: Any, seeds: Any) -> Any:
    """With a generator of TensorFlow's, of which Keras does not know, a schedule and an average."""
    import keras
    import tensorflow as tf

    class Noise(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.generator = tf.random.Generator.from_seed(seeds("noise"))

        def call(self, x: Any) -> Any:
            return x + self.generator.normal(tf.shape(x))

    inner, inputs = e.own_step(settings, seeds), keras.Input((6,))
    model = type(inner)(inputs, inner(Noise()(inputs)))
    return e.compiled(model, optimizer=e.scheduled(settings, seeds).optimizer)


CASES: dict[str, dict[str, Any]] = {
    "lstm without seeds": {"dataset": e.sequences, "model": unseeded_lstm},
    "gan": {"dataset": digits, "model": gan},
    "own step, generator and schedule": {"model": own_step},
    "stopping and rates": {"model": e.small, "callbacks": both_callbacks},
    "mixed precision": {"dataset": e.images, "model": mixed, "augment": e.noise},
    "of its history": {"model": e.small, "callbacks": of_history},
}
EPOCHS = 6


def keeping(folder: Path, key: str = "key", seconds: int = 0) -> CheckpointPolicy:
    return CheckpointPolicy(folder, key, seconds)


FIT = ("gan", "stopping and rates", "mixed precision", "of its history")
LOOPS = [(name, "fit" if name in FIT else "graph") for name in CASES]
LOOPS.append(("stopping and rates", "graph"))
TWICE = (("stopping and rates", "graph"), ("of its history", "fit"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "loop"), LOOPS)
def test_a_resumed_training_is_the_uninterrupted_one(name: str, loop: str, tmp_path: Path) -> None:
    """Each kind of model by one of the loops, which share what resumes it; stopping by both.

    A second kill and validation are the same for all kinds of model: they come where callbacks
    hold something, the second kill once for each loop.
    """
    case = CASES[name]
    split = e.SPLIT if "callbacks" in case else e.NO_VALIDATION
    data = e.prepared(tmp_path / "data", case.get("dataset", e.table), split)
    experiment = e.code(**case)
    options: dict[str, Any] = {"loop": loop, "epochs": EPOCHS}
    whole = e.trained(experiment, data, tmp_path / "whole", **options)
    kept = keeping(tmp_path / "kept")
    kills = (2, 3) if (name, loop) in TWICE else (3,)
    for epoch in kills:
        with killed_after(epoch), pytest.raises(Killed):
            e.trained(experiment, data, tmp_path / "again", keeping=kept, **options)
    again = e.trained(experiment, data, tmp_path / "again", keeping=kept, **options)
    assert e.contents(tmp_path / "again") == e.contents(tmp_path / "whole")
    assert (again.resumed, again.resumable, again.epochs) == (kills, "yes", whole.epochs)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data", split=e.NO_VALIDATION)


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "validated")


SMALL = e.code(model=e.small)
EARLY = e.code(model=e.small, augment=e.noise, callbacks=e.stopping)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "epochs", "limit", "last", "loop"),
    [(SMALL, 1, None, 1, "graph"), (SMALL, 3, None, 3, "fit"),
     (EARLY, 9, None, None, "graph"), (EARLY, 9, None, None, "fit"),
     (SMALL, 4, {"epochs": 2}, 2, "fit"), (SMALL, 4, {"steps": 8}, 2, "graph")],
    ids=["one epoch", "several", "stopped early, graph", "stopped early, fit", "short by epochs",
         "short by steps"],
)  # fmt: skip
def test_killed_between_its_last_epoch_and_its_outputs(
    data: Path,
    validated: Path,
    tmp_path: Path,
    experiment: Any,
    epochs: int,
    limit: Any,
    last: Any,
    loop: str,
) -> None:
    """By one of the loops, neither of which runs again then; what stops itself by both.

    What stops itself is validated, too: its last logs are needed again.
    """
    data = validated if experiment is EARLY else data
    options: dict[str, Any] = {"loop": loop, "epochs": epochs, "limit": limit}
    whole = e.trained(experiment, data, tmp_path / "whole", **options)
    last = last or whole.epochs
    with killed_after(last), pytest.raises(Killed):
        e.trained(experiment, data, tmp_path / "a", keeping=keeping(tmp_path / "kept"), **options)
    again = e.trained(
        experiment, data, tmp_path / "a", keeping=keeping(tmp_path / "kept"), **options
    )
    assert e.contents(tmp_path / "a") == e.contents(tmp_path / "whole")
    assert (again.epochs, again.resumed) == (last, (last,))


def test_when_checkpoints_are_written_changes_no_bit(data: Path, tmp_path: Path) -> None:
    e.trained(EARLY, data, tmp_path / "none")
    for name, seconds in (("each", 0), ("never", 10**6)):
        kept = keeping(tmp_path / name / "kept", seconds=seconds)
        e.trained(EARLY, data, tmp_path / name, keeping=kept)
        assert e.contents(tmp_path / name) == e.contents(tmp_path / "none")
        assert bool(list(kept.folder.glob("epoch-*"))) == (seconds == 0)


def test_a_damaged_one_is_skipped(data: Path, tmp_path: Path) -> None:
    e.trained(SMALL, data, tmp_path / "whole", epochs=4)
    kept = keeping(tmp_path / "kept")
    with killed_after(3), pytest.raises(Killed):
        e.trained(SMALL, data, tmp_path / "a", keeping=kept, epochs=4)
    newest = kept.folder / "epoch-00000003.checkpoint"
    newest.write_bytes(newest.read_bytes()[:-1])
    assert e.trained(SMALL, data, tmp_path / "a", keeping=kept, epochs=4).resumed == (2,)
    assert e.contents(tmp_path / "a") == e.contents(tmp_path / "whole")


class Payload:
    """Pickled by a call of something that no checkpoint has."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


FORGED: dict[str, Callable[[str], bytes]] = {
    "a command": lambda file: pickle.dumps(Payload(os.system, f"touch '{file}'")),
    "a builtin": lambda file: pickle.dumps(Payload(exec, f"open({file!r}, 'w')")),
    "one of NumPy's": lambda file: pickle.dumps(Payload(np.testing.rundocs, file)),
    "no pickle": lambda file: b"no pickle",
    "another shape": lambda file: pickle.dumps(3),
    "other callbacks": lambda file: pickle.dumps(([1, 2, 3, 4], None)),
    "a name": lambda file: b"Panother\n.",
}


@pytest.fixture(scope="module")
def left(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a training that was killed; each test takes a copy of them."""
    folder = tmp_path_factory.mktemp("killed")
    with killed_after(2), pytest.raises(Killed):
        e.trained(SMALL, data, folder / "a", keeping=keeping(folder / "kept"), epochs=3)
    return folder / "kept"


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_one_runs_nothing_and_training_begins_again(
    name: str, data: Path, left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What comes after `RestartTraining` is looked at where a graph would be another one."""
    kept, proof = keeping(tmp_path / "kept"), tmp_path / "proof"
    shutil.copytree(left, kept.folder)
    assert len(list(kept.folder.glob("epoch-*"))) == 2
    for path in kept.folder.glob("epoch-*"):
        found = load_snapshot(path, kept.key)
        save(path, kept.key, replace(found, python=FORGED[name](str(proof))))
    with pytest.raises(RestartTraining):
        e.trained(SMALL, data, tmp_path / "a", keeping=kept, epochs=3)
    assert not proof.exists()
    assert not list(kept.folder.iterdir())
    assert "The checkpoints do not fit, because they" in capsys.readouterr().out


def test_one_of_another_training_is_not_taken(data: Path, tmp_path: Path) -> None:
    with killed_after(1), pytest.raises(Killed):
        e.trained(SMALL, data, tmp_path / "a", keeping=keeping(tmp_path / "kept"))
    other = keeping(tmp_path / "kept", key="other")
    assert e.trained(SMALL, data, tmp_path / "a", keeping=other).resumed == ()


def test_a_disk_that_is_full_costs_a_checkpoint_but_no_training(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    def full(*_: Any) -> None:
        raise UserError("No space left on device")

    monkeypatch.setattr(CheckpointStore, "add", full)
    done = e.trained(SMALL, data, tmp_path, keeping=keeping(tmp_path / "kept"))
    assert (done.epochs, done.resumable) == (2, "yes")
    assert "No checkpoint was written after epoch 1 (No space" in capsys.readouterr().out


def noises(x: Any, y: Any, seed: Any) -> Any:
    """Of three kinds: by an operation, by Python in each step, and by Python while it is traced."""
    import tensorflow as tf

    draws = np.random.default_rng(0)
    noise = tf.numpy_function(lambda a: draws.random(a.shape, np.float32), [x], x.dtype)
    return x + tf.random.normal(tf.shape(x), seed=1) + tf.ensure_shape(noise, x.shape) + (
        np.random.random()
    ), y


def eager(settings: Any, seeds: Any) -> Any:
    model = e.small(settings, seeds)
    model.run_eagerly = True
    return model


def sampled_validation(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Sampling(keras.Sequential):
        def test_step(self, data: Any) -> Any:
            x, y = data
            return super().test_step((x + tf.random.normal(tf.shape(x), seed=3), y))

    return e.compiled(Sampling([keras.Input((6,)), *e.layers()]))


_COUNTS = itertools.count()
_SEEN: list[int] = []


def holding(value: Any) -> Any:
    def callbacks(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        class Holding(keras.callbacks.Callback):
            def __init__(self) -> None:
                super().__init__()
                self.held = value()

        return [Holding()]

    return callbacks


def acting(end: Any) -> Any:
    def callbacks(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        return [keras.callbacks.LambdaCallback(on_epoch_end=end)]

    return callbacks


def a_variable() -> Any:
    import tensorflow as tf

    return tf.Variable(0.0)


class Meter:
    """Holds something of its own."""


def setting(_settings: Any, _seeds: Any) -> list[Any]:
    """Annealing as it is often written; without effect on a graph that is traced already."""
    import keras

    class Setting(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.layers[0].rate = 0.5 / (1 + epoch)

    return [Setting()]


def by_tensorflow() -> Any:
    import tensorflow as tf

    return acting(lambda epoch, logs: tf.random.uniform((), seed=1))


def by_closure() -> Any:
    seen: list[int] = []
    return acting(lambda epoch, logs: seen.append(epoch))


def backing(folder: str, **options: Any) -> Any:
    def callbacks(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        return [keras.callbacks.BackupAndRestore(folder, **options)]

    return callbacks


def in_a_new_folder(*arguments: Any) -> Any:
    return backing(tempfile.mkdtemp())(*arguments)  # which it removes at the end


OBSTACLES: dict[str, tuple[dict[str, Any], *tuple[str, ...]]] = {
    "noises": (
        {"augment": noises}, "the training step holds RandomStandardNormal",
        "the training step holds PyFunc", "draws from Python's or NumPy's own generator",
    ),
    "eager": ({"model": eager}, "the model runs eagerly"),
    "validation": ({"model": sampled_validation}, "test_step holds RandomStandardNormal"),
    "variable": ({"callbacks": holding(a_variable)}, "a callback holds a ResourceVariable"),
    "object": ({"callbacks": holding(Meter)}, "a callback holds a Meter"),
    "iterator": ({"callbacks": holding(lambda: iter([1]))}, "a callback holds a list_iterator"),
    "lambda": ({"callbacks": holding(lambda: [lambda: 0])}, "a callback holds something that"),
    "global": ({"callbacks": acting(lambda epoch, logs: _SEEN.append(epoch))},
               "a callback changes _SEEN, outside of itself"),
    "counter": ({"callbacks": acting(lambda epoch, logs: next(_COUNTS))}, "uses _COUNTS"),
    "closure": ({"callbacks": lambda *_: by_closure()(*_)}, "a callback changes seen"),
    "attribute": ({"callbacks": setting}, "a callback changes dense"),
    "tensorflow": ({"callbacks": lambda *_: by_tensorflow()(*_)}, "draws by tf.random"),
    "backup": ({"callbacks": in_a_new_folder}, "BackupAndRestore resumes a training by itself"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", OBSTACLES)
def test_what_cannot_be_put_back_is_told_and_never_resumed(
    name: str, data: Path, validated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    functions, *reasons = OBSTACLES[name]
    experiment = e.code(**{"model": e.small, **functions})
    kept = keeping(tmp_path / "kept")
    folder = validated if name == "validation" else data
    done = e.trained(experiment, folder, tmp_path, keeping=kept, epochs=1)
    assert done.resumable.startswith("no: ")
    said = capsys.readouterr().out
    assert all(reason in done.resumable and reason in said for reason in reasons), said
    assert not list(kept.folder.glob("epoch-*"))


@pytest.mark.slow
def test_a_training_that_a_callback_takes_up_by_itself_is_refused(
    data: Path, tmp_path: Path
) -> None:
    backup = backing(str(tmp_path / "backup"), delete_checkpoint=False)
    kept = e.code(model=e.small, callbacks=backup)
    e.trained(kept, data, tmp_path / "first", epochs=1)
    with pytest.raises(UserError, match=r"epoch 0 .* Received epoch 1.*BackupAndRestore"):
        e.trained(kept, data, tmp_path / "second", epochs=2)


def harmless(settings: Any, _seeds: Any) -> list[Any]:
    import keras

    rates = [0.01, 0.005]
    checks = {"a": rates}

    class Own(keras.callbacks.Callback):
        factor = 0.5

        def on_train_begin(self, logs: Any = None) -> None:
            self.first = self.model.layers[0]

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.best = {**getattr(self, "best", {}), epoch: np.float32(logs["loss"])}

    return [
        keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch % 2] * len(checks)),
        keras.callbacks.TerminateOnNaN(), keras.callbacks.SwapEMAWeights(), Own(),
    ]  # fmt: skip


def test_what_only_reads_from_outside_is_no_obstacle(data: Path, tmp_path: Path) -> None:
    def model(settings: Any, seeds: Any) -> Any:
        import keras

        return e.compiled(
            keras.Sequential([keras.Input((6,)), *e.layers()]),
            optimizer=keras.optimizers.SGD(0.1, use_ema=True),
        )

    experiment = e.code(model=model, callbacks=harmless)
    done = e.trained(experiment, data, tmp_path, keeping=keeping(tmp_path / "kept"))
    assert done.resumable == "yes"


def flagged(_settings: Any, seeds: Any) -> Any:
    """Its graph depends on something out of sight, which a callback sets before each epoch."""
    import keras

    class Flagged(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step((data[0] * float(os.environ["SCALE"]), data[1]))

    return e.compiled(Flagged([keras.Input((6,)), *e.layers()]))


def flagging(_settings: Any, _seeds: Any) -> list[Any]:
    import keras

    class Flagging(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            os.environ["SCALE"] = str(1.0 + epoch)

    return [Flagging()]


def test_a_graph_that_would_be_another_one_begins_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALE", "1")
    experiment = e.code(model=flagged, callbacks=flagging)
    e.trained(experiment, data, tmp_path / "whole", epochs=4)
    kept = keeping(tmp_path / "kept")
    with killed_after(2), pytest.raises(Killed):
        e.trained(experiment, data, tmp_path / "a", keeping=kept, epochs=4)
    with pytest.raises(RestartTraining):
        e.trained(experiment, data, tmp_path / "a", keeping=kept, epochs=4)
    assert not list(kept.folder.iterdir())
    assert e.trained(experiment, data, tmp_path / "a", keeping=kept, epochs=4).resumed == ()
    assert e.contents(tmp_path / "a") == e.contents(tmp_path / "whole")


def test_other_initial_weights_begin_again(data: Path, tmp_path: Path) -> None:
    import keras

    def other(settings: Any, seeds: Any) -> Any:
        model = e.small(settings, seeds)
        model.layers[0].bias.assign(keras.ops.ones(2))
        return model

    kept = keeping(tmp_path / "kept")
    with killed_after(1), pytest.raises(Killed):
        e.trained(SMALL, data, tmp_path / "a", keeping=kept)
    with pytest.raises(RestartTraining):
        e.trained(e.code(model=other), data, tmp_path / "a", keeping=kept)
