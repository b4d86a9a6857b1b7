"""Two fresh processes: what must not matter does not change a bit.

What was forgotten is found and placed by tests/workflow/test_faults.py.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from repro.compare.runs import Comparison, compare
from repro.core.factor_table import FACTORS

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
SOURCE = """
import time
import numpy as np

def dataset(data, settings, seeds):
    random = np.random.default_rng(seeds("x"))
    x = random.normal(size=(120, 6, 6, 1)).astype(np.float32)
    x += np.linalg.svd(random.normal(size=(400, 300)))[0][0, 0]  # BLAS, with its own threads
    return {"x": x, "y": (x.mean(axis=(1, 2, 3)) > 0).astype(np.int32)}

def augment(x, y, seed):
    import tensorflow as tf
    return x + 0.1 * tf.random.stateless_normal(tf.shape(x), seed), y

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


def compared(folder: Path) -> Comparison:
    """An original and a repeat, side by side, each in a process of its own."""
    (folder / "code.py").write_text(SOURCE)
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
        for run, vary in (("original", ""), ("repeat", ",".join(FACTORS)))
    ]  # fmt: skip
    for process in runs:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    return compare(folder / "original", folder / "repeat", 0, None)


@pytest.mark.slow
def test_no_factor_changes_a_bit(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert found.divergence is None
    assert found.differences == {}
    files = [
        {p.relative_to(tmp_path / run): p.read_bytes() for p in (tmp_path / run).rglob("*.*")
         if p.is_file() and p.suffix != ".keras"}
        for run in ("original", "repeat")
    ]  # fmt: skip
    assert files[0] == files[1]
