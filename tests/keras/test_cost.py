"""Each variant trains the user's model for a while, with just what its name says set."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import experiments as e
import pytest
import test_shapes
from lean_python import lean
from repro.core.canonical_json import canonical
from repro.core.errors import UserError
from repro.core.parameters import CostParameters, Threads
from repro.overhead.epoch_timer import LEAST, Clock
from repro.overhead.timed_training import VARIANTS, Task, measured

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
THREADS = Threads(intra=1, inter=3)
PARAMETERS = CostParameters(
    threads=THREADS, settings={}, seed=0, training=e.training(epochs=4, threads=THREADS)
)
SOURCE = """
import json, os, sys, traceback
from dataclasses import asdict
from pathlib import Path
import keras, tensorflow
from repro.core.canonical_json import decoded
from repro.core.parameters import CostParameters
from repro.overhead.timed_training import Task, measured
from repro.model.determinism import found

code, data, parameters, scratch, *variants = sys.argv[1:]
asked = decoded(CostParameters, json.loads(parameters))
task = Task(Path(code), Path(data), asked, 0, Path(scratch))
for variant in variants:  # no operation runs here: what is forked begins as a new process would
    if not os.fork():
        try:
            print(json.dumps({**asdict(measured(task, variant)), **asdict(found())}), flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("cost") / "data", split=e.NO_VALIDATION)


def experiment(folder: Path, *lines: str) -> Path:
    """A user's file with a table, a small model, and what else is said."""
    head = ["import experiments as e", "dataset, model = e.table, e.mlp"]
    (folder / "experiment.py").write_text("\n".join([*head, *lines, ""]))
    return folder / "experiment.py"


@pytest.fixture(scope="module")
def fresh(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Each variant, in a process of its own."""
    folder = tmp_path_factory.mktemp("fresh")
    code = experiment(folder, "augment = e.noise")
    path = os.pathsep.join([str(LIBRARY), str(Path(e.__file__).parent)])
    command = [sys.executable, "-B", "-c", SOURCE, str(code), str(data)]
    done = subprocess.run(
        [*command, canonical(PARAMETERS), str(folder), *VARIANTS],
        env=lean({**os.environ, "PYTHONPATH": path}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == len(VARIANTS), done.stderr
    return dict(zip(VARIANTS, map(json.loads, lines), strict=True))


SET = {
    "plain": ("fit", False, 0, 0), "threads": ("fit", False, 1, 3),
    "loop": ("graph", False, 1, 3), "determinism": ("graph", True, 1, 3),
    "trace": ("graph", True, 1, 3), "checkpoints": ("graph", True, 1, 3),
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_sets_what_its_name_says_and_no_more(
    variant: str, fresh: dict[str, dict[str, Any]]
) -> None:
    found = fresh[variant]
    assert tuple(found[k] for k in ("loop", "op_determinism", "intra", "inter")) == SET[variant]
    assert (found["epochs"], found["steps"], found["gpus"]) == (LEAST, 6, [])
    assert found["wall_s"] > 0
    assert found["processor_s"] > 0
    assert found["peak_bytes"] > 100 * 2**20  # TensorFlow alone is larger


def parameters(**changed: Any) -> CostParameters:
    """With the threads that the process of the tests has."""
    training = e.training(**{"epochs": 4, **changed})
    return replace(PARAMETERS, threads=e.THREADS, training=training)


def timed(code: Path, data: Path, variant: str, seconds: float = 1e9, **training: Any) -> Any:
    """In this process, where determinism has begun already."""
    import keras

    keras.backend.clear_session()
    return measured(Task(code, data, parameters(**training), seconds, code.parent), variant)


FORMS = {
    "two inputs": ("dataset, model = e.two_inputs, e.two_towers",),
    "weights": ("dataset = e.weighted",),
    "weights and augmentation": ("dataset, augment = e.weighted, e.noise",),
    "a step of its own": ("model = e.own_step",),
}


@pytest.mark.parametrize(
    ("form", "variant"), [*((form, "plain") for form in FORMS), ("two inputs", "determinism")]
)
def test_all_forms_of_data_and_model_are_timed(form: str, variant: str, tmp_path: Path) -> None:
    """Of the workflow's own loop, which test_loops holds, one alone: that it is given them."""
    code = experiment(tmp_path, *FORMS[form])
    dataset = {"two inputs": e.two_inputs}.get(form, e.weighted if "weights" in form else e.table)
    folder = e.prepared(tmp_path / "data", dataset)
    assert timed(code, folder, variant).epochs == 3


def test_inputs_alone_reach_a_step_of_its_own_in_whole_batches_too(tmp_path: Path) -> None:
    forms = "dataset, model = test_shapes.alone, test_shapes.auto_encoder"
    code = experiment(tmp_path, "import test_shapes", forms)
    folder = e.prepared(tmp_path / "data", test_shapes.alone)
    assert timed(code, folder, "plain", drop_remainder=True).epochs == 3


def test_a_checkpoint_is_written_after_every_epoch_and_cleared_away(
    data: Path, tmp_path: Path
) -> None:
    checked: list[int] = []
    code = experiment(tmp_path, "def callbacks(settings, seeds):\n    return []")
    task = Task(code, data, parameters(), 1e9, tmp_path, lambda: checked.append(1))
    assert measured(task, "checkpoints").epochs == 3
    assert len(checked) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["experiment.py"]


def test_where_no_checkpoint_can_be_kept_there_is_no_price_of_one(
    data: Path, tmp_path: Path
) -> None:
    drawing = "import tensorflow as tf\ndef augment(x, y, seed):\n"
    drawing += "    return x + tf.random.normal(tf.shape(x)), y"
    with pytest.raises(UserError, match="training that checkpoints can be kept of"):
        timed(experiment(tmp_path, drawing), data, "checkpoints")


def test_time_ends_a_training_after_the_least_number_of_epochs(data: Path, tmp_path: Path) -> None:
    assert timed(experiment(tmp_path), data, "plain", seconds=0, epochs=99).epochs == LEAST


def test_a_shorter_training_is_made_longer(data: Path, tmp_path: Path) -> None:
    for variant in ("plain", "determinism", "trace"):
        assert timed(experiment(tmp_path), data, variant, epochs=1).epochs == LEAST


STOPPED = """
def callbacks(settings, seeds):
    import keras

    def stop(epoch, logs):
        stopping.model.stop_training = True

    stopping = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    return [stopping]
"""


@pytest.mark.parametrize("variant", ["plain", "determinism", "trace"])
def test_a_training_that_ends_at_once_is_told(variant: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Expected a training of two epochs or more"):
        timed(experiment(tmp_path, STOPPED), data, variant)


def test_the_users_mistake_is_one_sentence(data: Path, tmp_path: Path) -> None:
    broken = "def model(settings, seeds):\n    raise ValueError('no such width')"
    with pytest.raises(UserError, match="no such width"):
        timed(experiment(tmp_path, broken), data, "plain")


def test_the_first_epoch_is_not_timed() -> None:
    clock = Clock(0)
    assert [clock.over() for _ in range(LEAST + 1)] == [False] * LEAST + [True]
    assert clock.spent(1, "fit").epochs == LEAST
