"""The host's tools: a virtual environment in .tools/, and commands that need no activation.

Synopsis:
    python = tools.ensure()        # stage 1, standard library alone
    tools.write_commands()         # .tools/bin: snakemake, conda, ...

The environment is complete when its stamp holds the key of what it should be: the pins, this
Python, this folder. Whatever is not, half-made or moved or outdated, is made afresh.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import project
from repro.core.errors import CouldNotRun, UserError

VENV = project.TOOLS / "venv"
BIN = project.TOOLS / "bin"
STAMP = VENV / "stamp"
WHEELS = project.ROOT / "bootstrap" / "requirements.txt"
SOURCE = project.ROOT / "bootstrap" / "requirements-source.txt"
MODULES = ("snakemake", "pytest", "ruff", "snakefmt", "basedpyright")
MINIMUM_CONDA = (24, 9)  # the first that reads sha256 from a pin file

_COMMAND = """\
#!/bin/sh
tools=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
exec "$tools/venv/bin/python" -Es {what} "$@"
"""

# Sourced by Snakemake as `source …/activate ENV`, in a shell that may stop at unset variables,
# which the packages' own scripts are not written for.
ACTIVATE = """\
# usage: . activate ENV
CONDA_PREFIX=$(CDPATH='' cd -- "$1" && pwd -P) || return 1
export CONDA_PREFIX CONDA_DEFAULT_ENV="$CONDA_PREFIX" CONDA_SHLVL=1 PATH="$CONDA_PREFIX/bin:$PATH"
case $- in *u*) _strict=-u ;; *) _strict=+u ;; esac
set +u
for _script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -r "$_script" ]; then . "$_script"; fi
done
set "$_strict"
unset _script _strict
hash -r
"""


def ensure() -> Path:
    """Make the tools if they are not there, and return their Python.

    Returns:
        The path of the virtual environment's ``python``.

    Raises:
        UserError: this Python cannot make virtual environments, or a pinned tool cannot be had.

    Example:
        >>> ensure().name
        'python'
    """
    key = _key()
    if not _complete(key):
        with project.locked(project.TOOLS):
            if not _complete(key):
                _make(key)
    return VENV / "bin" / "python"


def write_commands() -> None:
    """Write .tools/bin, with a conda only where the user has none that will do.

    Example:
        >>> write_commands()
    """
    for name in MODULES:
        project.write(BIN / name, _COMMAND.format(what=f"-P -m {name}"), mode=0o755)
    conda = {
        "conda": _COMMAND.format(what='"$tools/../bootstrap/conda.py"'),
        "activate": ACTIVATE,
    }
    own = users_conda()
    for name, text in conda.items():
        if own:
            (BIN / name).unlink(missing_ok=True)
        else:
            project.write(BIN / name, text, mode=0o755)


def search_path() -> str:
    """Return a PATH on which the tools come first.

    Example:
        >>> search_path().split(":")[0] == str(BIN)
        True
    """
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in others if Path(folder).resolve() != BIN]
    return os.pathsep.join([str(BIN), *others])


def environment() -> dict[str, str]:
    """Return the environment for a tool: the tools first on PATH, no setting for a Python, and
    nothing that a conda would share between environments.

    Example:
        >>> environment()["PATH"] == search_path()
        True
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    # A conda that links a file into another environment changes its times in those that have it.
    return {**kept, "PATH": search_path(), "CONDA_ALWAYS_COPY": "true"}


def users_conda() -> str | None:
    """Return the conda that the user has on PATH, or None if there is none that is new enough.

    Example:
        >>> users_conda()
        '/opt/conda/bin/conda'
    """
    conda = shutil.which("conda", path=search_path().partition(os.pathsep)[2])
    if conda is None:
        return None
    try:
        answer = subprocess.run([conda, "--version"], capture_output=True, text=True, check=False)
    except OSError:  # its Python is gone, say
        return None
    version = re.search(r"(\d+)\.(\d+)\.\d+", answer.stdout)
    enough = version is not None and (int(version[1]), int(version[2])) >= MINIMUM_CONDA
    return conda if enough else None


def _key() -> str:
    parts = [WHEELS.read_bytes(), SOURCE.read_bytes(), sys.version.encode()]
    parts += [os.fsencode(os.path.realpath(sys.executable)), os.fsencode(VENV)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _complete(key: str) -> bool:
    return STAMP.is_file() and STAMP.read_text() == key and (VENV / "bin" / "python").exists()


def _make(key: str) -> None:
    _check_venv()
    print("Setting up the tools in .tools (once; about a minute) ...", file=sys.stderr, flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    made = subprocess.run(
        [sys.executable, "-Es", "-m", "venv", str(VENV)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise CouldNotRun(
            f"Expected a virtual environment in {VENV}. Received: {made.stderr.strip()}"
        )
    _pip("--only-binary", ":all:", "-r", str(WHEELS))
    _pip("--no-binary", ":all:", "--no-build-isolation", "--use-pep517", "-r", str(SOURCE))
    project.write(STAMP, key)


def _check_venv() -> None:
    try:
        for module in ("venv", "ensurepip"):  # Debian has the first without the second
            importlib.import_module(module)
    except ImportError:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise UserError(
            f"Expected a Python that can make virtual environments. Received {sys.executable} "
            f"without the modules venv and ensurepip. Install them (Debian: apt install "
            f"{version}-venv), then try again."
        ) from None


def _pip(*what: str) -> None:
    """Install with the user's own settings of pip: index, mirrors, certificates."""
    options = ["--quiet", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
    pip = [str(VENV / "bin" / "python"), "-Es", "-m", "pip", "install", *options]
    done = subprocess.run([*pip, "--require-hashes", "--no-deps", *what], check=False)
    if done.returncode:
        raise CouldNotRun(
            f"Expected the tools pinned in {Path(what[-1]).relative_to(project.ROOT)} from the "
            "package index that pip is configured with. Received the error above. Make that index "
            "reachable (`pip config list` shows the settings), then try again."
        )
