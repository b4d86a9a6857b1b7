"""The parts of `check` that start nothing: search, names, mounts, the command, times, pages."""

import dataclasses
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.check.answer import CheckFindings, answered
from repro.check.one_run import RunResult
from repro.check.outcome import Outcome, Reading
from repro.check.page import page
from repro.check.progress import Progress, duration, seconds_of
from repro.check.report import github_lines
from repro.check.session import CheckOptions, Session
from repro.check.stages import watched
from repro.check.varied import USUAL, factor_names
from repro.check.watched_steps import SeenError, StepFindings, told
from repro.cli import check as command_line
from repro.cli.check import parser
from repro.contain.folder_copy import FolderCopy
from repro.contain.mounts import mounted, writable_folders
from repro.contain.outputs import Names
from repro.contain.place import CommandFolders, Outputs, RunPlace
from repro.contain.scratch import scratch
from repro.contain.user_command import user_command
from repro.core.errors import CouldNotRun, UserError
from repro.core.factor_table import FACTORS
from repro.divergence.first_divergence import StepComparison, StepDivergence
from repro.ledger.blamed import LedgerCall
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER
from repro.ledger.watched_calls import KERAS_SEED
from repro.repair.factor_search import LIKELY, FactorFinding, search

ASKED = CommandFolders(
    Path("/home/ada/project"),
    None,
    Path("/home/ada"),
    Path("/tmp"),
    Path("/home/ada/project/check"),
)


def test_the_page_lists_the_options() -> None:
    page = Path(__file__).parents[2].joinpath("docs/how-to/check-a-script.md").read_text("utf-8")
    table = page.partition("## Options")[2].partition("\n## ")[0]
    listed = {*re.findall(r"--[a-z-]+", "".join(re.findall(r"^\| (.*?) \|", table, re.M)))}
    assert {*re.findall(r"--[a-z-]+", parser().format_help())} - {"--help", "--"} == listed


def test_a_fault_of_its_own_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(command_line, "check", failing)
    assert command_line.main(["--", "true"]) == CouldNotRun.status
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Internal error (KeyError: 'a bug'). Please report it, with the lines above."
    )


def test_the_search_knows_every_factor_that_can_be_varied() -> None:
    assert {*LIKELY} == {*USUAL, "network", "load"}
    assert {*LIKELY} <= {*FACTORS}


@given(st.sets(st.sampled_from(USUAL), min_size=1), st.data())
def test_one_factor_is_found_in_a_few_runs(candidates: set[str], data: st.DataObject) -> None:
    culprit = data.draw(st.sampled_from(sorted(candidates)))
    found = search([*candidates], lambda factors: culprit in factors)
    assert (found.nondeterministic, found.factors, found.complete) == (False, (culprit,), True)
    assert found.runs <= 7


@given(st.sets(st.sampled_from(USUAL), min_size=2), st.data())
def test_factors_that_act_together_are_all_named(candidates: set[str], data: st.DataObject) -> None:
    both = data.draw(
        st.lists(st.sampled_from(sorted(candidates)), min_size=2, max_size=2, unique=True)
    )
    found = search([*candidates], lambda factors: {*both} <= {*factors})
    assert {*both} <= {*found.factors}
    assert found.nondeterministic is False


def test_what_differs_with_nothing_varied_needs_one_run() -> None:
    found = search(["clock", "home"], lambda _: True)
    assert (found.nondeterministic, found.factors, found.runs) == (True, (), 1)


def test_a_race_that_spares_the_first_run_is_no_factor() -> None:
    answers = iter([False, True, True, True])
    found = search(["clock", "home"], lambda _: next(answers))
    assert (found.nondeterministic, found.factors) == (True, ())


@pytest.mark.parametrize("runs", range(4))
def test_a_search_without_time_says_so(runs: int) -> None:
    left = iter([False] * runs)
    found = search(["clock", "home", "umask"], lambda _: next(left, None))
    assert not found.complete
    assert found.runs == runs
    assert found.nondeterministic is (None if runs == 0 else False)


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (FactorFinding(None, ("clock",), False, 0), "No time was left to find out why (--budget)."),
        (
            FactorFinding(False, ("clock", "home"), False, 3),
            "out on what it depends: the date and time and the home folder.",
        ),
        (
            FactorFinding(True, (), True, 1),
            "It differs also when nothing is varied (tested in 1 more run).",
        ),
        (None, "and failed with status 1 with 1 factor varied."),
    ],
)
def test_the_answer_says_what_was_found_out(
    found: FactorFinding | None, end: str, tmp_path: Path
) -> None:
    def result(status: int) -> RunResult:
        outputs, varied = Outputs(tmp_path), {"clock": "ahead"} if status else {}
        return RunResult("run", status, 1.0, "", outputs, tmp_path, tmp_path, (), varied)

    runs, outcomes = (result(0), result(1)), (Outcome((), failed=True),)
    answer = answered(CheckFindings("train", runs, outcomes, finding=found))
    assert answer.status == 1
    assert answer.sentence.endswith(end)
    late = answered(CheckFindings("train", runs, outcomes, finding=found, late=True))
    assert late.sentence.endswith(f"{end} No time was left to watch it step by step (--budget).")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("folder/logs/train/events.out.tfevents.1", ["tensorflow"]),
        ("folder/export/saved_model.pb", ["tensorflow"]),
        ("folder/model.keras", []),
    ],
)
def test_tensorflow_is_read_while_the_varied_run_goes_on(
    tmp_path: Path, name: str, expected: list[str]
) -> None:
    class Tensors:
        def __init__(self) -> None:
            self.ahead: list[str] = []

        def import_ahead(self, *modules: str) -> None:
            self.ahead += modules

    file, tensors = tmp_path / name, Tensors()
    file.parent.mkdir(parents=True)
    file.touch()
    run = RunResult("run 1", 0, 1.0, "", Outputs(tmp_path), tmp_path, tmp_path, ())
    Reading(tensors).expect(run)  # pyright: ignore[reportArgumentType]
    assert tensors.ahead == expected
    Reading(None).expect(run)


def test_a_warning_contradicts_only_what_is_the_same(tmp_path: Path) -> None:
    def result(status: int) -> RunResult:
        log = tmp_path / "stdout"
        log.write_text("loss: 0.5")
        return RunResult("run", status, 1.0, "", Outputs(tmp_path), log, log, ())

    seen = SeenError("frozen noise", "Each epoch draws the same noise.", "train.py", 7)
    steps = StepFindings(None, StepComparison(4, 0, None), outputs_differ=False, silent=(seen,))
    for failed, words in ((False, " But see the warning above."), (True, " See also the warning")):
        outcomes = (Outcome((), failed=failed),)
        runs = (result(0), result(int(failed)))
        answer = answered(CheckFindings("train", runs, outcomes, steps=steps))
        assert answer.details[-1] == (
            "Warning: Each epoch draws the same noise. (train.py, line 7)"
        )
        assert words in answer.sentence


def test_of_steps_behind_the_last_look_nothing_is_claimed() -> None:
    found = StepFindings(None, StepComparison(5, 0, None, undecided=2), outputs_differ=False)
    assert told(found, same=True) == (
        "Step by step: 5 training steps agreed, bit for bit. What happens in the last 2 steps, at "
        "which nothing was looked at, is not known."
    )


@pytest.mark.parametrize(
    ("source", "call", "said"),
    [
        (KERAS_SEED, "random.randint", "called by Keras there"),
        (KERAS_SEED, "random.randint", "keras.utils.set_random_seed seeds it"),
        (ORDER, "list(words)", "(it may go through a set of text, whose order depends on"),
        (TEXT_ORDER, "list(words)", "(it goes through a set of text, whose order depends on"),
        (HASH, "hash({name})", "(of text, it depends on the hash seed)"),
        ("clock", "time.time", "time.time (clock)."),
    ],
)
def test_a_call_is_said_to_be_no_more_than_is_known(source: str, call: str, said: str) -> None:
    named = LedgerCall(source, call, "train.py", 7)
    first = StepDivergence(1, 0, 0, 1, "m", "m/w", "value", (), 0, named)
    found = StepFindings(None, StepComparison(0, 0, first), outputs_differ=True)
    assert f"See train.py, line 7: {call}" in told(found, same=False)
    assert said in told(found, same=False)


def test_steps_that_no_time_is_left_for_are_said_to_be_unwatched(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import tensorflow")
    words = (sys.executable, "train.py")
    options, command = CheckOptions(words, tmp_path), user_command(words, tmp_path)
    nothing: Any = None
    screen: Any = Screen(terminal=False)
    session = Session(options, command, nothing, tmp_path, Progress(screen), {}, None, ends=0.0)
    session.seconds = 90.0
    outputs = Outputs(tmp_path)
    run = RunResult("run", 0, 1.0, "", outputs, tmp_path, tmp_path, (), {"clock": "ahead"})
    findings = CheckFindings("train", (run, run), (Outcome(()),))
    assert watched(session, nothing, findings) == dataclasses.replace(findings, late=True)
    assert screen.text == (
        "The budget is too small to watch it step by step: 2 more runs will take about 3 min 0 s, "
        "and 0.0 s are left. `--budget` sets another one.\n"
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/ada/project/a/model.keras", ("folder", "a/model.keras")),
        ("/home/ada/project/.hidden", ("folder", ".hidden")),
        ("/home/ada/model.keras", ("home", "model.keras")),
        ("/scratch/run/home/model.keras", ("home", "model.keras")),
        ("/tmp/model.keras", ("outside", "tmp/model.keras")),
        ("/", ("outside", "")),
        ("/data/x.npy", ("outside", "data/x.npy")),
        ("/home/ada/.cache/x", None),
        ("/scratch/run/home/.config/y", None),
        ("/scratch/run/other", None),
        ("/tmp/tmpab12_xyz/model.keras", None),
        ("/home/ada/project/check/report.json", None),
        ("/home/ada/project/a/__pycache__/b.pyc", None),
        ("/home/ada/project/.git/index", None),
        ("/var/cache/x", None),
        ("/dev/shm/x", None),
    ],
)
def test_outputs_have_names(path: str, name: tuple[str, str] | None) -> None:
    names = Names(ASKED, homes=[Path("/scratch/run/home")], skipped=[Path("/scratch")])
    if path != "/":
        assert names.of(Path(path)) == name


def test_a_folder_that_is_home_has_outputs_and_caches() -> None:
    folders = dataclasses.replace(ASKED, folder=Path("/home/ada"), spared=Path("/home/ada/check"))
    names = Names(folders, homes=[Path("/scratch/home")])
    assert names.of(Path("/home/ada/.keras/keras.json")) is None
    assert names.of(Path("/home/ada/a")) == names.of(Path("/scratch/home/a")) == ("folder", "a")
    inner = Names(dataclasses.replace(ASKED, folder=Path("/home"), spared=Path("/home/check")))
    assert inner.of(Path("/home/ada/.cache/x")) is None
    assert inner.of(Path("/home/bob/x")) == ("folder", "bob/x")


def test_a_folder_of_the_users_own_for_temporary_files_is_passed_over() -> None:
    names = Names(dataclasses.replace(ASKED, temporary=Path("/home/ada/tmp")))
    assert names.of(Path("/home/ada/tmp/a")) is None
    assert names.of(Path("/tmp/a")) == ("outside", "tmp/a")


TABLE = """\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 21 0:20 / /proc rw - proc proc rw
23 21 0:21 / /dev rw - devtmpfs devtmpfs rw
24 23 0:22 / /dev/shm rw - tmpfs tmpfs rw
25 21 0:23 / /home rw shared:1 - ext4 /dev/vdb rw
26 21 0:24 / /a\\040disk ro - ext4 /dev/vdc rw
27 21 0:25 / /media ro - iso9660 /dev/sr0 ro
28 21 0:26 / /run/netns rw - nsfs nsfs rw
"""


def test_mounts_are_read_and_what_stores_files_is_known() -> None:
    mounts = mounted(TABLE.splitlines())
    assert [str(mount.path) for mount in mounts if mount.stores] == ["/", "/dev/shm", "/home"]
    assert Path("/a disk") in [mount.path for mount in mounts]


def test_an_ordinary_user_writes_to_the_outermost_folders(tmp_path: Path) -> None:
    inner = tmp_path / "ada" / "project"
    inner.mkdir(parents=True)
    asked = dataclasses.replace(ASKED, folder=inner, home=None)
    allowed = [tmp_path / "ada", inner, Path("/dev/shm")]
    found = writable_folders(asked, mounted(TABLE.splitlines()), lambda path: path in allowed)
    assert tmp_path / "ada" in found
    assert inner not in found


def test_a_moved_folder_is_seen_where_it_stands_alone() -> None:
    place = RunPlace("a", Path("/c/p"), Path(), Path(), lambda: None, {Path("/a/p"): Path("/c/p")})
    assert place.seen("--data=/a/p/x") == "--data=/c/p/x"
    assert place.seen("/a/p:/b") == "/c/p:/b"
    assert place.seen("/x/a/p") == "/x/a/p"
    assert place.seen("/a/pq") == "/a/pq"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "data").mkdir(parents=True)
    (made / "data" / "a.txt").write_text("a")
    (made / "inner").symlink_to("data")
    (made / "absolute").symlink_to(made / "data" / "a.txt")
    (made / "outer").symlink_to("../elsewhere.txt")
    (tmp_path / "elsewhere.txt").write_text("e")
    (made / ".venv").mkdir()
    (made / ".venv" / "pyvenv.cfg").touch()
    return made


def test_a_copy_has_files_of_its_own_and_links_that_lead_where_they_should(
    folder: Path, tmp_path: Path
) -> None:
    asked = dataclasses.replace(ASKED, folder=folder, spared=folder / "check")
    place = FolderCopy(asked, tmp_path / "scratch").place("run", elsewhere=False)
    copy = place.directory
    assert (copy / "data/a.txt").stat().st_ino != (folder / "data/a.txt").stat().st_ino
    assert (copy / "data/a.txt").stat().st_nlink == 1
    for link in ("inner/a.txt", "absolute"):
        assert (copy / link).resolve() == copy / "data/a.txt"
    assert (copy / "outer").resolve() == tmp_path / "elsewhere.txt"
    assert (copy / ".venv").readlink() == folder / ".venv"


def test_what_a_copy_finds_changed(folder: Path, tmp_path: Path) -> None:
    asked = dataclasses.replace(ASKED, folder=folder, spared=folder / "check")
    containment = FolderCopy(asked, tmp_path / "scratch")
    place = containment.place("run", elsewhere=False)
    (place.directory / "new.txt").write_text("n")
    (place.directory / "data" / "a.txt").unlink()
    outputs = containment.caught(place)
    assert [file.name for file in (outputs.root / "folder").rglob("*")] == ["new.txt"]
    assert outputs.removed == ("data/a.txt",)
    assert (folder / "data/a.txt").exists()


@pytest.mark.parametrize(
    ("words", "script", "python"),
    [
        (["python3", "train.py", "x.py"], "train.py", True),
        (["python3", "-W", "ignore", "-X", "dev", "-u", "train.py"], "train.py", True),
        (["python3", "-m", "pkg", "train.py"], None, True),
        (["python3", "-c", "print()"], None, True),
        (["sh", "train.py"], None, False),
    ],
)
def test_script_and_python_of_a_command(
    words: list[str], script: str | None, python: bool, tmp_path: Path
) -> None:
    found = user_command(words, tmp_path)
    assert found.script == (tmp_path / script if script else None)
    assert (found.python == str(found.program)) is python


def test_a_console_script_has_the_python_of_its_first_line(tmp_path: Path) -> None:
    file = tmp_path / "train"
    file.write_text("#!/usr/bin/env python3\n")
    file.chmod(0o755)
    assert Path(user_command(["./train"], tmp_path).python or "").name.startswith("python3")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "-1s", "1d", "nan", "inf"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (argparse turns it into a sentence)
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_times_are_told(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Screen:
    """A stream that keeps what is written."""

    def __init__(self, terminal: bool) -> None:
        self.text, self._terminal = "", terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_says_how_long_yet(terminal: bool) -> None:
    screen, now = Screen(terminal), iter([0.0, 0.1, 20.0])
    clock: Callable[[], float] = lambda: next(now)  # noqa: E731
    progress = Progress(screen, clock)  # pyright: ignore[reportArgumentType]
    progress.show("run 2 of 2", 0.1, 30.0)
    assert screen.text == ""
    progress.show("run 2 of 2", 20.0, 30.0)
    assert "run 2 of 2: 20 s of about 30 s, 10 s left" in screen.text
    progress.line("done")
    assert screen.text.endswith("\r\x1b[Kdone\n" if terminal else "left\ndone\n")


def test_factors_are_named_in_any_order_and_spelling() -> None:
    assert factor_names(["home,hash-seed", "clock"]) == ("hash seed", "home", "clock")
    with pytest.raises(UserError, match="Received 'weather'"):
        factor_names(["weather"])


@pytest.fixture
def report() -> dict[str, Any]:
    call = {"source": "numpy", "call": "numpy.x", "file": "a,b:c.py", "line": 3}
    divergence = {"step": 1, "epoch": None, "model": "m", "variable": "", "what": "<what>"}
    steps = {"void": None, "agreed": 7, "divergence": {**divergence, "call": call}}
    patch = {
        "confirmed": True, "changes": ["<sorts>"], "diff": "-<old>\n+<new>\n", "agreed": 2,
        "variables": {"A": "<1>"}, "needed": 2, "tried": 1, "complete": True, "by_hand": None,
        "new_silent_errors": [],
    }  # fmt: skip
    return {
        "answer": "not the same", "sentence": "Not the same:\n50% <b>differ</b>.", "details": [],
        "command": ["python", "<train>.py"], "outputs": [], "left_out": ["<left>"], "runs": [],
        "steps": steps, "patch": patch,
        "silent_errors": [{"name": "one order", "sentence": "<s>", "file": "t.py", "line": 2}],
    }  # fmt: skip


def test_annotations_are_escaped(report: dict[str, Any]) -> None:
    first, second = github_lines(report)
    assert first == (
        "::error file=a%2Cb%3Ac.py,line=3,title=check::Not the same:%0A50%25 <b>differ</b>."
    )
    assert second == "::warning file=t.py,line=2,title=one order::<s>"


def test_the_page_is_escaped_and_has_no_script(report: dict[str, Any]) -> None:
    text = page(report)
    for raw in ("<b>", "<train>", "<left>", "<what>", "<s>", "<sorts>", "<old>", "<1>", "<script"):
        assert raw not in text
    assert "Training steps that agreed: 7" in text


def test_what_a_killed_check_left_is_removed_by_the_next(tmp_path: Path) -> None:
    inner = tmp_path / "repro-check-a" / "work"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.chmod(0)
    (tmp_path / "repro-check-a" / "lock").touch()
    for name, age in (("repro-check-old", 2), ("repro-check-new", 0)):
        (tmp_path / name).mkdir()
        then = time.time() - age * 3600
        os.utime(tmp_path / name, (then, then))
    with scratch([tmp_path]) as ours, scratch([tmp_path]) as others:
        assert sorted(tmp_path.iterdir()) == sorted([ours, others, tmp_path / "repro-check-new"])
    assert [*tmp_path.iterdir()] == [tmp_path / "repro-check-new"]
