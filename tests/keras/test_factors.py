"""Two fresh processes: what must not matter does not; what was forgotten is found and placed."""

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from repro.cause.diagnose import causes
from repro.compare.runs import Comparison, Divergence, compare
from repro.core.factor_table import FACTORS, STRESS

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
NAMES = tuple(name for name in FACTORS if name != STRESS)
SOURCE = """
import time
import numpy as np

def dataset(data, settings, seeds):
    random = np.random.default_rng({dataset_seed})
    x = random.normal(size=(120, 6, 6, 1)).astype(np.float32)
    x += np.linalg.svd(random.normal(size=(400, 300)))[0][0, 0]  # BLAS, with its own threads
    return {{"x": x, "y": (x.mean(axis=(1, 2, 3)) > 0).astype(np.int32)}}

def augment(x, y, seed):
    import tensorflow as tf
    shift = {augment_shift}
    return x + shift + 0.1 * tf.random.stateless_normal(tf.shape(x), seed), y

def model(settings, seeds):
    import keras
    network = keras.Sequential([
        keras.Input((6, 6, 1)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(),
        keras.layers.Flatten(), keras.layers.Dropout(0.3), keras.layers.Dense(2),
    ])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return network
"""


def compared(folder: Path, factors: Sequence[str] = NAMES, **changed: str) -> Comparison:
    """An original and a repeat, side by side, each in a process of its own."""
    values = {"dataset_seed": 'seeds("x")', "augment_shift": "0.0", **changed}
    (folder / "code.py").write_text(SOURCE.format(**values))
    program = folder / "one_run.pyz"
    with zipfile.ZipFile(program, "w") as packed:
        for file in LIBRARY.rglob("*.py"):
            packed.write(file, file.relative_to(LIBRARY))
        packed.write(Path(__file__).with_name("one_run.py"), "__main__.py")
    start = [sys.executable, "-I", "-B", str(program), "launch"]
    work = ["--input", "experiment=code.py"]
    runs = [
        subprocess.Popen(
            [*start, "--run", run, "--vary", vary, "--", *work, "--out", run],
            cwd=folder, stderr=subprocess.PIPE, text=True,
        )
        for run, vary in (("original", ""), ("repeat", ",".join(factors)))
    ]  # fmt: skip
    for process in runs:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    return compare(folder / "original", folder / "repeat", 0, None)


@pytest.mark.slow
def test_no_factor_changes_a_bit(tmp_path: Path) -> None:
    found = compared(tmp_path, FACTORS)
    assert found.divergence is None
    assert found.differences == {}
    files = [
        {p.relative_to(tmp_path / run): p.read_bytes() for p in (tmp_path / run).rglob("*.*")
         if p.is_file() and p.suffix != ".keras"}
        for run in ("original", "repeat")
    ]  # fmt: skip
    assert files[0] == files[1]


@pytest.mark.slow
def test_a_forgotten_seed_in_the_dataset_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, dataset_seed="").divergence
    assert found == Divergence("prepared data", variable="test/x.npy")
    assert causes(found)[0].cause == "data content"


@pytest.mark.slow
def test_a_forgotten_seed_in_the_augmentation_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, augment_shift="np.float32(np.random.default_rng().normal())")
    assert found.divergence == Divergence("batch content", 0, 0)
    assert causes(found.divergence)[0].cause == "augmentation"
    assert {"weights", "history", "predictions"} <= set(found.differences)
