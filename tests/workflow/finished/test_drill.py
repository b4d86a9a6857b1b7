"""The drill: an archive is run again, whole or in part, and judged.

tests/workflow/test_stranger.py runs that of the main job, without a network, as somebody else.
"""

import json
import subprocess
from pathlib import Path

import project
import pytest
import tools
from conftest import Project
from environments import places
from repro.archive.open_archive import accepted
from verbs import reproduce, rerun

pytestmark = pytest.mark.slow


def found(folder: Path) -> dict[str, object]:
    return json.loads((folder / "reproduction.json").read_text())


@pytest.fixture(scope="module")
def archived(unrepeated) -> Path:
    """The archive of a small experiment without a repeat, by the workflow's own target."""
    made = unrepeated("archived")
    done = made.run("--cores", "2", "archive")
    assert done.returncode == 0, done.stdout
    path = made.folder / "archives" / "small.crate.zip"
    with accepted(path) as inside:
        assert inside.index.packages
        assert inside.results.packages.keys() <= {kept.sha256 for kept in inside.kept.values()}
    return path


@pytest.fixture(scope="module")
def small(archived: Path) -> Path:
    """The same archive without packages, of which most of its bytes are."""
    path = archived.with_name("without-packages.crate.zip")
    arguments = ("archive", "small", "--without-packages", "--out", str(path))
    assert Project(archived.parents[1]).by_run(*arguments).returncode == 0
    return path


def here(folder: Path, kind: reproduce.Kind, arguments: list[str]) -> int:
    """What the archive's own `run` does, but with the environments that are there already."""
    for file in (project.TOOLS / "channel", *(project.TOOLS / "local" / "envs").glob("*")):
        copy = folder / file.relative_to(project.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    command = ["snakemake", "--cores", "2", *arguments]
    command += ["--conda-prefix", str(places.folder())]
    done = subprocess.run(
        command, cwd=folder, env=tools.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    (folder / "said.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout
    return 0


def test_archived_weights_are_evaluated_again_and_nothing_is_trained(
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reproduce, "_call", here)
    folder = tmp_path / "out"
    assert rerun.main([str(archived), "--evaluate", "--yes", "--into", str(folder)]) == 0
    answer = found(folder)
    assert (answer["verdict"], answer["reached"], answer["whole"]) == ("met", None, False)
    said = (folder / "said.txt").read_text()
    jobs = said[said.index("Job stats:") :].partition("total")[0].split()
    assert [word for word in jobs if word in ("code", "prepare", "train", "evaluate")] == [
        "evaluate"
    ]


def test_whether_it_still_holds_is_asked_of_this_copy(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "out"
    assert rerun.main([str(small), "--current", "--yes", "--into", str(folder)]) == 0
    assert found(folder)["reached"] == "bitwise"
    assert not (folder / ".tools" / "venv").exists()  # nothing of the archive's own was set up


def test_what_came_out_otherwise_is_found_and_placed(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The same archive, but its experiment trains by another rate when it is run again."""

    def changed(folder: Path, kind: reproduce.Kind, arguments: list[str]) -> int:
        code = folder / "experiment.py"
        code.write_text(code.read_text().replace('"adam"', "keras.optimizers.Adam(2e-3)"))
        return here(folder, kind, arguments)

    monkeypatch.setattr(reproduce, "_call", changed)
    folder = tmp_path / "out"
    assert rerun.main([str(small), "--yes", "--into", str(folder)]) == 3
    answer = found(folder)
    assert (answer["verdict"], answer["reached"]) == ("inconclusive", None)
    assert "another program" in str(answer["goals"])
    assert answer["per_seed"][0]["divergence"]["what"] == "initial optimizer state"
    assert "## How far apart: original and here, seed 0" in (folder / "reproduction.md").read_text()
