"""The best epoch's weights are the result: as the history decides, in both loops, after a kill."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError
from repro.core.parameters import BestEpoch
from repro.core.seeding import Seeds
from repro.model.training import Trained
from repro.record.trace import read
from repro.variables.best_epoch import BestWeights
from repro.variables.by_path import read as weights_of
from test_resume import EPOCHS, Killed, keeping, killed_after

Wholes = dict[tuple[str, str], tuple[Path, Trained]]
LOOPS = ("graph", "fit")
VALUES = (3.0, 2.0, math.nan, 1.0, 1.0, 2.0)
BEST = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data", split=e.NO_VALIDATION)


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "validated")


def logging(*values: float) -> Any:
    """Callbacks that log these values, one an epoch, as `val_fault` and, negated, `val_score`."""

    def callbacks(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        class Logging(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                logs |= {"val_fault": values[epoch], "val_score": -values[epoch]}

        return [Logging()]

    return callbacks


def digests(folder: Path) -> dict[str, str]:
    arrays = weights_of(folder / "weights.safetensors")
    return {name: sha256_bytes(array.tobytes()) for name, array in arrays.items()}


def at_end_of(folder: Path, epoch: int) -> dict[str, str]:
    """The digests of the weights at the end of an epoch, as the trace has them."""
    lines = read(folder / "trace.jsonl").lines
    return next(line["weights"] for line in lines if line["epoch"] == epoch and "step" not in line)


def trained(data: Path, out: Path, asked: BestEpoch, values: Any = VALUES, **more: Any) -> Trained:
    code = e.code(model=e.small, callbacks=logging(*values))
    return e.trained(code, data, out, epochs=len(values), best_epoch=asked, **more)


MONITORED = {
    "less is better": BestEpoch("val_fault", "min"),
    "more is better": BestEpoch("val_score", "max"),
}


@pytest.fixture(scope="module")
def wholes(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """A training by what is monitored and by its loop: its folder, and what is said of it."""
    folders = {
        (name, loop): tmp_path_factory.mktemp(loop) / "out" for name in MONITORED for loop in LOOPS
    }
    return {
        (name, loop): (folder, trained(data, folder, MONITORED[name], loop=loop))
        for (name, loop), folder in folders.items()
    }


@pytest.mark.parametrize("name", MONITORED)
def test_the_first_of_the_best_epochs_gives_the_weights(name: str, wholes: Wholes) -> None:
    for loop in LOOPS:
        folder, done = wholes[name, loop]
        assert (done.loop, done.best_epoch, done.epochs) == (loop, BEST, len(VALUES))
        assert digests(folder) == at_end_of(folder, BEST)
        assert digests(folder) != at_end_of(folder, len(VALUES) - 1)
    assert e.contents(wholes[name, "graph"][0]) == e.contents(wholes[name, "fit"][0])


def test_nothing_else_of_a_training_changes(data: Path, wholes: Wholes, tmp_path: Path) -> None:
    best, _ = wholes["less is better", "graph"]
    code = e.code(model=e.small, callbacks=logging(*VALUES))
    last = e.trained(code, data, tmp_path / "last", epochs=6)
    assert last.best_epoch is None
    assert digests(tmp_path / "last") == at_end_of(tmp_path / "last", 5)
    for name in ("trace.jsonl", "history.csv"):
        assert (best / name).read_bytes() == (tmp_path / "last" / name).read_bytes()


def test_the_keras_file_is_of_the_same_epoch(data: Path, tmp_path: Path) -> None:
    import keras

    trained(data, tmp_path, MONITORED["less is better"], VALUES[:4][::-1])
    saved = keras.saving.load_model(tmp_path / "model.keras").get_weights()
    arrays = weights_of(tmp_path / "weights.safetensors").values()
    assert sorted(a.tobytes() for a in saved) == sorted(a.tobytes() for a in arrays)


def test_it_is_the_epoch_that_keras_would_have_saved(validated: Path, tmp_path: Path) -> None:
    def saving(_settings: Any, _seeds: Any) -> list[Any]:
        import keras

        path = str(tmp_path / "best.weights.h5")
        return [
            keras.callbacks.ModelCheckpoint(
                path, monitor="val_loss", save_best_only=True, save_weights_only=True
            )
        ]

    def restless(settings: Any, seeds: Any) -> Any:
        import keras

        return e.compiled(e.mlp(settings, seeds), optimizer=keras.optimizers.SGD(2.0))

    code = e.code(model=restless, callbacks=saving)
    out, best = tmp_path / "out", BestEpoch()
    done = e.trained(code, validated, out, epochs=8, best_epoch=best, loop="fit")
    rows = list(csv.DictReader((out / "history.csv").open(newline="")))
    losses = [float(row["val_loss"]) for row in rows]
    assert done.best_epoch == losses.index(min(losses)) < 7
    model = e.mlp({}, Seeds(0))
    model.load_weights(tmp_path / "best.weights.h5")
    arrays = weights_of(out / "weights.safetensors").values()
    assert sorted(a.tobytes() for a in model.get_weights()) == sorted(a.tobytes() for a in arrays)


@pytest.mark.parametrize("loop", LOOPS)
def test_it_is_kept_through_kills(loop: str, data: Path, wholes: Wholes, tmp_path: Path) -> None:
    """Before the best epoch, after it, and between the last epoch and the outputs."""
    asked, kills = MONITORED["less is better"], (2, 4, EPOCHS)
    kept = keeping(tmp_path / "kept")
    for epoch in kills:
        with pytest.raises(Killed), killed_after(epoch):
            trained(data, tmp_path / "killed", asked, loop=loop, keeping=kept)
    done = trained(data, tmp_path / "on", asked, loop=loop, keeping=kept)
    whole, _ = wholes["less is better", loop]
    assert (done.resumed, done.best_epoch) == (kills, BEST)
    assert e.contents(tmp_path / "on") == e.contents(whole)


def test_where_no_epoch_has_a_number_the_last_one_stays(data: Path, tmp_path: Path) -> None:
    done = trained(data, tmp_path, MONITORED["less is better"], (math.nan, math.nan))
    assert done.best_epoch is None
    assert digests(tmp_path) == at_end_of(tmp_path, 1)


def test_a_value_that_is_not_logged_is_refused(data: Path, validated: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Expected `val_recall`.*Received accuracy, loss, val_"):
        e.trained(e.code(), validated, tmp_path, best_epoch=BestEpoch("val_recall"))
    with pytest.raises(UserError, match=r"Expected `val_loss`.*give `validation` a share"):
        e.trained(e.code(), data, tmp_path, best_epoch=BestEpoch())


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [
        ("min", [2.0, 1.0, 1.0], 1),
        ("max", [1.0, 2.0, 2.0], 1),
        ("min", [math.nan, 1.0, math.nan], 1),
        ("max", [math.nan, -1.0, 5.0], 2),
        ("min", [math.inf, 3.0], 1),
        ("min", [-math.inf, -math.inf], 0),
        ("min", [math.nan, math.nan], None),
        ("max", [0.0, -0.0], 0),
    ],
)
def test_ties_and_what_is_no_number(mode: str, values: list[float], best: int | None) -> None:
    class Model:
        weights: tuple[()] = ()

    kept = BestWeights(BestEpoch("loss", mode), Model())
    again = BestWeights(BestEpoch("loss", mode), Model())
    logs: list[Mapping[str, float]] = [{"loss": value} for value in values]
    for epoch, each in enumerate(logs):
        kept.see(epoch, each)
    again.resume(logs, {"a": np.zeros(1)})
    assert kept.epoch == again.epoch == best
