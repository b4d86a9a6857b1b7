"""Runs that agree and should not: real trials of `dataset`, started as the workflow starts them."""

import functools
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from places import compiled, refused
from repro.cause.counterexamples import Counterexamples, Repeats, counterexamples
from repro.cause.search_for_cause import inquire
from repro.cause.set_order import NotedSet, in_one_order
from repro.cause.setting import Runs
from repro.compare.runs import Comparison, parted
from repro.core.canonical_json import canonical
from repro.core.errors import UserError
from repro.data.module_loader import module
from repro.launch import isolation
from repro.launch.drawn_values import hash_seed
from repro.record import installed
from repro.record.step import checked_step
from samples import LIBRARY, NAMES

HEAD = """
import numpy as np

def dataset(data, settings, seeds):
    x = np.arange(400, dtype="float32").reshape(100, 4)
    y = np.arange(100) % 2
"""
TAIL = '    return {"x": x, "y": y}\n\ndef model(settings, seeds): ...\n'
PARAMETERS = {
    "data": {}, "data_seed": 0, "split": {"train": 0.8, "validation": 0.1, "test": 0.1},
    "settings": {}, "threads": {"intra": 2, "inter": 1},
}  # fmt: skip


def is_sound() -> bool:
    try:
        installed.require(Path(sys.prefix))
    except UserError:
        return False
    return True


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_sound() or refused(isolation.MOUNTS),
        reason="a step runs only in the locked environment, and needs namespaces for this",
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pack = module("pack", LIBRARY.parent / "scripts" / "pack.py")
    return compiled(pack.members("code"), tmp_path_factory.mktemp("program") / "code.pyz")


@dataclass
class Experiment:
    """An experiment of which data are prepared, by an original and a repeat."""

    folder: Path
    program: Path
    said: list[str] = field(default_factory=list[str])

    def prepare(self, run: str, vary: tuple[str, ...]) -> None:
        done = subprocess.run(
            [
                sys.executable, "-I", "-B", str(self.program), "launch", "--run", run,
                "--intra", "2", "--vary", ",".join(vary), "--", "prepare", "--experiment", "e",
                "--run", run, "--parameters", canonical(PARAMETERS), "--input",
                "experiment=experiment.py", "--out", run, "--log", f"{run}.log",
            ],
            cwd=self.folder, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder / "home")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    @property
    def repeats(self) -> Repeats:
        steps = [
            checked_step(self.folder / run / "data.manifest.json") for run in ("original", "repeat")
        ]
        varied = [f["factor"] for f in steps[1].process["factors"] if f["varied"]]
        return Repeats(steps, varied, None)

    def inquire(self, budget: int = 24) -> Counterexamples:
        return inquire(self.runs, self.repeats, [self.comparison()], budget, self.said.append)

    def comparison(self) -> Comparison:
        at = parted("prepare", self.folder / "original", self.folder / "repeat", 0)
        return Comparison("repeat", 0, at, {})

    @property
    def runs(self) -> Runs:
        given = {"experiment": str(self.folder / "experiment.py")}
        return Runs("e", self.program, given, self.folder / "original")


Make = Callable[..., Experiment]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Make:
    def made(lines: str, vary: tuple[str, ...] = NAMES) -> Experiment:
        folder = tmp_path_factory.mktemp("an experiment")
        (folder / "home").mkdir()
        body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
        (folder / "experiment.py").write_text(HEAD + body + TAIL)
        experiment = Experiment(folder, program)
        experiment.prepare("original", ())
        experiment.prepare("repeat", vary)
        return experiment

    return made


@functools.cache
def pair_that_the_repeat_keeps() -> tuple[str, str]:
    """Two texts whose set has one order in original and repeat, whatever those seeds are."""
    pairs = [(f"a{number}", f"b{number}") for number in range(40)]
    sets = [NotedSet("", number, tuple(map(repr, pair))) for number, pair in enumerate(pairs)]
    return pairs[in_one_order(sets, ["0", hash_seed("repeat")])[0].line]


BY_SET = """
first, second = {names!r}
order = {way}
x = x + np.float32(order.index(first))
"""


def kept(way: str) -> str:
    return BY_SET.format(names=pair_that_the_repeat_keeps(), way=way)


FAULTS = """
first, second = {names!r}
orders = list({{first, second}}), \\
    [*dict.fromkeys(frozenset((first, second)))]
x = x + np.float32(orders[0].index(first) + 2 * orders[1].index(first))
"""


def test_labels_that_follow_a_set_are_found_whatever_the_repeats_seed(make: Make) -> None:
    experiment = make(FAULTS.format(names=pair_that_the_repeat_keeps()))
    assert experiment.comparison().divergence is None  # so no repeat shows it
    found = experiment.inquire()
    assert found.comparison is not None
    assert found.comparison.divergence is not None
    assert found.comparison.divergence.what == "prepared data"
    cause = found.causes[0]
    assert (cause.cause, cause.file, cause.tested) == ("factor: hash seed", "experiment.py", True)
    assert cause.line == 8
    # Both ways in which it walks over the set: each is noted, and comes in another order.
    assert "the sets at experiment.py, line 8, experiment.py, line 9 have" in cause.evidence
    assert [trial.same for trial in found.trials] == [True, False]


HARMLESS = "[*sorted({first, second}), str(sum(len(t) for t in {first, second}))]"
FIXED = """
class Fixed:
    def __init__(self, name): self.name = name
    def __repr__(self): return self.name
    def __hash__(self): return ord(self.name)
x = x + len([*map(str, {Fixed("a"), Fixed("b")})])
"""


def test_a_set_is_warned_of_only_where_no_other_order_can_be_made(make: Make) -> None:
    """Of two sets at one place, sorted and summed up, the order does not matter."""
    experiment = make(kept(HARMLESS) + FIXED)
    found = experiment.inquire()
    assert (found.comparison, found.causes) == (None, [])
    assert "line 8" in experiment.said[0]  # so the harmless ones were tried
    (warning,) = found.warnings
    assert warning.startswith("Of the set at experiment.py, line 15 ")
    assert "no other could be tried" in warning
    assert len(found.trials) == 4


CACHE = """
import os, tempfile
from pathlib import Path
place = {place}
place.parent.mkdir(parents=True, exist_ok=True)
if place.exists():
    x = x * np.load(place)
else:
    np.save(place, np.float32({value}))
"""
SHARED = f"scale-{secrets.token_hex(8)}.npy"
"""A name of this test alone, in folders that all share: another that was killed left its own."""
PLACES = [
    'Path.home() / ".cache" / "mine" / "scale.npy"',
    f'Path(tempfile.gettempdir()) / "{SHARED}"',
    'Path("scale.npy")',
    'Path(__file__).parent / "scale.npy"',
    f'Path("/dev/shm/{SHARED}")',
]


CACHES = """
import os, tempfile
from pathlib import Path
places = [{places}]
seen = [place.exists() for place in places if not place.parent.mkdir(parents=True, exist_ok=True)]
if all(seen):
    for place in places: x = x * np.load(place)
else:
    assert not any(seen), f"some are in sight: {{seen}}"
    for place in places: np.save(place, np.float32(0.5))
"""


def test_files_that_every_run_leaves_for_the_next_are_found(make: Make) -> None:
    """In each place: bits are others where all are in sight, and a run that sees some fails."""
    try:
        experiment = make(CACHES.format(places=", ".join(PLACES)))
        assert experiment.comparison().divergence is None
        found = experiment.inquire()
    finally:
        for path in (Path("/tmp"), Path("/dev/shm")):
            (path / SHARED).unlink(missing_ok=True)
    cause = found.causes[0]
    assert (cause.cause, cause.tested) == ("stale state", True)
    assert (cause.file, cause.line) == ("experiment.py", 12)
    assert "scale" in cause.evidence
    assert "it stopped with" not in cause.evidence
    assert [trial.same for trial in found.trials] == [False, True]


def test_what_changes_nothing_is_not_spoken_of(make: Make) -> None:
    """A cache; and a set whose order cannot be foretold, which is tried all the same."""
    names = ", ".join(f"Path('a{number}')" for number in range(8))
    code = f"x = x + len([*map(str, {{{names}}})])"
    experiment = make(CACHE.format(place=PLACES[0], value=1.0) + code)
    found = experiment.inquire()
    assert (found.comparison, found.causes, found.warnings) == (None, [], [])
    assert [trial.same for trial in found.trials] == [True, True, True]
    assert len(experiment.said) == 2


@pytest.fixture(scope="module")
def suspicious(make: Make) -> Experiment:
    """It leaves files for the next run, some under names that are drawn, and walks over a set."""
    drawn = "import tempfile\nfor _ in range(3): tempfile.mkstemp()\n"
    return make(CACHE.format(place=PLACES[0], value=0.5) + drawn + kept("[*{first, second}]"))


def test_a_trial_that_could_not_be_carried_out_proves_nothing(suspicious: Experiment) -> None:
    broken = suspicious.folder / "broken.py"
    broken.write_text("import os, sys; print('No space left', file=sys.stderr); sys.exit(4)")
    found = replace(suspicious, program=broken).inquire()
    assert (found.comparison, found.causes) == (None, [])
    assert len(found.warnings) == 2
    for warning in found.warnings:
        assert "could not be carried out" in warning
        assert "No space left" in warning


def test_without_trials_what_was_not_tried_is_warned_of(suspicious: Experiment) -> None:
    found = suspicious.inquire(0)
    assert found.trials == []
    # What has a drawn name is told alike in every run.
    assert found.warnings[0].startswith(
        "`dataset` leaves .cache/mine/scale.npy in the home folder, tmp… in the temporary folder. "
        "Whether"
    )
    assert "order of a set was not tried" in found.warnings[1]
    assert all("`search.trials`" in warning for warning in found.warnings)


@pytest.fixture(scope="module")
def by_age(make: Make) -> Experiment:
    code = "import os\nx = x + np.float32(os.path.getmtime(__file__) % 1000)"
    return make(code, ("hash seed", "file times"))


def test_files_taken_by_their_age_are_found_with_the_line(by_age: Experiment) -> None:
    found = by_age.inquire()
    assert (found.causes[0].cause, found.causes[0].line) == ("factor: file times", 8)


def test_without_sets_and_without_leftovers_nothing_runs(by_age: Experiment) -> None:
    said: list[str] = []
    found = counterexamples(by_age.runs, by_age.repeats, 24, said.append)
    assert (found.trials, found.warnings, said) == ([], [], [])
