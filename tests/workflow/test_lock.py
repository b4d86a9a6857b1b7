"""After a kill the same command goes on; the lock of a Snakemake that lives elsewhere stays."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Project

pytestmark = pytest.mark.slow

TARGET = "results/code.pyz"


@pytest.fixture
def locked(new_project: Callable[[str], Project]) -> Project:
    """A folder with the lock that Snakemake has while it makes the programs."""
    made = new_project("locked")
    folder = made.folder / ".snakemake" / "locks"
    folder.mkdir(parents=True)
    (folder / "0.output.lock").write_text(f"{TARGET}\n")
    return made


def test_the_lock_of_a_killed_snakemake_stands_in_nobodys_way(locked: Project) -> None:
    done = locked.run(TARGET)
    assert done.returncode == 0, done.stdout
    assert "A Snakemake that was killed left its lock behind: removed." in done.stdout
    assert (locked.folder / TARGET).exists()


@pytest.mark.parametrize("kind", [fcntl.LOCK_SH, fcntl.LOCK_EX], ids=["now", "older version"])
def test_that_of_one_that_is_out_of_sight_stays(kind: int, locked: Project) -> None:
    with Path(locked.folder, ".snakemake", "repro.alive").open("w") as elsewhere:
        fcntl.flock(elsewhere, kind)
        done = locked.run(TARGET)
    assert done.returncode == 1
    assert "Directory cannot be locked" in done.stdout
    assert not (locked.folder / TARGET).exists()
    assert (locked.folder / ".snakemake" / "locks" / "0.output.lock").exists()
