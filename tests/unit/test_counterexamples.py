"""Runs that agree and should not: real trials of `dataset`, started as the workflow starts them."""

import importlib.util
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from places import refused
from repro.cause.counterexamples import Counterexamples, Repeats
from repro.cause.search_for_cause import inquire
from repro.cause.set_order import NotedSet, in_one_order
from repro.cause.setting import Runs
from repro.compare.runs import Comparison, parted
from repro.core.canonical_json import canonical
from repro.core.errors import UserError
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
    spec = importlib.util.spec_from_file_location("pack", LIBRARY.parent / "scripts" / "pack.py")
    assert spec is not None
    assert spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    path = tmp_path_factory.mktemp("program") / "code.pyz"
    path.write_bytes(pack.packed(pack.members("code")))
    return path


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

    def inquire(self, budget: int = 24) -> Counterexamples:
        steps = [
            checked_step(self.folder / run / "data.manifest.json") for run in ("original", "repeat")
        ]
        varied = [f["factor"] for f in steps[1].process["factors"] if f["varied"]]
        repeats = Repeats(steps, varied, None)
        return inquire(self.runs, repeats, [self.comparison()], budget, self.said.append)

    def comparison(self) -> Comparison:
        at = parted("prepare", self.folder / "original", self.folder / "repeat", 0)
        return Comparison("repeat", 0, at, {})

    @property
    def runs(self) -> Runs:
        given = {"experiment": str(self.folder / "experiment.py")}
        return Runs("e", self.program, given, self.folder / "original")


Make = Callable[[str], Experiment]


@pytest.fixture
def make(tmp_path: Path, program: Path) -> Make:
    def made(lines: str, vary: tuple[str, ...] = NAMES) -> Experiment:
        (tmp_path / "home").mkdir()
        body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
        (tmp_path / "experiment.py").write_text(HEAD + body + TAIL)
        experiment = Experiment(tmp_path, program)
        experiment.prepare("original", ())
        experiment.prepare("repeat", vary)
        return experiment

    return made


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
    names = pair_that_the_repeat_keeps()
    return BY_SET.format(names=names, way=way)


FAULTS = ["list({first, second})", "[*dict.fromkeys(frozenset((first, second)))]"]


@pytest.mark.parametrize("way", FAULTS)
def test_labels_that_follow_a_set_are_found_whatever_the_repeats_seed(way: str, make: Make) -> None:
    experiment = make(kept(way))
    assert experiment.comparison().divergence is None  # so no repeat shows it
    found = experiment.inquire()
    assert found.comparison is not None
    assert found.comparison.divergence is not None
    assert found.comparison.divergence.what == "prepared data"
    cause = found.causes[0]
    assert (cause.cause, cause.file, cause.tested) == ("factor: hash seed", "experiment.py", True)
    line = (experiment.folder / "experiment.py").read_text().splitlines()[(cause.line or 0) - 1]
    assert "order =" in line
    assert [trial.same for trial in found.trials] == [True, False]


HARMLESS = "[*sorted({first, second}), str(sum(len(t) for t in {first, second}))]"


def test_a_set_whose_order_does_not_matter_is_not_spoken_of(make: Make) -> None:
    """Sorted, and summed up: two sets at one place."""
    found = make(kept(HARMLESS)).inquire()
    assert (found.comparison, found.causes, found.warnings) == (None, [], [])


def test_a_set_of_which_no_other_order_can_be_made_is_warned_of(make: Make) -> None:
    code = """
class Fixed:
    def __init__(self, name): self.name = name
    def __repr__(self): return self.name
    def __hash__(self): return ord(self.name)
x = x + len([*map(str, {Fixed("a"), Fixed("b")})])
"""
    found = make(code).inquire()
    assert found.comparison is None
    assert "experiment.py, line 11" in found.warnings[0]
    assert "no other could be tried" in found.warnings[0]
    assert len(found.trials) == 4


def test_a_set_whose_order_cannot_be_foretold_is_tried_all_the_same(make: Make) -> None:
    names = ", ".join(f"Path('a{number}')" for number in range(8))
    found = make(f"from pathlib import Path\nx = x + len([*map(str, {{{names}}})])").inquire()
    assert (found.comparison, found.warnings) == (None, [])


def test_a_trial_that_could_not_be_carried_out_proves_nothing(make: Make) -> None:
    experiment = make(CACHE.format(place=PLACES[0], value=0.5))
    broken = experiment.folder / "broken.py"
    broken.write_text("import os, sys; print('No space left', file=sys.stderr); sys.exit(4)")
    experiment.program = broken
    found = experiment.inquire()
    assert (found.comparison, found.causes) == (None, [])
    assert "could not be carried out" in found.warnings[0]
    assert "No space left" in found.warnings[0]


def test_without_sets_and_without_leftovers_nothing_runs(make: Make) -> None:
    experiment = make("x = x + 1")
    found = experiment.inquire()
    assert (found.trials, found.warnings, experiment.said) == ([], [], [])


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


def test_a_cache_that_changes_nothing_is_not_spoken_of(make: Make) -> None:
    found = make(CACHE.format(place=PLACES[0], value=1.0)).inquire()
    assert (found.comparison, found.causes, found.warnings) == (None, [], [])
    assert [trial.same for trial in found.trials] == [True]


def test_what_is_left_under_a_drawn_name_is_told_alike_in_every_run(make: Make) -> None:
    code = "import tempfile\nfor _ in range(3): tempfile.mkstemp()"
    found = make(code).inquire(0)
    assert found.warnings[0].startswith("`dataset` leaves tmp… in the temporary folder. Whether")


def test_without_trials_what_was_not_tried_is_warned_of(make: Make) -> None:
    code = CACHE.format(place=PLACES[0], value=0.5) + kept("[*{first, second}]")
    found = make(code).inquire(0)
    assert found.trials == []
    assert ".cache/mine/scale.npy in the home folder" in found.warnings[0]
    assert "order of a set was not tried" in found.warnings[1]
    assert all("`search.trials`" in warning for warning in found.warnings)


def test_files_taken_by_their_age_are_found_with_the_line(make: Make) -> None:
    code = "import os\nx = x + np.float32(os.path.getmtime(__file__) % 1000)"
    found = make(code, ("hash seed", "time zone", "home", "file times")).inquire()
    assert (found.causes[0].cause, found.causes[0].line) == ("factor: file times", 8)
