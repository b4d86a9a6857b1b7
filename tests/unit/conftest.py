"""What the unit tests share: a fresh process, two runs with the same bits, a tiny disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from places import Place, pack
from samples import LIBRARY, Fresh, write_run

sys.dont_write_bytecode = True  # as in a job: what a test finds beside its files is the library's
settings.register_profile("repro", deadline=None, max_examples=50)
settings.load_profile("repro")


@pytest.fixture(scope="session")
def fresh() -> Fresh:
    """Runs Python source in a process of its own, with the library on its path."""

    def run(source: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY), **variables}
        return subprocess.run(
            [sys.executable, "-B", "-c", source, *arguments],
            env=environment, text=True, capture_output=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """An original and a repeat with the same bits."""
    return write_run(tmp_path / "original"), write_run(tmp_path / "repeat")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; skipped where this process may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program whose step runs a piece of Python, or tells what it sees."""
    return pack(tmp_path_factory.mktemp("a program") / "program.pyz")


@pytest.fixture
def place(tmp_path: Path, program: Path) -> Place:
    """A project of a user, and how to start that step there."""
    return Place(tmp_path, program)
