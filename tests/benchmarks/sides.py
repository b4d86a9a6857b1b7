"""Sides: what is set up in turn. This project, an earlier commit of it, and plain pip.

Synopsis:
    side = clone("now", folder, write_now)
    side.make_ready(COLD)                      # as a new user finds it
    run(side.commands[COLD], side.project, side.environment)

Each works in a home of its own, in which the caches of all tools lie, so that nothing that this
user keeps makes one of them fast. The user's settings of pip count for all.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import project
from conda import lock_file

COLD, WARM = "set-up, cold caches", "set-up, warm caches"
VERDICT = "from nothing to the first verdict, warm caches"
IDLE, PLAIN = "`./run all`, nothing to do", "plain `snakemake all`, nothing to do"
ANEW = (COLD, WARM, VERDICT)

MADE = (".git", ".tools", ".snakemake", "results", "logs", "checkpoints", "archives")
LARGE = 1 << 20  # bytes
FOREIGN = ("CONDA", "PYTHON", "REPRO_", "SNAKEMAKE_", "UV_", "VIRTUAL_ENV", "XDG_CACHE_HOME")
SETTINGS = (".config/pip", ".pip", ".netrc", "Library/Application Support/pip")

# The environments that ./run shares are nothing that plain Snakemake knows of.
_PLAIN = """\
if [ -d "$REPRO_CACHE/environments" ]; then
    export SNAKEMAKE_CONDA_PREFIX="$REPRO_CACHE/environments"
fi
PATH="$PWD/.tools/bin:$PATH" exec snakemake all
"""

Command = Sequence[str]
Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Side:
    """One side of the comparison, in a folder of its own.

    ``write`` makes what a new user finds; ``commands`` are those of each task, one after the other.
    """

    name: str
    folder: Path
    write: Writer
    commands: Mapping[str, Sequence[Command]]

    @property
    def home(self) -> Path:
        """The home of its user."""
        return self.folder / "home"

    @property
    def project(self) -> Path:
        """Where its commands run."""
        return self.folder / "project"

    @property
    def environment(self) -> dict[str, str]:
        """Without what leads to the caches of this user or to the tools of this folder."""
        search = os.environ.get("PATH", os.defpath).split(os.pathsep)
        others = [f for f in search if not Path(f).resolve().is_relative_to(project.ROOT)]
        cache = self.home / ".cache"
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)},
            "PATH": os.pathsep.join([str(Path(sys.base_prefix) / "bin"), *others]),
            "HOME": str(self.home),
            "REPRO_CACHE": str(cache / "repro"),
            "PIP_CACHE_DIR": str(cache / "pip"),
            "UV_CACHE_DIR": str(cache / "uv"),
            "CONDA_PKGS_DIRS": str(cache / "conda"),
        }

    def make_ready(self, task: str) -> None:
        """Does what is not measured: caches stay where the task says so, an environment never."""
        if task == COLD:
            self._put_away(self.home)
            _settle(self.home)
        if task in ANEW:
            self._put_away(self.project)
            self._put_away(self.home / ".cache" / "repro" / "environments")
            self.write(self.project)

    def _put_away(self, place: Path) -> None:
        """Takes a folder out of the way, to be removed when all is measured.

        For some minutes ext4 steps over every inode that it freed (`recently_deleted` in
        fs/ext4/ialloc.c): what is installed after a removal would take up to twice as long. So
        only the content of large files goes at once, for the sake of room.
        """
        if place.exists():
            away = place.rename(Path(tempfile.mkdtemp(dir=self.folder)) / place.name)
            for file in away.rglob("*"):
                status = file.lstat()
                alone = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
                if alone and status.st_size > LARGE:
                    file.chmod(0o600)
                    os.truncate(file, 0)


def clone(name: str, folder: Path, write: Writer) -> Side:
    """The project as a new user has it.

    Args:
        name: what it is called in the table.
        folder: for its home and its files.
        write: puts the files there.
    """
    setup, run_all = [["./run", "setup"]], [["./run", "all"]]
    again = {IDLE: run_all, PLAIN: [["sh", "-c", _PLAIN]]}
    return Side(name, folder, write, {COLD: setup, WARM: setup, VERDICT: run_all, **again})


def pip(folder: Path) -> Side:
    """The same wheels by `pip install`, into two virtual environments that are made before."""
    options = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    source = ["--no-build-isolation", "--use-pep517", "-r", "requirements-source.txt"]
    commands = [
        ["tools/bin/python", *options, "-r", "requirements.txt"],
        ["tools/bin/python", *options, *source],
        ["keras/bin/python", *options, "-r", "keras.txt"],
    ]
    return Side("pip", folder, _write_wheels, {COLD: commands, WARM: commands})


def fits() -> bool:
    """Whether the locked environment's wheels are for the Python that runs this."""
    packages = _lock().conda.get(project.subdir(), ())
    locked = next((p.version for p in packages if p.name == "python"), "none")
    return locked.split(".")[:2] == [str(part) for part in sys.version_info[:2]]


def write_now(folder: Path) -> None:
    """Copies this project as it is, without what was made in it.

    Args:
        folder: which must not be there yet.
    """

    def made(at: str, names: list[str]) -> list[str]:
        return [n for n in names if n == "__pycache__" or (Path(at) == project.ROOT and n in MADE)]

    shutil.copytree(project.ROOT, folder, symlinks=True, ignore=made)


def write_commit(commit: str) -> Writer | None:
    """A function that writes the files of a commit, or None where that is not in the history.

    Args:
        commit: its name.
    """
    git = ["git", "-C", str(project.ROOT)]
    try:
        asked = [*git, "rev-parse", "--show-toplevel", "--verify", f"{commit}^{{commit}}"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:  # no git
        return None
    if found.returncode or Path(found.stdout.splitlines()[0]).resolve() != project.ROOT:
        return None

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        with subprocess.Popen([*git, "archive", commit], stdout=subprocess.PIPE) as packed:
            subprocess.run(["tar", "-x", "-C", str(folder)], stdin=packed.stdout, check=True)

    return write


def remove(folder: Path) -> None:
    """Removes a folder, also where caches made parts of it read-only.

    Args:
        folder: need not be there.
    """
    for inner, _, _ in os.walk(folder):
        Path(inner).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _settle(home: Path) -> None:
    home.mkdir(parents=True)
    for name in SETTINGS:
        if (own := Path.home() / name).exists():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(own)


def _write_wheels(folder: Path) -> None:
    for name in ("tools", "keras"):
        made = [sys.executable, "-Es", "-m", "venv", str(folder / name)]
        subprocess.run(made, check=True)
    for name in ("requirements.txt", "requirements-source.txt"):
        shutil.copy(project.ROOT / "bootstrap" / name, folder)
    wheels = [
        f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
        for wheel in _lock().wheels
        if (wheel.platform, wheel.category) == (project.subdir(), "main")
    ]
    (folder / "keras.txt").write_text("".join(wheels), encoding="utf-8")


def _lock() -> lock_file.Lock:
    return lock_file.parse((project.ROOT / "conda-lock.yml").read_text(encoding="utf-8"))
