"""Trials by the real class, with programs that do at once what a training does in time."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.cause import growth as module
from repro.cause.fault_isolation import Found, search
from repro.cause.growth import Growth, chosen, grow
from repro.cause.setting import Runs, Setting, reaching
from repro.cause.trials import scratch
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


def started(runs: Runs) -> list[list[Any]]:
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


KEEPS = """
from safetensors.numpy import load_file, save_file
import numpy as np
values, other = json.loads(option("--values")), {differs}
(out / "values").mkdir()
for epoch, step in values["steps"]:
    near = np.full(values["every"], 1 + other * (epoch + step) / 8, "float32")
    file = out / "values" / f"{{epoch}}-{{step}}.safetensors"
    save_file({{"near": near, "same": near * 0}}, file)
if other:
    weights = load_file(out / "weights.safetensors")
    save_file({{n: w + np.float32(other) for n, w in weights.items()}}, out / "weights.safetensors")
"""
VARIED = KEEPS.format(differs='"clock" in words[cut - 1]')
BY_CLOCK = Found("factor", (), (("clock",),))
RACE = Found("a race", ())


def grown(runs: Runs, found: Found, budget: int, divergence: Divergence) -> Growth:
    return grow(divergence, reaching(divergence, runs), found, budget)


def test_growth_is_taken_with_the_factor_and_without(make: Make) -> None:
    runs = make(VARIED)
    found = grown(runs, BY_CLOCK, 2, Divergence("weights", 0, 1, "near"))
    assert [(each["epoch"], each["step"]) for each in found.steps] == [
        (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip
    assert [each["relative"] for each in found.steps] == pytest.approx(
        [1 / 9, 2 / 10, 1 / 9, 2 / 10, 3 / 11]
    )
    assert found.first_variables == [{"epoch": 0, "step": 1, "variable": "near"}]
    assert "one with nothing varied, one with the clock varied." in found.how
    assert "first diverge at the final weights (dense/bias)" in found.how
    assert [list(words)[-1] for words, _ in started(runs)] == ["", "clock"]
    assert {json.loads(str(p))["limit"]["steps"] for _, p in started(runs)} == {6}


@pytest.mark.parametrize(
    ("differs", "budget", "made"), [(2, 9, 2), (3, 9, 3), (3, 2, 2), (9, 3, 3), (9, 9, 4)]
)
def test_growth_of_what_chance_decides_takes_trials_until_two_differ(
    differs: int, budget: int, made: int, make: Make
) -> None:
    runs = make(KEEPS.format(differs=f"out.parent.name == '{differs}'"))
    found = grown(runs, RACE, budget, Divergence("weights", 0, 0, "near"))
    assert len(started(runs)) == made
    assert bool(found.steps) == (differs <= made)
    if not found.steps:
        assert found.how == f"Not known, since {made} further trainings gave the same bits."


def test_growth_by_a_factor_that_then_changes_nothing_is_not_known(make: Make) -> None:
    runs = make(KEEPS.format(differs="False"))
    found = grown(runs, BY_CLOCK, 9, Divergence("weights", 0, 0, "near"))
    assert found.how == "Not known, since 2 further trainings gave the same bits."


@pytest.mark.parametrize(
    ("divergence", "found", "budget", "reason"),
    [
        (Divergence("prepared data"), BY_CLOCK, 9, "the runs diverge before training"),
        (Divergence("predictions"), BY_CLOCK, 9, "the runs diverge after training"),
        (Divergence("final weights"), BY_CLOCK, 9, "no step of training follows that place"),
        (Divergence("optimizer state", 1), BY_CLOCK, 9, "no step of training follows that place"),
        (AT, Found("stale state", ()), 9, "the original's bits did not come again"),
        (Divergence("loss", 0, 1), RACE, 1, "`search.trials` leaves fewer than two trials for it"),
    ],
)
def test_growth_that_is_not_taken_has_a_reason(
    divergence: Divergence, found: Found, budget: int, reason: str, make: Make
) -> None:
    growth = grown(make("sys.exit(1)"), found, budget, divergence)
    assert (growth.how, growth.steps) == (f"Not taken, since {reason}.", [])


def test_growth_is_not_known_where_a_training_stops(make: Make) -> None:
    runs = make("print('Expected a. Received b.', file=sys.stderr); sys.exit(2)")
    found = grown(runs, BY_CLOCK, 9, Divergence("weights", 0, 1))
    assert found.how.startswith("Not known, since a further training stopped with: Expected a.")
    assert len(started(runs)) == 1


def test_of_large_weights_some_elements_are_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = make(VARIED)
    size = (runs.original / "seed-0" / "weights.safetensors").stat().st_size
    monkeypatch.setattr(module, "MOST", 2 * size)
    found = grown(runs, BY_CLOCK, 2, Divergence("initial weights"))
    assert found.how.endswith("Of each variable one element in 3 was looked at.")


@pytest.mark.parametrize(
    ("first", "end", "far"),
    [
        (0, 10**6, [32, 64, 128, 256, 512, 1024]),
        (100, 10**6, [132, 164, 228, 356, 612, 1124]),
        (100, 300, [132, 164, 228, 299]),
        (3, 10, []),
    ],
)
def test_steps_are_looked_at_one_by_one_then_at_twice_the_distance(
    first: int, end: int, far: list[int]
) -> None:
    near = range(max(first - 1, 0), min(first + 17, end))
    assert chosen(first, end) == [*near, *far]


@pytest.mark.parametrize(("work", "agree"), [("", True), (UNSEEDED, False)])
def test_runs_of_a_changed_experiment_are_compared_with_one_another(
    work: str, agree: bool, make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "experiment.py"
    file.write_text("before\n")
    seen = tmp_path / "seen"
    note = f"""
given = [word.partition("=")[2] for word in words if word.startswith("experiment=")]
open({str(seen)!r}, "a").write(open(given[0]).read())
"""
    runs = make(note + work)
    with scratch(Setting(runs, "train")) as trials:
        with trials.copied(file, "experiment.py", b"after\n") as other:
            assert other.agree(("clock",), 2) is agree
        assert not list(trials.folder.rglob("experiment.py"))
    assert set(seen.read_text().splitlines()) == {"after"}
    assert file.read_text() == "before\n"


def test_a_file_that_may_not_be_written_is_changed_in_the_copy(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "__init__.py").write_text("before\n")
    (folder / "__init__.py").chmod(0o444)
    with (
        scratch(Setting(make(""), "train")) as trials,
        trials.copied(folder, "__init__.py", b"after\n") as other,
    ):
        copy = Path(other.setting.runs.inputs["experiment"]) / "__init__.py"
        assert copy.read_bytes() == b"after\n"
        assert copy.stat().st_mode & stat.S_IWUSR  # the superuser may write in any case
