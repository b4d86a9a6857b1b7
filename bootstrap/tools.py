"""The host's tools: a virtual environment in .tools/, and commands that need no activation.

Synopsis:
    python = tools.ensure()        # stage 1, standard library alone
    tools.write_commands()         # .tools/bin: snakemake, conda, ...

The environment is complete when its stamp holds the key of what it should be: the pins, this
Python, this folder. Whatever is not, half-made or moved or outdated, is made afresh. On top comes
what only the verbs `lock` and `test` need, when one of them is called, and what submits jobs to
Slurm, when the command names it.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import locks
import project
from repro.core.errors import CouldNotRun, UserError
from repro.launch.isolation import die_with
from wheels import ahead as unpacked
from wheels import host_pip, install
from wheels.pip_command import SOURCES, Pip, Refused
from wheels.store import Store, usable_store, uv_wheel

VENV = project.TOOLS / "venv"
BIN = project.TOOLS / "bin"
STAMP, STAMP_DEV, STAMP_SLURM = VENV / "stamp", VENV / "stamp-dev", VENV / "stamp-slurm"
WHEELS = project.BOOTSTRAP / "requirements.txt"
DEV = project.BOOTSTRAP / "requirements-dev.txt"
SLURM = project.BOOTSTRAP / "requirements-slurm.txt"
SOURCE = project.BOOTSTRAP / "requirements-source.txt"
UV = project.BOOTSTRAP / "requirements-uv.txt"
CHANNEL = project.BOOTSTRAP / "local_channel" / "channel-wheels.txt"
KEPT = project.TOOLS / "wheels"  # where the user's cache cannot be written
UNPACKED = project.CACHE / "unpacked"  # wheels, ahead
DEV_MODULES = ("pytest", "ruff", "snakefmt", "basedpyright")
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


def ensure(*, dev: bool = False, slurm: bool = False, ahead: bool = False) -> Path:
    """Make what is missing of the tools, and return their Python.

    ``dev`` adds those for `lock` and `test`, ``slurm`` those for Slurm; ``ahead``: the
    environment's wheels are needed too.

    Raises:
        UserError: this Python cannot make virtual environments, or a pinned tool cannot be had.
    """
    key = _key(WHEELS, SOURCE)
    top = {DEV: STAMP_DEV} if dev else {}
    top |= {SLURM: STAMP_SLURM} if slurm else {}
    keys = {file: _key(WHEELS, SOURCE, file) for file in top}

    def missing() -> list[Path]:
        return [file for file in top if not _complete(top[file], keys[file])]

    if not _complete(STAMP, key) or missing():
        with locks.folder(project.TOOLS):
            if not _complete(STAMP, key):
                _make(key, ahead=ahead)
            for file in missing():
                _add(file, top[file], keys[file])
    return VENV / "bin" / "python"


def write_commands() -> None:
    """Write .tools/bin, with a conda only where the user has none that will do."""
    for name in DEV_MODULES if STAMP_DEV.is_file() else ():
        project.write(BIN / name, _COMMAND.format(what=f"-P -m {name}"), mode=0o755)
    snakemake = _COMMAND.format(what='"$tools/../bootstrap/failures"')
    project.write(BIN / "snakemake", snakemake, mode=0o755)
    conda = {
        "conda": _COMMAND.format(what='"$tools/../bootstrap/conda"'),
        "activate": ACTIVATE,
    }
    has_conda = users_conda() is not None
    for name, text in conda.items():
        if has_conda:
            (BIN / name).unlink(missing_ok=True)
        else:
            project.write(BIN / name, text, mode=0o755)


def search_path() -> str:
    """Return a PATH on which the tools come first."""
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in others if Path(folder).resolve() != BIN]
    return os.pathsep.join([str(BIN), *others])


def environment() -> dict[str, str]:
    """Return the environment for a tool: the tools first on PATH, no setting for a Python."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    # A conda that links a file into another environment changes its times in those that have it.
    return {**variables, "PATH": search_path(), "CONDA_ALWAYS_COPY": "true"}


def users_conda() -> str | None:
    """Return the conda that the user has on PATH, or None if there is none that is new enough."""
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


def _key(*files: Path) -> str:
    parts = [*(file.read_bytes() for file in files), sys.version.encode()]
    parts += [os.fsencode(os.path.realpath(sys.executable)), os.fsencode(VENV)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _complete(stamp: Path, key: str) -> bool:
    return stamp.is_file() and stamp.read_text() == key and (VENV / "bin" / "python").exists()


def _make(key: str, *, ahead: bool) -> None:
    _check_venv()
    if VENV.exists():
        shutil.rmtree(VENV)
    if ahead:
        _fetch_ahead()
    host_pip.make_venv(VENV)
    _add(WHEELS, STAMP, key)


def _add(file: Path, stamp: Path, key: str) -> None:
    """Install pinned tools, and note that they are there."""
    print("Setting up the tools in .tools (once) ...", file=sys.stderr, flush=True)
    store = usable_store(KEPT)
    try:
        wheel = uv_wheel(store, UV.read_text("utf-8"), pip())
        with install.unpacked_uv(wheel, project.TOOLS) as uv:
            _install(store, file, uv, "wheels of the tools")
            if file == WHEELS:  # by some of these, what is published as source alone is built
                _install(store, SOURCE, uv, "sources of the tools")
    except Refused:
        raise CouldNotRun(
            f"Expected the tools pinned in {file.relative_to(project.ROOT)} from the package index "
            "that pip is configured with. Received the error above. Make that index reachable "
            "(`pip config list` shows the settings), then try again."
        ) from None
    project.write(stamp, key)


def _install(store: Store, file: Path, uv: str | None, what: str) -> None:
    text, source, python = file.read_text("utf-8"), file == SOURCE, VENV / "bin" / "python"
    fetches = pip()
    if source:  # pip looks into it, by the tools that build it
        fetches = replace(fetches, source=True, start=lambda: [str(python), *_pip_command()[1:]])
    files = store.fetched(text, fetches, f"fetching {what}")
    if not uv and file == WHEELS:
        host_pip.add_pip(VENV)
    kind = SOURCES if source else install.WHEELS
    with install.emptied(project.TOOLS / "venv.uv") as scratch:
        install.install(files, text, install.Target(python, scratch, kind), uv, what)


def _fetch_ahead() -> None:
    """Let another process get the wheels of the environment ready, and end with this one."""
    with suppress(OSError):
        unpacked.begin(UNPACKED)
    parent = os.getpid()  # the same after stage 2 took its place
    program = str(project.BOOTSTRAP / "fetch_ahead.py")
    subprocess.Popen(
        [sys.executable, "-Es", program], preexec_fn=lambda: die_with(parent),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def pip() -> Pip:
    """Return what fetches wheels for the Python of the tools."""
    return Pip(_pip_command, f"{sys.version_info.major}.{sys.version_info.minor}")


def _pip_command() -> list[str]:
    if STAMP.is_file():
        # -P: else it would import what a user's project happens to call as a module of its own.
        return [str(VENV / "bin" / "python"), "-EsP", "-m", "pip"]
    return host_pip.pinned(project.TOOLS / "pip", WHEELS.read_text("utf-8"), usable_store(KEPT))


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
