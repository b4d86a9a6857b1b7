"""The lock of a killed Snakemake is removed; that of a living one never is."""

import fcntl
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import project
import pytest
from repro.record.stale_lock import unlocked

HOLDING = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from repro.record.stale_lock import unlocked
alive = unlocked(Path.cwd())
print("held", flush=True)
input()
"""
WAITING = "print('there', flush=True); input()"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / ".snakemake" / "locks" / "0.output.lock"
    file.parent.mkdir(parents=True)
    file.write_text("a.txt\n")
    return file


def held(alive: TextIO | None) -> TextIO:
    assert alive is not None
    return alive


@contextmanager
def process(folder: Path, source: str, *arguments: str) -> Iterator[None]:
    """While this lasts, another process runs in a folder."""
    command = [sys.executable, "-B", "-c", source, *arguments]
    child = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    try:
        yield
    finally:
        child.kill()
        child.communicate()


def test_a_lock_that_nobody_can_hold_any_more_is_removed(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alive = unlocked(tmp_path)
    assert alive is not None
    alive.close()
    assert not lock.exists()
    assert "left its lock behind" in capsys.readouterr().err


def test_what_another_machine_left_stays_and_is_named(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".snakemake" / "repro.alive"
    file.write_text("another\n")  # whose lock no file system need show here
    for _ in range(2):
        with held(unlocked(tmp_path)):
            assert lock.exists()
        assert "is of a Snakemake on another." in capsys.readouterr().err
    lock.unlink()  # as `--unlock` does
    with held(unlocked(tmp_path)):
        assert file.read_text() == f"{socket.gethostname()}\n"
    assert capsys.readouterr().err == ""


def test_where_nothing_was_left_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unlocked(tmp_path) is not None
    assert capsys.readouterr().err == ""


def test_one_that_reads_the_same_snakefile_keeps_its_lock(lock: Path, tmp_path: Path) -> None:
    lock.unlink()
    with process(tmp_path, HOLDING, str(project.LIBRARY)):
        lock.write_text("a.txt\n")
        unlocked(tmp_path)
        assert lock.exists()
    assert unlocked(tmp_path) is not None
    assert not lock.exists()


def test_one_that_came_second_keeps_its_lock_when_the_first_has_ended(
    lock: Path, tmp_path: Path
) -> None:
    with ExitStack() as second:
        with process(tmp_path, HOLDING, str(project.LIBRARY)):
            second.enter_context(process(tmp_path, HOLDING, str(project.LIBRARY)))
            lock.parent.mkdir(exist_ok=True)
            lock.write_text("a.txt\n")
        unlocked(tmp_path)
        assert lock.exists()
    assert unlocked(tmp_path) is not None
    assert not lock.exists()


def test_one_of_an_older_version_keeps_its_lock(lock: Path, tmp_path: Path) -> None:
    with (tmp_path / ".snakemake" / "repro.alive").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        assert unlocked(tmp_path) is None
        assert lock.exists()


@pytest.mark.parametrize("name", ["snakemake", "/a/bin/snakemake", "/a/snakemake/__main__.py"])
def test_any_other_snakemake_in_the_folder_keeps_its_lock(
    name: str, lock: Path, tmp_path: Path
) -> None:
    with process(tmp_path, WAITING, name):
        unlocked(tmp_path)
        assert lock.exists()


def test_one_in_another_folder_does_not_matter(lock: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with process(other, WAITING, "snakemake"):
        unlocked(tmp_path)
        assert not lock.exists()
