"""The virtual environment of the host's tools, and the pip that fetches what goes into it.

Synopsis:
    host_pip.make_venv(folder)
    subprocess.run([*host_pip.brought(folder), "download", ...])

A virtual environment is made without pip: `python -m venv` spends nearly all its time on that, and
uv installs the one that is pinned. Until then that one fetches from where it was unpacked; the one
that Python brings along, which may take twice as long, fetches nothing but that one.
"""

import functools
import importlib
import re
import subprocess
import sys
import sysconfig
import zipfile
from contextlib import suppress
from pathlib import Path

import locks
from repro.core.atomic import whole_folder
from repro.core.errors import CouldNotRun

from wheels.pip_command import Pip, Refused
from wheels.store import Store

_PINNED = re.compile(r"^pip==[^\n\\]*(?:\\\n[^\n\\]*)*\n", re.MULTILINE)  # with its digests


def make_venv(folder: Path) -> None:
    """Make a virtual environment without pip.

    Raises:
        CouldNotRun: Python did not make it.
    """
    _run(folder, sys.executable, "-EsP", "-m", "venv", "--without-pip", str(folder))


def add_pip(venv: Path) -> None:
    """Install the pip that Python brings along, where uv cannot be had and pip must install.

    Raises:
        CouldNotRun: Python brings none.
    """
    _run(venv, str(venv / "bin" / "python"), "-Im", "ensurepip")


def brought(folder: Path) -> list[str]:
    """Return the command that starts the pip that Python brings along, unpacked in a folder.

    Raises:
        CouldNotRun: Python brings none.
    """
    return _unpacked(bundled(), folder)


@functools.cache
def pinned(folder: Path, requirements: str, store: Store) -> list[str]:
    """Return the command that starts the pip among some requirements, or the one brought along.

    Raises:
        CouldNotRun: Python brings none.
        OSError: the folder or the store cannot be written.
    """
    start = brought(folder)
    if found := _PINNED.search(requirements):
        pip = Pip(lambda: start, f"{sys.version_info.major}.{sys.version_info.minor}", silent=True)
        with suppress(Refused):
            (wheel,) = store.fetched(found[0], pip, "fetching pip")
            return _unpacked(wheel, folder)
    return start


def _unpacked(wheel: Path, folder: Path) -> list[str]:
    unpacked = folder / wheel.stem  # there may be another version
    with locks.folder(folder):
        if not unpacked.exists():
            with whole_folder(unpacked) as new, zipfile.ZipFile(wheel) as archive:
                archive.extractall(new)
    return [sys.executable, "-Es", str(unpacked / "pip")]  # a folder with a __main__ is a program


def bundled() -> Path:
    """Return the wheel of the pip that this Python brings along, from one of the usual places.

    Raises:
        CouldNotRun: there is none.
    """
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]  # Debian's and Fedora's
    if file := importlib.import_module("ensurepip").__file__:
        folders.append(str(Path(file).parent / "_bundled"))
    wheels = (file for folder in folders if folder for file in Path(folder).glob("pip-*.whl"))
    if wheel := next(wheels, None):
        return wheel
    raise CouldNotRun(
        f"Expected the wheel of pip that comes with {sys.executable}. Received none. Put another "
        "Python on PATH, then try again."
    )


def _run(venv: Path, *arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CouldNotRun(
            f"Expected a virtual environment in {venv}. Received: {done.stderr.strip()} "
            "Mend that Python, or put another one on PATH, then try again."
        )
