"""The Python of the scripts: a virtual environment with what users have, from pinned wheels.

Synopsis:
    python = ensured()

It lies in the cache of this repository, is made when it is first needed, and again whenever
`requirements.txt` changes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import locks
import project
import tools
from table import HERE
from wheels import host_pip
from wheels.install import Target, emptied, install, unpacked_uv
from wheels.store import usable_store, uv_wheel

REQUIREMENTS = HERE / "requirements.txt"


def ensured() -> Path:
    """Makes the environment where it is missing.

    Returns:
        Its Python.

    Raises:
        Refused: a wheel cannot be had or installed.
    """
    text = REQUIREMENTS.read_text("utf-8")
    key = hashlib.sha256("\0".join([sys.version, sys.prefix, text]).encode()).hexdigest()[:16]
    folder = project.CACHE / "scripts" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / "stamp"  # written last
    with locks.held(folder.with_suffix(".lock")):
        # Whoever clears the cache may take away the Python that it was made from.
        if not (stamp.exists() and (folder / "bin" / "python").exists()):
            with emptied(folder.parent / f".{key}") as scratch:
                _fill(folder, text, scratch)
            stamp.touch()
    return folder / "bin" / "python"


def _fill(folder: Path, requirements: str, scratch: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    store, pip = usable_store(tools.KEPT), tools.pip()
    files = store.fetched(requirements, pip, "fetching wheels of the scripts")
    host_pip.make_venv(folder)
    with unpacked_uv(uv_wheel(store, tools.UV.read_text("utf-8"), pip), scratch) as uv:
        if uv is None:
            host_pip.add_pip(folder)
        target = Target(folder / "bin" / "python", scratch)
        install(files, requirements, target, uv, "wheels of the scripts")
    # Else every run that `check` makes would compile them again, for itself alone.
    command = [str(folder / "bin" / "python"), "-m", "compileall", "-qq", "-j", "0", str(folder)]
    subprocess.run(command, check=False, timeout=1800)  # some templates are no Python
