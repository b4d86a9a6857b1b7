"""Trials by the real class, with programs that do at once what a training does in time."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.cause.fault_isolation import search
from repro.cause.trials import Runs, Setting, reaching, scratch
from repro.compare.divergence import Divergence
from repro.core.parameters import Threads, Training, TrainParameters
from repro.record import manifest
from repro.record.environment import environment
from repro.record.statement import Making
from samples import write_run

PROGRAM = """
import json, os, pathlib, shutil, sys
words = sys.argv[1:]
def option(name): return words[words.index(name) + 1]
out, original = pathlib.Path(option("--out")), pathlib.Path({original!r})
cut = words.index("--")
(pathlib.Path({notes!r})).open("a").write(json.dumps([words[:cut], option("--parameters")]) + "\\n")
for file in original.glob("*.*"):
    shutil.copyfile(file, out / file.name)
{work}
"""
UNSEEDED = """
from safetensors.numpy import load_file, save_file
import numpy as np
weights = load_file(out / "weights.safetensors")
weights["dense/bias"] = weights["dense/bias"] + np.float32(int.from_bytes(os.urandom(2), "big"))
save_file(weights, out / "weights.safetensors")
"""
FACTS = {"lock": f"sha256:{'0' * 64}", "channel": "local", "platform": "linux-64"}
PACKAGE = {"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "1" * 64}
Make = Callable[..., Runs]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function that makes an original, and a program that trains again by some lines."""

    def made(work: str, **changed: Any) -> Runs:
        original = write_run(tmp_path / "original")
        folder = original / "seed-0"
        threads = Threads(2, 1)
        training = Training(epochs=2, batch_size=1, loop="graph", trace="step", threads=threads)
        parameters = TrainParameters(
            threads=threads, settings={}, seed=0, training=training, **changed
        )
        making = Making(
            names={"step": "train", "experiment": "e", "run": "original"},
            parameters=parameters.json(), inputs={},
            installed={**FACTS, "packages": [PACKAGE]}, process={"factors": []},
            environment={**environment(), "loaded": {"packages": [], "host": {}}},
        )  # fmt: skip
        manifest.write(folder / "train.manifest.json", making, [folder / "trace.jsonl"])
        program = tmp_path / "program.py"
        notes = str(tmp_path / "notes")
        program.write_text(PROGRAM.format(original=str(folder), notes=notes, work=work))
        return Runs("e", program, {"experiment": "experiment.py"}, original, 0, "repeat-3")

    return made


def started(runs: Runs) -> list[list[object]]:
    """What the program was started with, each time."""
    lines = (runs.program.parent / "notes").read_text().splitlines()
    return [json.loads(line) for line in lines]


AT = Divergence("final weights", variable="dense/bias")


def test_other_weights_after_the_last_epoch_are_told_apart(make: Make) -> None:
    """By `on_train_end`, say: trace and history are the same in every run."""
    with scratch(reaching(AT, make(UNSEEDED))) as trials:
        found = search(["clock"], list, trials.attempt, 8)
    assert found.kind == "random"
    assert [trial.same for trial in found.trials] == [False, False]
    assert len({trial.mark for trial in found.trials}) == 2
    assert {trial.at for trial in found.trials} == {AT}


def test_the_same_results_are_the_same(make: Make) -> None:
    runs = make("")
    with scratch(reaching(AT, runs)) as trials:
        one, two = trials.attempt(()), trials.attempt(("clock", "home"))
    assert (one.same, two.same, one.mark == two.mark, one.at) == (True, True, True, None)
    launched = [words for words, _ in started(runs)]
    assert launched[0] == ["launch", "--run", "repeat-3", "--intra", "2", "--vary", ""]
    assert launched[1][6] == "clock,home"


def test_a_trial_sees_the_variables_of_the_original(make: Make) -> None:
    runs = make("", environment_variables={"B": "sha256:0", "A": "sha256:1"})
    with scratch(reaching(AT, runs)) as trials:
        trials.attempt(("clock",))
    ((words, _),) = started(runs)
    assert isinstance(words, list)
    assert words[-2:] == ["--pass", "A,B"]


@pytest.mark.parametrize(
    ("divergence", "limit"),
    [
        (Divergence("weights", 1, 2), {"steps": 3 + 2 + 1}),
        (Divergence("optimizer state", 1), {"epochs": 2}),
        (Divergence("initial weights"), {"steps": 1}),
        (Divergence("final weights"), None),
    ],
)
def test_a_trial_goes_as_far_as_the_divergence(
    divergence: Divergence, limit: dict[str, int] | None, make: Make
) -> None:
    runs = make("sys.exit(2)")
    with scratch(reaching(divergence, runs)) as trials:
        trials.attempt(())
    ((_, parameters),) = started(runs)
    assert json.loads(str(parameters))["limit"] == limit


def test_a_trial_may_vary_like_another_run_and_run_twice(make: Make) -> None:
    runs = make("")
    with scratch(Setting(runs, "train")) as trials:
        trials.attempt(("hash seed",), like="order-5", twice=True)
    ((words, _),) = started(runs)
    assert isinstance(words, list)
    assert words[:3] == ["launch", "--run", "order-5"]
    assert words[-1] == "--twice"


def test_a_failed_trial_says_the_same_in_every_run_and_folder(make: Make) -> None:
    say = (
        "import tempfile; file = tempfile.mkdtemp(prefix='a b') + '/d.npy'; "
        "print(f'Expected a. Received FileNotFoundError ({file!r}, {out}/e) of "
        "<f at {hex(id(out))}>. (Log: {out}/log)', file=sys.stderr); sys.exit(2)"
    )
    with scratch(reaching(AT, make(say))) as trials:
        said = {trials.attempt(()).failed for _ in range(2)}
    assert len(said) == 1
    assert said == {"Expected a. Received FileNotFoundError ('…/d.npy', …/e) of <f at 0x…>."}


def test_a_failed_trial_keeps_its_sentence_without_the_path_of_a_log(make: Make) -> None:
    say = "print('Expected a. Received b. (Log: gone/log)', file=sys.stderr); sys.exit(2)"
    with scratch(reaching(AT, make(say))) as trials:
        trial = trials.attempt(())
    assert (trial.same, trial.failed) == (False, "Expected a. Received b.")
    assert sys.executable not in str(trial)
