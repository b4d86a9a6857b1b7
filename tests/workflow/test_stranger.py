"""The main job's archive is run again without a network, by somebody else, and judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tools
from repro.record import manifest

pytestmark = pytest.mark.slow

STRANGER = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--net")
"""Another user, whose machine has no network: not even a way to itself."""


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
    answer = json.loads((tmp_path / "digits" / "reproduction.json").read_text())
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
