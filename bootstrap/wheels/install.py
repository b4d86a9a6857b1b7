"""Installs wheels that lie in a folder: by uv, or by pip where uv cannot be had.

Synopsis:
    with unpacked_uv(wheel, folder) as uv, emptied(folder / "work") as scratch:
        unpack(files, text, "3.11", scratch, uv)                     # or all of it ahead
        install(files, text, Target(python, scratch), uv, "wheels of keras")

uv unpacks on all processors, and hashes each wheel against its requirement once more. Its own cache
would be trusted without a look, and its links into that would tie environments together: a file
that changes through one of them would change in all. So it gets an empty cache, which goes away.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from display import progress

from wheels.pip_command import HASHED, QUIET, WHEELS, run


@contextmanager
def unpacked_uv(wheel: Path | None, folder: Path) -> Generator[str | None]:
    """Give the path of uv while it is needed; None where it cannot be had or does not run."""
    if wheel is None:
        yield None
        return
    # Programs may run in this folder, as they often may not in /tmp.
    with emptied(folder / ".uv") as place, zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".data/scripts/uv"))
        uv = Path(archive.extract(name, place))
        uv.chmod(0o755)
        yield str(uv) if _runs(uv) else None


@dataclass(frozen=True)
class Target:
    """Where packages go, a folder on that disk to work in, which goes away, and their kind."""

    python: Path
    scratch: Path
    kind: tuple[str, ...] = WHEELS


def install(
    files: Sequence[Path], requirements: str, target: Target, uv: str | None, what: str
) -> None:
    """Install packages, and nothing else, by uv, or by pip where there is no uv.

    Raises:
        Refused: a wheel is missing or is another one, or it cannot be written.
    """
    python, scratch = target.python, target.scratch
    options = [*_options(files, requirements, scratch), *target.kind]
    site = next(python.parent.parent.glob("lib/python3*/site-packages"))
    with progress.followed(site, what, len(files), "*.dist-info"):
        if uv:
            command = [*_by_uv(uv, scratch), "--break-system-packages", "--python", str(python)]
            run([*command, *options], _without("UV_", scratch))
        else:
            pip = [str(python), "-IB", "-m", "pip", "install", "--no-user", "--no-compile"]
            quiet = ["--no-warn-script-location", "--root-user-action", "ignore"]
            run([*pip, *quiet, *QUIET, *options], _without("PIP_", scratch))


def unpack(files: Sequence[Path], requirements: str, python: str, scratch: Path, uv: str) -> None:
    """Let uv unpack wheels for a version of Python, for a later `install` from the same folder.

    Raises:
        Refused: a wheel is missing or is another one, or it cannot be written.
    """
    target = str(scratch / "target")  # goes away with the folder, which takes a while
    version = ["--target", target, "--python", sys.executable, "--python-version", python]
    options = [*_options(files, requirements, scratch), *WHEELS]
    command = [*_by_uv(uv, scratch), *version, *options]
    run(command, _without("UV_", scratch), silent=True)


def _options(files: Sequence[Path], requirements: str, scratch: Path) -> list[str]:
    """What uv and pip are told alike: these files, and no other."""
    links, listed = scratch / "wheels", scratch / "wanted.txt"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir()
    for file in files:
        (links / file.name).symlink_to(file.absolute())
    listed.write_text(requirements, encoding="utf-8")
    options = ["--no-index", "--find-links", str(links), "--requirement", str(listed)]
    return [*options, *HASHED, "--quiet"]


def _by_uv(uv: str, scratch: Path) -> list[str]:
    # Hard links to a cache that goes away: each file is written once.
    cache = ["--cache-dir", str(scratch / "cache"), "--link-mode", "hardlink"]
    return [uv, "pip", "install", "--no-config", *cache]


@contextmanager
def emptied(folder: Path) -> Generator[Path]:
    """Give an empty folder, which goes away; who was killed may have left it full."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(uv: Path) -> bool:
    try:
        done = subprocess.run([str(uv), "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _without(prefix: str, scratch: Path) -> dict[str, str]:
    """The environment without a program's own settings; what it leaves in TMPDIR goes away."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
    return {**variables, "TMPDIR": str(scratch)}
