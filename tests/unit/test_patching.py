"""Changes of a script, tried out: which runs are made, what is found, and what is left alone."""

import io
import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from repro.check.answer import CheckFindings, answered
from repro.check.checking import Checked, explained
from repro.check.one_run import UNWATCHED, RunResult, Watched
from repro.check.outcome import Outcome, Reading
from repro.check.patching import patched
from repro.check.progress import Progress
from repro.check.report import report
from repro.check.session import CheckOptions, Session
from repro.check.varied import AS_IT_IS, Change, RunPlan, write_changes
from repro.check.watched_steps import step_findings
from repro.contain.folder_copy import FolderCopy
from repro.contain.place import CommandFolders, Outputs
from repro.contain.user_command import user_command
from repro.core.errors import CouldNotRun
from repro.formats.findings import FileComparison
from repro.repair.factor_search import FactorFinding
from repro.repair.remedies import ONE_ORDER

SCRIPT = "import keras\n\nrng = default_rng()\nother = default_rng()\nwhen = time()\n"
UNSEEDED = "generator without a seed"
OVERLAY: Any = type("Overlay", (), {"kind": "overlay"})


@dataclass
class Script(Session):
    """A session whose script draws once for each line with an unseeded generator, and trains."""

    script: str = SCRIPT
    ran: list[tuple[str, tuple[str, ...], str]] = field(
        default_factory=list[tuple[str, tuple[str, ...], str]]
    )
    numbers: Any = field(default_factory=itertools.count)
    folders: Any = field(default_factory=itertools.count)
    breaks: Callable[[str, int], bool] = lambda _text, _number: False

    def run(
        self, name: str, what: str, vary: tuple[str, ...], draw: str,
        watched: Watched = UNWATCHED, change: Change = AS_IT_IS,
    ) -> RunResult:  # fmt: skip
        """Prints and notes what this text would."""
        text = change.files.get("train.py", self.script.encode()).decode()
        self.ran.append((name, vary, text))
        folder = self.scratch / f"run-{next(self.folders)}"
        (folder / "events").mkdir(parents=True)
        drawn = [self._drawn(text, line, change) for line in text.splitlines()]
        stdout = folder / "stdout"
        stdout.write_text(f"{drawn}\n")
        (folder / "stderr").touch()
        (folder / "events" / "1.jsonl").write_text(_events(text.splitlines(), drawn))
        status = int(self.breaks(text, len(self.ran)))
        events = folder / "events" if watched.events else None
        return RunResult(
            name, status, 1.0, "", Outputs(folder / "outputs"), stdout, folder / "stderr",
            ("", "", ""), {}, {}, events,
        )  # fmt: skip

    def _drawn(self, text: str, line: str, change: Change) -> int:
        differs = "default_rng()" in line or ("shuffled" in line and "set_random_seed" not in text)
        if "hash(" in line:
            differs = "PYTHONHASHSEED" not in change.variables
        return next(self.numbers) if differs else -1


def _events(lines: list[str], drawn: list[int]) -> str:
    noted = {
        "default_rng": (UNSEEDED, "numpy.random.default_rng"),
        "shuffled": ("random numbers", "random.shuffle"),
        "hash(": ("hash", "hash(x)"),
    }
    events: list[Any] = [
        {"process": {"argv": ["train.py"], "python": "3.11", "forks": 0, "began": [0]}}
    ]
    events.append({"layout": 0, "variables": [["m/w", "(1,)", "float32", "weight"]]})
    for number, (line, value) in enumerate(zip(lines, drawn, strict=True), 1):
        for text, (source, call) in noted.items():
            if text in line and (value >= 0 or source != UNSEEDED):
                events.append({"calls": [[source, call, "train.py", number, 1, str(value)]]})
    if any("seed" in line for line in lines) and any("fit(x, y)" in line for line in lines):
        place = {"file": "train.py", "line": 1 + lines.index("fit(x, y)")}
        events.append({"finding": {"name": ONE_ORDER, "sentence": "So it is.", **place}})
    for number, value in enumerate(drawn, 1):
        step = {"step": number, "model": "m", "fit": 1, "epoch": 0, "layout": 0, "batch": None}
        events.append({**step, "digests": f"{value % 2**64:016x}"})
    return "".join(f"{json.dumps(event)}\n" for event in events)


def session_for(tmp_path: Path, script: str = SCRIPT, **options: Any) -> Script:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(script)
    command = user_command([sys.executable, "train.py"], folder)
    asked = CheckOptions(command.words, folder / "check", **options)
    screen: Any = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123
    made = Script(asked, command, OVERLAY, tmp_path, Progress(screen), {}, None, None)
    made.script, made.seconds = script, 1.0
    return made


def found_in(
    session: Script, finding: FactorFinding, *, differing: int = 1, of: int = 1
) -> CheckFindings:
    """The findings of a check of the script as it is."""
    pair = [session.run(name, "", (), "", Watched(events=True)) for name in ("one", "other")]
    session.ran.clear()
    steps = step_findings(pair[0], pair[1], None, outputs_differ=True)
    odd = FileComparison("standard output", "text", same=False, how="")
    outcomes = [Outcome((odd,) if n < differing else ()) for n in range(of)]
    return CheckFindings("train", (pair[0], *[pair[1]] * of), tuple(outcomes), steps=steps,
                         finding=finding)  # fmt: skip


RANDOM = FactorFinding(True, (), complete=True, runs=1, unvaried=1)
NOTHING: Any = Reading(None)


def test_each_generator_gets_its_seed_and_the_patch_is_run_again_varied(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    findings = patched(session, NOTHING, found_in(session, RANDOM))
    patch = findings.patch
    assert patch
    assert patch.confirmed
    assert [line for line in patch.diff.splitlines() if line[:1] in "+-"] == [
        "--- a/train.py", "+++ b/train.py",
        "-rng = default_rng()", "-other = default_rng()",
        "+rng = default_rng(1)", "+other = default_rng(2)",
    ]  # fmt: skip
    last = session.ran[-1]
    assert last[1] == session.factors()
    assert "default_rng()" not in last[2]
    assert "A patch was tried out: it gives numpy.random" in answered(findings).sentence
    assert (session.command.folder / "train.py").read_text() == SCRIPT


def test_a_patch_that_holds_only_once_is_none(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\nrng = default_rng()\n")
    findings = found_in(session, RANDOM)
    session.breaks = lambda text, number: "(1)" in text and number > 2
    patch = patched(session, NOTHING, findings).patch
    assert patch
    assert (patch.remedies, patch.diff, patch.confirmed) == ((), "", False)


def test_what_differs_seldom_must_agree_more_often(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\nrng = default_rng()\n")
    rare = FactorFinding(True, (), complete=True, runs=4, unvaried=1)
    patch = patched(session, NOTHING, found_in(session, rare, of=2)).patch
    assert patch
    assert (patch.agreed, patch.needed) == (8, 8)
    assert len([name for name, *_ in session.ran if name.startswith("patched")]) == 7


def test_a_patch_for_which_no_time_is_left_is_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_for(tmp_path, "import keras\nrng = default_rng()\n")
    findings = found_in(session, RANDOM)
    left = iter([True, False])
    monkeypatch.setattr(Script, "time_is_left", lambda *_: next(left))
    made = patched(session, NOTHING, findings)
    assert made.patch
    assert (made.patch.agreed, made.patch.needed, made.patch.confirmed) == (1, 2, False)
    assert "not confirmed: 1 more run would be needed" in answered(made).sentence


def test_the_global_seed_is_set_where_global_functions_draw(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\n\nx = shuffled(x)\n")
    patch = patched(session, NOTHING, found_in(session, RANDOM)).patch
    assert patch
    assert patch.confirmed
    assert "+keras.utils.set_random_seed(1)\n" in patch.diff


def test_a_seed_that_freezes_the_order_of_fit_brings_a_dataset_that_does_not(
    tmp_path: Path,
) -> None:
    session = session_for(tmp_path, "import keras\n\nx = shuffled(x)\nfit(x, y)\n")
    made = patched(session, NOTHING, found_in(session, RANDOM))
    assert made.patch
    assert (made.patch.confirmed, made.patch.spoiled) == (True, ())
    assert "+fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)" in made.patch.diff
    assert "lets each epoch go through the examples in another order" in answered(made).sentence


def test_a_silent_error_that_nothing_mends_is_said_with_the_patch(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\n\nx = shuffled(x)\nfit(x, y)\n")
    findings = found_in(session, RANDOM)
    session.breaks = lambda text, _: "from_tensor_slices" in text
    made = patched(session, NOTHING, findings)
    assert made.patch
    assert (made.patch.confirmed, made.patch.spoiled) == (True, (ONE_ORDER,))
    assert f"But it brings a silent error: {ONE_ORDER}" in answered(made).sentence


SEEDED = "import keras\n\nset_random_seed(1)\nfit(x, y)\n"
AGREEING = FactorFinding(False, (), complete=True, runs=1)


def without_difference(findings: CheckFindings) -> CheckFindings:
    same = FileComparison("standard output", "text", same=True, how="")
    return replace(findings, outcomes=(Outcome((same,)),), finding=None)


def test_where_runs_agree_a_silent_error_is_mended_and_it_is_said_what_that_changes(
    tmp_path: Path,
) -> None:
    session = session_for(tmp_path, SEEDED)
    found = without_difference(found_in(session, AGREEING))
    made = patched(session, NOTHING, found)
    assert made.patch
    assert (made.patch.confirmed, made.patch.agreed) == (True, 2)
    assert "+fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)" in made.patch.diff
    assert "It changes what is computed, for the better." in answered(made).sentence


def test_a_silent_error_that_stays_is_left_with_what_to_do_by_hand(tmp_path: Path) -> None:
    session = session_for(tmp_path, SEEDED)
    found = without_difference(found_in(session, AGREEING))
    session.breaks = lambda text, _: "from_tensor_slices" in text
    made = patched(session, NOTHING, found)
    assert made.patch
    assert (made.patch.remedies, made.patch.diff) == ((), "")
    assert "No change that was tried mends it" in answered(made).sentence
    assert "train.py, line 4: Let the dataset be shuffled anew" in answered(made).sentence


def test_where_runs_agree_and_nothing_is_wrong_nothing_is_tried(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\n\nfit(x, y)\n")
    found = without_difference(found_in(session, AGREEING))
    assert patched(session, NOTHING, found).patch is None
    assert session.ran == []


def test_the_hash_seed_is_set_before_the_start_where_no_edit_helps(tmp_path: Path) -> None:
    session = session_for(tmp_path, "import keras\nx = hash(x)\n")
    session.breaks = lambda text, _: "crc32" in text
    finding = FactorFinding(False, ("hash seed",), complete=True, runs=4)
    patch = patched(session, NOTHING, found_in(session, finding)).patch
    assert patch
    assert (patch.diff, patch.variables) == ("", {"PYTHONHASHSEED": "0"})
    assert "hash seed" not in session.ran[-1][1]


def test_what_no_change_mends_is_named_with_what_to_do(tmp_path: Path) -> None:
    session = session_for(tmp_path, "x = default_rng(*[default_rng()])\n")
    findings = found_in(session, RANDOM)
    session.breaks = lambda *_: True
    made = patched(session, NOTHING, findings)
    assert made.patch
    assert made.patch.remedies == ()
    assert "By hand: train.py, line 1: Give this generator a seed." in answered(made).sentence


@pytest.mark.parametrize("options", [{"only": "outputs"}, {"only": "steps"}])
def test_nothing_is_tried_where_that_was_not_asked_for(
    tmp_path: Path, options: dict[str, str]
) -> None:
    session = session_for(tmp_path, **options)
    findings = found_in(session, RANDOM)
    assert patched(session, NOTHING, findings) == findings
    assert session.ran == []


@pytest.mark.parametrize("refusal", [CouldNotRun("No room."), PermissionError("Not yours.")])
def test_where_the_system_refuses_a_later_run_the_answer_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    def refused(*_: Any) -> NoReturn:
        raise refusal

    session = session_for(tmp_path)
    screen = io.StringIO()
    session.progress = Progress(screen)
    findings = replace(found_in(session, RANDOM), steps=None)
    later = replace(findings, finding=None)
    monkeypatch.setattr("repro.check.checking.searched", lambda *_: findings)
    monkeypatch.setattr("repro.check.checking.watched", refused)
    found = explained(session, NOTHING, later)
    assert found == replace(findings, refused=str(refusal))
    checked = Checked(session.command, "overlay", found, answered(found), {}, ())
    [left_out] = report(checked)["left_out"]
    assert str(refusal) in left_out
    assert f"the answer stands. {refusal}" in screen.getvalue()


def test_a_file_whose_name_cannot_be_shown_is_left_as_it_is(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    findings = found_in(session, RANDOM)
    folder, name = session.command.folder, "tr\udcffain.py"
    (folder / "train.py").rename(folder / name)
    session.command = user_command([sys.executable, name], folder)
    made = patched(session, NOTHING, findings)
    assert made.patch
    assert (made.patch.remedies, made.patch.tried) == ((), 0)


def test_a_change_is_written_to_the_copy_alone_and_through_no_link(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (tmp_path / "ours").mkdir()
    folder.mkdir()
    (folder / "train.py").write_text("a")
    (tmp_path / "elsewhere.py").write_text("a")
    (folder / "link.py").symlink_to("../elsewhere.py")
    folders = CommandFolders(folder, None, None, Path("/tmp"), folder / "check")
    place = FolderCopy(folders, tmp_path / "ours").place("run 1", elsewhere=True)
    command = user_command([sys.executable, "train.py"], folder)

    def plan(name: str) -> RunPlan:
        return RunPlan(command, place, "", (), None, False, Change({name: b"b"}))

    write_changes(plan("train.py"))
    assert (place.directory / "train.py").read_text() == "b"
    assert (folder / "train.py").read_text() == "a"
    with pytest.raises(OSError, match="reached by a link"):
        write_changes(plan("link.py"))
    assert (tmp_path / "elsewhere.py").read_text() == "a"
