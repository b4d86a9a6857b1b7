"""`check` on real trainings: the first step at which two runs diverge, with the line; or none."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lean_python import lean
from repro.check.varied import USUAL
from repro.launch.drawn_values import hash_seed

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
CHECK = (
    f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); from repro.cli.check import main; "
    "sys.exit(main())"
)

TRAIN = """
import sys
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
tf.config.experimental.enable_op_determinism()
tf.config.threading.set_intra_op_parallelism_threads(1)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")
FAULT
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy")
history = model.fit(x, y, epochs=2, batch_size=16, verbose=0).history
model.save_weights("model.weights.h5")
print("loss:", history["loss"])
"""
FEW = (
    "--keep", ",".join(name for name in USUAL if name not in ("hash seed", "locale")),
    "--only", "steps",
)  # fmt: skip
"""Of the factors only two are varied: the search among all needs no training to be tested."""
LINE = 1 + TRAIN.split("\n").index("FAULT")


def checked(folder: Path, fault: str, *options: str, status: int) -> Any:
    """The report on a training with some code in it."""
    (folder / "train.py").write_text(TRAIN.replace("FAULT", fault))
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *options, "--", sys.executable, "train.py"],
        cwd=folder, text=True, capture_output=True, check=False, timeout=600,
        env={**lean(os.environ), "TF_CPP_MIN_LOG_LEVEL": "2", "HOME": str(folder)},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Not the same" in done.stdout or "The same" in done.stdout
    return json.loads((folder / "check" / "report.json").read_text())


def kept_by_the_second_run_alone() -> tuple[str, str]:
    """Two texts whose set has one order in the first two runs, and another in the third."""
    seeds = ["0", hash_seed("check-2"), hash_seed("check-3")]
    code = "print(*[hash(f'label {n}') & 7 for n in range(40)])"
    orders = [
        subprocess.check_output(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        ).split()
        for seed in seeds
    ]
    for one, other in itertools.combinations(range(40), 2):
        places = [(order[one], order[other]) for order in orders]
        first, second, third = (a < b for a, b in places)
        if first == second != third and all(a != b for a, b in places):
            return f"label {one}", f"label {other}"
    raise AssertionError("no such pair")


def test_what_only_the_watched_runs_show_is_found(tmp_path: Path) -> None:
    pair = kept_by_the_second_run_alone()
    fault = f"y[0] = list({{{pair[0]!r}, {pair[1]!r}}}).index({pair[0]!r})"
    report = checked(tmp_path, fault, *FEW, "--budget", "30m", status=1)
    assert report["factor"]["name"] == "hash seed"
    divergence = report["steps"]["divergence"]
    assert (divergence["step"], divergence["call"]["line"]) == (1, LINE)
    assert "depends on the hash seed)" in report["sentence"]


def test_a_script_that_the_hook_changes_makes_the_steps_void(tmp_path: Path) -> None:
    fault = "y[0] = float('ledger' in ' '.join(sys.modules))"
    report = checked(tmp_path, fault, status=0)
    assert report["answer"] == "same"
    assert "differ from those of the plain one" in report["steps"]["void"]
    assert report["steps"]["divergence"] is None


def test_a_training_that_repeats_agrees_at_as_many_steps_as_asked_for(tmp_path: Path) -> None:
    report = checked(tmp_path, "", "--steps", "3", status=0)
    assert report["steps"] == {
        "void": None, "agreed": 3, "not_compared": 0, "undecided": 0, "divergence": None,
    }  # fmt: skip
    assert "3 training steps agreed, bit for bit" in report["sentence"]
