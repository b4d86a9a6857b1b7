"""Every style of loop, hooked: the same bytes as without the hook, and each step digested."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lean_python import lean
from repro.divergence.first_divergence import compared_steps, first_divergence
from repro.divergence.recorded import Moment, read
from repro.hook.install import HookSettings, installed
from repro.ledger.watched_calls import KERAS_SEED

SCRIPT = Path(__file__).parent / "loops/loops.py"
Run = Callable[..., Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs styles in a process of their own; the folder of its weights and, if hooked, events."""

    def runs(*styles: str, hooked: bool = True, steps: int | None = None) -> Path:
        folder = tmp_path_factory.mktemp("run")
        environment = {**lean(os.environ), "TF_CPP_MIN_LOG_LEVEL": "3"}
        if hooked:
            events = folder / "events"
            settings = HookSettings((), "check", folder / "found", events=events, steps=steps)
            environment = installed(folder / "hook", settings, environment)
        command = [sys.executable, str(SCRIPT), str(folder), *styles]
        done = subprocess.run(
            command, env=environment, cwd=SCRIPT.parent, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stderr
        return folder

    return runs


@pytest.fixture(scope="module")
def plain(run: Run) -> Path:
    return run(hooked=False)


@pytest.fixture(scope="module")
def hooked(run: Run) -> Path:
    return run()


def weights(folder: Path) -> dict[str, str]:
    files = sorted(folder.glob("*.weights.h5"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def moments(folder: Path) -> list[Moment]:
    (process,) = read(folder / "events")
    assert process.ended
    return list(process.moments)


def test_a_hooked_run_writes_the_bytes_of_an_unhooked_one(plain: Path, hooked: Path) -> None:
    assert len(weights(plain)) == 11
    assert weights(hooked) == weights(plain)


def test_each_step_is_seen_once_and_evaluation_is_none(hooked: Path) -> None:
    steps = Counter(moment.model for moment in moments(hooked) if moment.step)
    # By the names that Keras gives in the order in which the models are made.
    of_fit = {"sequential": 18, "sequential_1": 6, "sequential_2": 18, "sequential_3": 18}
    assert {name: steps[name] for name in of_fit} == of_fit  # fit, several steps, jit, eagerly
    assert steps["sequential_4"] == 6  # train_on_batch
    assert steps["own"] == 12
    assert steps["sequential_5"] == 12  # tf.function
    assert steps["sequential_6"] == 12  # eager loop
    assert steps["assign_sub"] == 6
    assert steps["train_step"] == 6  # the GAN's
    assert [steps[f"sequential_{n}"] for n in (8, 9)] == [3, 3]  # folds


def test_two_hooked_runs_of_one_script_agree(run: Run, hooked: Path) -> None:
    found = compared_steps(hooked / "events", run() / "events")
    assert found.divergence is None
    assert found.agreed == sum(moment.step > 0 for moment in moments(hooked))


@pytest.mark.parametrize("style", ["fit unseeded", "eager loop unseeded"])
def test_without_a_seed_the_first_layer_that_draws_one_is_named(run: Run, style: str) -> None:
    found = first_divergence(*(run(style, steps=1) / "events" for _ in range(2)))
    assert found is not None
    assert (found.step, found.what) == (0, "initial value")
    line = next(
        n for n, text in enumerate(SCRIPT.read_text().splitlines(), 1) if "layers.Dense(8" in text
    )
    assert found.call is not None
    assert (found.call.source, found.call.file) == (KERAS_SEED, "loops.py")
    assert found.call.line == line


def test_the_process_ends_after_so_many_steps(run: Run) -> None:
    assert [moment.step for moment in moments(run("fit", steps=3)) if moment.step] == [1, 2, 3]
