"""A patch is applied after asking, to a work tree of git without changes, and to no other."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from repro.check.answer import NOT_SAME, CheckAnswer, CheckFindings
from repro.check.checking import Checked
from repro.check.session import CheckOptions
from repro.cli.apply_patch import applied, require_clean
from repro.cli.check import main
from repro.contain.user_command import user_command
from repro.core.errors import UserError
from repro.repair.patch import TriedPatch
from repro.repair.remedies import Remedy

PATCH = "--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder within a work tree, with a script that is committed, and a terminal."""
    made = tmp_path / "part"
    made.mkdir()
    (made / "train.py").write_text("a\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "a")
    (made / "fix.patch").write_text(PATCH)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    return made


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, timeout=60)


@pytest.mark.parametrize(
    ("answer", "text"), [("y", "b\n"), ("Yes ", "b\n"), ("", "a\n"), ("n", "a\n")]
)
def test_a_patch_is_applied_if_the_answer_is_yes(folder: Path, answer: str, text: str) -> None:
    said = applied(folder, folder / "fix.patch", lambda _: answer)
    assert (folder / "train.py").read_text() == text
    assert said.startswith("The patch was applied" if text == "b\n" else "The patch was not")


def test_a_work_tree_with_changes_is_left_alone(folder: Path) -> None:
    (folder / "train.py").write_text("c\n")
    with pytest.raises(UserError, match="Received a change of"):
        applied(folder, folder / "fix.patch", lambda _: "y")
    assert (folder / "train.py").read_text() == "c\n"


def test_a_file_that_git_does_not_follow_is_left_alone(folder: Path) -> None:
    (folder / "own.py").write_text("a\n")
    (folder / "fix.patch").write_text(PATCH + PATCH.replace("train", "own"))
    with pytest.raises(UserError, match=r"own\.py: does not exist in index"):
        applied(folder, folder / "fix.patch", lambda _: "y")
    assert [(folder / name).read_text() for name in ("train.py", "own.py")] == ["a\n", "a\n"]


def test_a_folder_in_one_of_the_same_name_is_found(folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "part/train.py").write_text("a\n")
    git(folder, "add", "part")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "b")
    (folder / "fix.patch").write_text(PATCH.replace("train", "part/train"))
    applied(folder, folder / "fix.patch", lambda _: "y")
    assert [(folder / n).read_text() for n in ("train.py", "part/train.py")] == ["a\n", "b\n"]


@pytest.mark.parametrize(("typed", "said"), [("", "was not applied"), ("y\n", "was applied")])
def test_the_question_keeps_out_of_a_report_and_the_end_of_input_is_a_no(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    typed: str, said: str,
) -> None:  # fmt: skip
    def checked(options: CheckOptions, _: Any) -> Checked:
        patch = TriedPatch((Remedy("mends it"),), PATCH, {}, 2, 2)
        findings = CheckFindings("train", (), (), patch=patch)
        command = user_command([sys.executable, "train.py"], folder)
        return Checked(command, "overlay", findings, CheckAnswer(NOT_SAME, "No."), {}, ())

    terminal = io.StringIO(typed)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("repro.cli.check.check", checked)
    monkeypatch.setattr("repro.cli.check.report", lambda _: {})
    monkeypatch.setattr("repro.cli.check.page", lambda _: "")
    main(["--apply", "--json", "--", "python", "train.py"])
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {}
    assert said in printed.err


def test_a_patch_that_git_refuses_is_said(folder: Path) -> None:
    (folder / "fix.patch").write_text(PATCH.replace("-a", "-x"))
    with pytest.raises(UserError, match="Expected git to apply"):
        applied(folder, folder / "fix.patch", lambda _: "y")


def test_without_git_or_a_terminal_nothing_begins(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / ".git").rename(tmp_path / "other")
    with pytest.raises(UserError, match="Received none"):
        require_clean(folder)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="no such program"):
        require_clean(folder)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UserError, match="Expected a terminal"):
        require_clean(folder)


def test_what_tries_no_patch_can_apply_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--apply", "--only", "steps", "--", "python", "train.py"]) == 2
    assert "with which no patch is tried" in capsys.readouterr().err
