"""Runs conda-lock, with what it lacks: newer wheel tags, and the index that pip is configured with.

Synopsis:
    answer = solve({"main.yml": text}, channel=None)
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import project
import yaml
from repro.core.errors import CouldNotRun, UserError

LOG = project.TOOLS / "lock.log"

# TensorFlow's wheels need glibc 2.27 and macOS 12; 2.36 is that of the reference, Debian 12.
_LINUX = {"__unix": "0", "__linux": "5.10", "__glibc": "2.36"}
VIRTUAL_PACKAGES = {
    "linux-64": {**_LINUX, "__archspec": "1 x86_64"},
    "linux-aarch64": {**_LINUX, "__archspec": "1 aarch64"},
    "osx-arm64": {"__unix": "0", "__osx": "13.0", "__archspec": "1 arm64"},
}

Yaml = dict[str, Any]


def index() -> str:
    """Return the address of the index that pip takes packages from, by pip's own reckoning."""
    from pip._internal.commands import create_command  # no public way tells the default too

    options, _ = create_command("install").parse_args([])
    return str(options.index_url)


def solve(files: Mapping[str, str], channel: str | None) -> Yaml:
    """Run conda-lock on files by name, in a folder of its own; what it prints goes to a log.

    Raises:
        UserError: there is no solution, or the channel cannot be reached; CouldNotRun where the
            index cannot.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text)
        subdirs = {p: {"packages": v} for p, v in VIRTUAL_PACKAGES.items()}
        (folder / "virtual.yml").write_text(yaml.safe_dump({"subdirs": subdirs}))
        (folder / "names.json").write_text("{}")  # wheels and conda packages go by the same names
        arguments = ["lock", "--conda", _front_end(folder), "--lockfile", "lock.yml"]
        arguments += ["--virtual-package-spec", "virtual.yml"]
        arguments += ["--pypi_to_conda_lookup_file", "names.json"]
        arguments += [part for file in files for part in ("--file", file)]
        arguments += ["--channel", _address(channel)] if channel else []
        code = "import sys; from conda import solve; solve.conda_lock(sys.argv[1:])"
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("w") as log:
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments], cwd=folder, check=False,
                env={**os.environ, "PYTHONPATH": str(project.BOOTSTRAP)},
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        if done.returncode or not (folder / "lock.yml").is_file():
            raise _unsolved()
        return cast(Yaml, yaml.safe_load((folder / "lock.yml").read_bytes()))


def conda_lock(arguments: Sequence[str]) -> None:
    """Run conda-lock with the wheel tags of today, which its own list lacks; does not return."""
    from conda_lock import pypi_solver  # pyright: ignore[reportMissingTypeStubs]
    from conda_lock.conda_lock import main as run  # pyright: ignore[reportMissingTypeStubs]

    # Its own list ends at manylinux_2_28 and lacks, among others, the tag of TensorFlow's wheels.
    older = ["1", "_2_5", "_2_6", "_2_7", "_2_8", "_2_9", "_2_10", "_2_11", "2010", "_2_12"]
    older += ["_2_13", "_2_14", "_2_15", "_2_16", "2014"]
    pypi_solver.MANYLINUX_TAGS[:] = older + [f"_2_{minor}" for minor in range(17, 41)]
    run(list(arguments))


def _address(channel: str) -> str:
    return channel if "://" in channel else Path(channel).resolve().as_uri()


def _front_end(folder: Path) -> str:
    """Write the command by which conda-lock reaches the bundled conda, whatever is on PATH."""
    command = folder / "conda"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -Es "{project.BOOTSTRAP}/conda" "$@"\n')
    command.chmod(0o755)
    return str(command)


def _unsolved() -> UserError:
    lines = [line.strip() for line in LOG.read_text().splitlines() if line.strip()]
    last = lines[-1] if lines else "nothing"
    if last.startswith("requests.exceptions."):
        host, kind = urlsplit(index()).hostname, last.partition(":")[0].rpartition(".")[2]
        return CouldNotRun(
            f"Expected the package index at {host} to answer, of which wheels are taken. Received "
            f"{kind}. Make it reachable (`pip config list` shows the settings), then try again; "
            f"the whole answer is in {LOG}."
        )
    return UserError(
        f"Expected conda-lock to find versions that fit environment.yml. Received: {last} "
        "Correct the file, or name with --channel a place "
        f"where conda-forge can be reached; the whole answer is in {LOG}."
    )
