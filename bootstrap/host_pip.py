"""The virtual environment of the host's tools, and the pip that fetches what goes into it.

Synopsis:
    host_pip.make_venv(folder)
    subprocess.run([*host_pip.command(folder), "download", ...])

Where all wheels are kept already pip is not needed, and so it is not there from the beginning:
`python -m venv` spends nearly all its time on it.
"""

import importlib
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from threading import Lock

from repro.core.errors import CouldNotRun

_ONE_AT_A_TIME = Lock()


def make_venv(folder: Path) -> None:
    """Make a virtual environment without pip.

    Args:
        folder: where.

    Raises:
        CouldNotRun: Python did not make it.

    Example:
        >>> make_venv(Path(".tools/venv"))
    """
    _run(folder, sys.executable, "-Es", "-m", "venv", "--without-pip", str(folder))


def command(venv: Path) -> list[str]:
    """Return the command that starts pip there: until there is one, that which Python brings.

    Args:
        venv: a virtual environment.

    Raises:
        CouldNotRun: Python brings none.

    Example:
        >>> command(Path(".tools/venv"))[-2:]
        ['-m', 'pip']
    """
    python = str(venv / "bin" / "python")
    with _ONE_AT_A_TIME:
        (site,) = venv.glob("lib/python3*/site-packages")
        if not (site / "pip").is_dir():
            if wheel := _bundled():
                with zipfile.ZipFile(wheel) as archive:  # as installing does, without compiling
                    archive.extractall(site)
            else:
                _run(venv, python, "-Im", "ensurepip")
    return [python, "-Es", "-m", "pip"]


def _bundled() -> Path | None:
    """The wheel that `ensurepip` installs, where this Python keeps it in a usual place."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]  # Debian's and Fedora's
    if file := importlib.import_module("ensurepip").__file__:
        folders.append(str(Path(file).parent / "_bundled"))
    found = (file for folder in folders if folder for file in Path(folder).glob("pip-*.whl"))
    return next(found, None)


def _run(venv: Path, *arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CouldNotRun(
            f"Expected a virtual environment in {venv}. Received: {done.stderr.strip()} "
            "Mend that Python, or put another one on PATH, then try again."
        )
