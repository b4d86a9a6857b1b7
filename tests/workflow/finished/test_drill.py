"""The drill: an archive is run again without a network, by somebody else, and judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import project
import pytest
import tools
from environments import places
from repro.archive.open_archive import accepted
from repro.record import manifest
from verbs import reproduce, rerun

pytestmark = pytest.mark.slow

STRANGER = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--net")
"""Another user, whose machine has no network: not even a way to itself."""


def found(folder: Path) -> dict[str, object]:
    return json.loads((folder / "reproduction.json").read_text())


def stranger(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command with an empty HOME, and nothing else of this process's surroundings."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(sys.base_prefix, "bin")), "/usr/bin", "/bin"])
    bare = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}
    return subprocess.run(
        [*STRANGER, *command], cwd=folder, env=bare, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_main_job_is_had_again_by_a_stranger_without_a_network(root: Path, tmp_path: Path):
    alone = stranger(["sh", "-c", "id -u && cat /proc/net/dev && cat /proc/net/route"], tmp_path)
    if alone.returncode:
        pytest.skip(f"needs namespaces of a user and of the network: {alone.stdout.strip()}")
    assert alone.stdout.splitlines()[0] == "65534"
    assert all(":" not in line or line.split()[0] == "lo:" for line in alone.stdout.splitlines())
    path = tmp_path / "digits.crate.zip"
    for command in (["all"], ["archive", "digits", "--out", str(path)]):
        done = subprocess.run(
            [root / "run", *command], env=tools.environment(), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
    done = stranger([str(root / "run"), "rerun", str(path), "--yes"], tmp_path)
    assert done.returncode == 0, done.stdout
    answer = found(tmp_path / "digits")
    assert (answer["verdict"], answer["reached"], answer["setup"]) == ("met", "bitwise", [])
    assert str(answer["sentence"]).startswith(
        "digits: same bits, same setup. The rerun of seed 0, "
    )
    assert f"\n{answer['sentence']}\n" in done.stdout
    # It was made again, not copied: by other processes, later.
    then, now = (
        manifest.read(tmp_path / "digits" / part / "digits/original/seed-0/train.manifest.json")
        for part in ("archived-results", "results")
    )
    started = [v["predicate"]["runDetails"]["metadata"]["startedOn"] for v in (then, now)]
    assert started[0] < started[1]


@pytest.fixture(scope="module")
def archived(finished) -> Path:
    """The archive of a small experiment, by the workflow's own target."""
    made = finished("archived")
    done = made.run("--cores", "2", "archive")
    assert done.returncode == 0, done.stdout
    path = made.folder / "archives" / "small.crate.zip"
    with accepted(path) as inside:
        assert inside.index.packages
        assert inside.results.packages.keys() <= {kept.sha256 for kept in inside.kept.values()}
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
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "out"
    assert rerun.main([str(archived), "--current", "--yes", "--into", str(folder)]) == 0
    assert found(folder)["reached"] == "bitwise"
    assert not (folder / ".tools" / "venv").exists()  # nothing of the archive's own was set up


def test_what_came_out_otherwise_is_found_and_placed(
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The same archive, but its experiment trains by another rate when it is run again."""

    def changed(folder: Path, kind: reproduce.Kind, arguments: list[str]) -> int:
        code = folder / "experiment.py"
        code.write_text(code.read_text().replace('"adam"', "keras.optimizers.Adam(2e-3)"))
        return here(folder, kind, arguments)

    monkeypatch.setattr(reproduce, "_call", changed)
    folder = tmp_path / "out"
    assert rerun.main([str(archived), "--yes", "--into", str(folder)]) == 3
    answer = found(folder)
    assert (answer["verdict"], answer["reached"]) == ("inconclusive", None)
    assert "another program" in str(answer["goals"])
    assert answer["per_seed"][0]["divergence"]["what"] == "initial optimizer state"
    assert "## How far apart: original and here, seed 0" in (folder / "reproduction.md").read_text()
