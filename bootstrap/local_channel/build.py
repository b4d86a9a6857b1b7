"""Builds the packages of the local channel: Debian's Python, and pip and its like from wheels.

Synopsis:
    build.packages()      -> [Path('…/linux-64/python-3.11.2-debian_6_deb12u9.conda'), …]

They are built in the user's cache, once for all clones, in a folder called by their digests.
"""

import asyncio
import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import locks
import project
import tools
from conda import render
from display import progress
from repro.core.atomic import whole_folder
from repro.core.digest import sha256_file
from repro.core.errors import CouldNotRun, UserError
from wheels.pip_command import Refused
from wheels.store import usable_store

from local_channel import debian, package

CHANNELS = project.CACHE / "channels"
ARCHIVED = project.ROOT / "packages" / "conda"  # in a folder that was an archive


def packages() -> list[Path]:
    """Return the channel's packages, built unless the cache of all clones has them.

    Raises:
        UserError: this is no Debian 12, or its packages or the wheels cannot be fetched.
    """
    if known := _known(CHANNELS):
        return known
    place = CHANNELS if project.writable(CHANNELS) else project.TOOLS / CHANNELS.name
    with locks.folder(place):  # another clone may have built them meanwhile
        return _known(place) or _build(place)


def _known(place: Path) -> list[Path]:
    """The packages that were made from the same by the same, if they are still what they were."""
    try:
        return _whole(place / (place / f"{key()}.made").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def _whole(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*/*.conda"))
    return files if _name(files) == folder.name else []


def _build(place: Path) -> list[Path]:
    reason = debian.unsuited()
    if reason:
        raise UserError(
            f"Expected a Debian 12 to build the local channel from. Received {reason}. "
            "Use the locked channel: `--config channel=locked`."
        )
    print(f"Building the local channel in {place} (once; under a minute) ...", file=sys.stderr)
    staging, scratch = place / "making", place / "scratch"
    for leftover in (staging, scratch):
        shutil.rmtree(leftover, ignore_errors=True)
    (staging / "noarch").mkdir(parents=True)
    if ARCHIVED.is_dir():
        built = _archived(staging)
    else:
        _note(0, "Debian's Python")
        built = [debian.write_python(staging, scratch)]
        _note(1, "wheels")
        built += [package.write_wheel(wheel, staging) for wheel in _wheels()]
        shutil.rmtree(scratch)
    _note(2, "index")
    asyncio.run(_index(staging))
    channel = place / _name(built)
    if not _whole(channel):  # else somebody may be reading it
        with whole_folder(channel) as folder:
            shutil.copytree(staging, folder, dirs_exist_ok=True)
    shutil.rmtree(staging)
    project.write(place / f"{key()}.made", channel.name)
    _note(3)
    return _whole(channel)


def _note(done: int, name: str = "") -> None:
    progress.note("local channel", done, 3, name)


def _name(packages: Sequence[Path]) -> str:
    """A name that only these packages have, whenever and wherever they were made."""
    lines = sorted(f"{file.parent.name}/{file.name} {sha256_file(file)}" for file in packages)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _archived(channel: Path) -> list[Path]:
    """Copy the packages that an archive brought along: the very ones that its results came from."""
    files = sorted(ARCHIVED.glob("*/*.conda"))
    copied = [channel / file.relative_to(ARCHIVED) for file in files]
    for file, copy in zip(files, copied, strict=True):
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
    return copied


def _wheels() -> list[Path]:
    try:
        store = usable_store(tools.KEPT)
        return store.fetched(tools.CHANNEL.read_text("utf-8"), tools.pip(), "wheels of the channel")
    except Refused:
        raise CouldNotRun(
            f"Expected the wheels pinned in {tools.CHANNEL.relative_to(project.ROOT)} from the "
            "package index that pip is configured with. Received the error above. Make it "
            "reachable."
        ) from None


async def _index(channel: Path) -> None:
    from rattler.index.index import index_fs

    await index_fs(channel, write_zst=False, write_shards=False)


def key() -> str:
    """Change whenever something changes that the local channel was made from or by."""
    parts = {file for kind in ("py", "in", "txt") for file in project.BOOTSTRAP.rglob(f"*.{kind}")}
    parts |= {project.LOCK, *render.CARRIED.values()}
    digest = hashlib.sha256(f"{project.subdir()} {debian.release()}".encode())
    for file in [*sorted(parts), *sorted(ARCHIVED.glob("*/*.conda"))]:
        digest.update(sha256_file(file).encode())
    return digest.hexdigest()
