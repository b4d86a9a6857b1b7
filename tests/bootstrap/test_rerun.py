"""./run rerun: nothing of an archive runs before it was looked at and somebody said yes."""

import io
import os
import sys
from pathlib import Path

import pytest
import rerun
import small_archive
import small_results
from repro.core.digest import sha256_file, sha256_files
from repro.core.errors import UserError
from repro.keep.archive import write
from small_archive import members
from small_channel import make_wheel
from small_results import Project


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "tiny.crate.zip"
    copy.write_bytes(sound.read_bytes())
    return copy


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_a_look_unpacks_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun.main([str(path), "--check-only"]) == 0
    assert list(path.parent.iterdir()) == [path]
    assert "experiment tiny, without packages" in capsys.readouterr().out


@pytest.mark.parametrize("typed", [io.StringIO("y\n"), Terminal("n\n"), Terminal("\n")])
def test_without_a_yes_nothing_is_unpacked(
    typed: io.StringIO, path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin", typed)
    with pytest.raises(UserError, match=r"Expected a yes\. Received none\. Nothing was unpacked"):
        rerun.main([str(path)])
    assert list(path.parent.iterdir()) == [path]
    assert "all of them the archive's, with your rights" in capsys.readouterr().out


@pytest.mark.parametrize("said", [["--yes"], []])
def test_with_a_yes_it_runs_where_it_was_unpacked_beside_the_archived_results(
    said: list[str], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert rerun.main([str(path), *said]) == 3  # what the archive's own `run` ends with
    folder = path.parent / "tiny"
    assert (folder / "ran.txt").read_text() == "all \n"
    assert (folder / ".tools/channel").read_text() == "local"
    assert not (folder / "results").exists()
    inside = members(path)
    known = {n.removeprefix("results/") for n in inside if n.startswith("results/")}
    assert sha256_files(folder / "archived-results").keys() == known


def test_a_refused_archive_asks_nothing_and_runs_nothing(sound: Path, tmp_path: Path) -> None:
    forged = tmp_path / "tiny.crate.zip"
    small_archive.forge(sound, lambda content: content.update({"odd": b""}), forged)
    with pytest.raises(UserError, match="odd is there, which nothing in the archive speaks of"):
        rerun.main([str(forged), "--yes"])
    assert list(tmp_path.iterdir()) == [forged]


def test_a_folder_that_is_there_is_not_touched(path: Path) -> None:
    (path.parent / "tiny").mkdir()
    with pytest.raises(UserError, match=r"Expected nothing at .*tiny\. Received something"):
        rerun.main([str(path), "--yes"])
    assert list((path.parent / "tiny").iterdir()) == []
    with pytest.raises(UserError, match=r"Expected a file called NAME\.crate\.zip"):
        rerun.main([str(path.rename(path.with_name("odd.zip"))), "--yes"])


def test_with_its_packages_pip_looks_nowhere_else_whatever_the_folder_is_called(
    small: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path)
    known = {"manager": "pip", "name": "some-thing", "version": "2.0"}
    monkeypatch.setattr(small_results, "PACKAGES", [{**known, "sha256": sha256_file(wheel)}])
    small_archive.furnish(small).make()
    say = "#!/bin/sh\npython3 -m pip download -qq --no-deps --dest got some-thing==2.0\n"
    small_results.write(small.folder / "run", say)
    plan = small_archive.plan(small, {f"packages/pypi/{wheel.name}": wheel})
    write(tmp_path / "a.crate.zip", plan)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    place = tmp_path / "another place"
    assert rerun.main([str(tmp_path / "a.crate.zip"), "--into", str(place), "--yes"]) == 0
    assert [path.name for path in (place / "got").iterdir()] == [wheel.name]
