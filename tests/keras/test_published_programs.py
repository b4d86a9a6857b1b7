"""Programs as people publish them reach a result with few changed lines: tests/published."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters
from repro.core.seeding import Seeds
from repro.data.prepare import part, prepare
from repro.data.user_code import load
from repro.model.evaluation import evaluate
from repro.model.training import Trained, train
from repro.watch.call_sites import FUNCTIONS

PROGRAMS = Path(__file__).parents[1] / "published"
MOST_CHANGED = 10
WRAPPING = (
    *(f"def {name}(" for name in (*FUNCTIONS, "train_step", "test_step")), "class ", "return ",
)  # fmt: skip
"""How lines begin that put the program into functions."""


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def small(count: int = 160) -> tuple[Any, Any]:
    """A table of six columns and whether its rows are large, as a column."""
    x = random().normal(size=(count, 6)).astype(np.float32)
    return x, (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)


def parts_csv(folder: Path) -> Path:
    x, _ = small(250)
    rows = np.c_[x, x.sum(axis=1) > 3]
    np.savetxt(folder / "parts.csv", rows, delimiter=",", header="a,b,c,d,e,f,bad", fmt="%.5f")
    return folder / "parts.csv"


def waves(folder: Path) -> Path:
    for name, count in (("train", 80), ("test", 20)):
        label = random().choice([-1, 1], count)
        wave = np.sin(np.linspace(0, 6, 20) * np.where(label > 0, 2, 4)[:, None])
        wave += random().normal(0, 0.1, wave.shape)
        np.savetxt(folder / f"{name}.tsv", np.c_[label, wave], delimiter="\t")
    return folder


def digits_npz(folder: Path) -> Path:
    x = random().integers(0, 255, (120, 8, 8)).astype(np.uint8)
    np.savez(folder / "digits.npz", x_train=x[:90], x_test=x[90:])
    return folder / "digits.npz"


def texts(folder: Path) -> Path:
    for kind, words in (("blame", "dull awful boring"), ("praise", "fine great loved")):
        (folder / kind).mkdir()
        for number in range(24):
            chosen = random().choice(words.split(), 4)
            (folder / kind / f"{number}.txt").write_text(f"{' '.join(chosen)}!<br />No {number}.")
    return folder


def images(folder: Path) -> Path:
    import tensorflow as tf

    for place, kind in enumerate(("blue", "red")):
        (folder / kind).mkdir()
        for number in range(24):
            image = random().integers(0, 90, (12 + number % 3, 12, 3)).astype(np.uint8)
            image[..., 2 - 2 * place] += 100 + number
            (folder / kind / f"{number}.png").write_bytes(tf.io.encode_png(image).numpy())
    return folder


def small_npz(folder: Path) -> Path:
    x, y = small()
    np.savez(folder / "small.npz", x=x, y=y)
    return folder / "small.npz"


def numbers_npz(folder: Path) -> Path:
    x, _ = small()
    np.savez(folder / "numbers.npz", x=x, y=np.round(22 + x.sum(axis=1), 1))
    return folder / "numbers.npz"


def customers_csv(folder: Path) -> Path:
    ages, countries = random().integers(18, 80, 120), ["Chile", "Ghana", "Japan"] * 40
    pairs = enumerate(zip(ages, countries, strict=True))
    rows = [f"No {n},{country},{age},{age * 1.5},{int(age > 50)}" for n, (age, country) in pairs]
    file = folder / "customers.csv"
    file.write_text("\n".join(["name,country,age,balance,left", *rows, ""]))
    return file


def saved_model(folder: Path) -> Path:
    import keras

    base = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="relu")])
    base.save(folder / "base.keras")
    return folder / "base.keras"


@dataclass(frozen=True)
class Program:
    """What a program is given, and the metrics that it must give."""

    data: Callable[[Path], Path] | None
    metrics: set[str]
    settings: dict[str, Any]
    shares: dict[str, float]


def program(data: Callable[[Path], Path] | None, *metrics: str, **changed: Any) -> Program:
    return Program(data, set(metrics), **{"settings": {}, "shares": e.SPLIT, **changed})


GIVEN_TEST = {"train": 0.8, "validation": 0.2, "test": 0.0}
CASES = {
    "imbalanced": program(parts_csv, "loss", "precision", "recall"),
    "timeseries": program(waves, "loss", "accuracy", shares=GIVEN_TEST),
    "vae": program(digits_npz),
    "text": program(texts, "loss", "accuracy"),
    "image_folder": program(images, "loss", "accuracy"),
    "several_outputs": program(None, "loss", "urgent_loss", "desk_loss"),
    "transfer": program(small_npz, "loss", "accuracy"),
    "k_fold": program(numbers_npz, "loss", "mae", settings={"fold": 1}),
    "table": program(customers_csv, "loss", "accuracy", shares=GIVEN_TEST),
    "custom_loop": program(small_npz, "accuracy"),
}


def lines(file: Path) -> Counter[str]:
    return Counter(line.strip() for line in file.read_text("utf-8").splitlines() if line.strip())


@pytest.mark.parametrize("name", CASES)
def test_few_lines_of_a_published_program_change(name: str) -> None:
    script, experiment = (
        lines(PROGRAMS / kind / f"{name}.py") for kind in ("scripts", "experiments")
    )
    changed = [line for line in (experiment - script).elements() if not line.startswith(WRAPPING)]
    assert len(changed) <= MOST_CHANGED, changed
    assert "model.fit(" not in "".join(experiment)


def ran(name: str, case: Program, folder: Path) -> Trained:
    """Prepares, trains and evaluates, in the folder of a step."""
    import keras

    for package in ("pandas", "sklearn") if name == "table" else ():
        pytest.importorskip(package)

    given = {"": saved_model(folder)} if name == "transfer" else None
    (folder / "raw").mkdir()
    sources = {"": case.data(folder / "raw")} if case.data else {}
    code = load(PROGRAMS / "experiments" / f"{name}.py", given)
    asked = replace(e.PREPARE, split=case.shares, settings=case.settings)
    prepare(code, sources, asked, folder / "data")
    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    found = train(code, folder / "data", replace(e.to_train(), settings=case.settings), folder)
    after = EvaluateParameters(threads=e.THREADS, settings=case.settings, seed=0, batch_size=16)
    weights = folder / "weights.safetensors"
    assert evaluate(code, folder / "data", weights, after, folder).same
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_published_program_reaches_its_result(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    found = ran(name, case, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())["metrics"]
    assert set(metrics) == case.metrics
    assert all(np.isfinite(value) for value in metrics.values())
    assert found.augmented == (name == "image_folder")
    assert set(found.class_weight) == ({"0", "1"} if name == "imbalanced" else set())
    assert (tmp_path / "best.keras").exists() == (name == "timeseries")
    sizes = {kind: len(part(tmp_path / "data", kind)["id"]) for kind in ("train", "test")}
    assert sizes["test"] == {"timeseries": 20, "k_fold": 40, "table": 24}.get(name, sizes["test"])
    assert sizes["train"] > sizes["test"] > 0
