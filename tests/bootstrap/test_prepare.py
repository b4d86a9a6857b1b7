"""What is put right before a target runs: locks left behind, environments tampered with."""

import subprocess
import sys
from pathlib import Path

import prepare
import pytest
from repro.record import installed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that a killed Snakemake has left locked."""
    locks = tmp_path / "a project" / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a\n")
    return tmp_path / "a project"


def test_the_lock_of_a_killed_snakemake_is_removed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare.drop_stale_lock(root)
    assert not (root / ".snakemake/locks").exists()
    assert "the lock that it left is removed" in capsys.readouterr().err
    assert not prepare.drop_stale_lock(root)


def test_the_lock_of_a_living_snakemake_is_kept(root: Path) -> None:
    waiting = [sys.executable, "-c", "print(flush=True); input()", "snakemake"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(waiting, cwd=root, **pipes) as process:
        assert process.stdout
        assert process.stdout.readline()  # it lives
        assert not prepare.drop_stale_lock(root)
        process.communicate(b"\n")
    assert (root / ".snakemake/locks/0.output.lock").exists()
    assert prepare.drop_stale_lock(root)


def make_environment(folder: Path, name: str) -> Path:
    prefix = folder / f"{name}_"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "module.py").write_text("value = 1\n")
    installed.record(prefix, installed.survey(prefix), {}, {})
    prefix.with_suffix(".env_setup_done").touch()
    return prefix


def test_what_was_tampered_with_is_removed_and_the_rest_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, changed, unrecorded = (make_environment(tmp_path, name) for name in "abc")
    (changed / "lib" / "module.py").write_text("value = 2\n")
    (unrecorded / installed.RECORD).unlink()
    assert prepare.drop_unsound(tmp_path) == [changed, unrecorded]
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == [sound.name, f"{sound.name}.env_setup_done"]
    first, second = capsys.readouterr().err.splitlines()
    assert str(changed / "lib" / "module.py") in first
    assert installed.RECORD in second
    assert first.endswith("The environment is made anew.")


def test_there_need_be_no_environment(tmp_path: Path) -> None:
    assert prepare.drop_unsound(tmp_path / "none") == []
