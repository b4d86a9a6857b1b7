"""An archive is looked at from its first byte to its last before anything of it is used.

Synopsis:
    with accepted(Path("digits.crate.zip")) as inside:
        inside.index.experiment
    unpack(Path("digits.crate.zip"), Path("digits"))

Standard library alone, so that a bare machine can do it. Nothing of an archive that is refused
remains.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from repro.archive import contents as indexes
from repro.archive import pages, rocrate
from repro.archive.contents import GUIDE, INDEX, METADATA, SUMS, Inside, ordered, sums
from repro.archive.verify import problems
from repro.archive.zip_reader import (
    AGAIN,
    Archive,
    Told,
    careful,
    opened,
    refuse_unreadable,
    shown,
    untold,
)  # fmt: skip
from repro.archive.zip_writer import mode
from repro.core.atomic import sentence_for_system_errors, whole_folder
from repro.core.errors import CouldNotRun, UserError

_LONGEST_INDEX = 2**16


@contextmanager
def accepted(path: Path, told: Told = untold) -> Generator[Inside]:
    """An archive, open, after everything in it was held against everything else.

    `told` hears how many bytes were read, block by block.

    Raises:
        UserError: the first thing that is not as it should be.
    """
    _refuse_newer(path)
    with opened(path, told) as archive:
        yield _inside(archive)


def _inside(archive: Archive) -> Inside:
    inside = Inside(archive.kept, archive.read)
    names = list(archive.kept)
    missing = next((name for name in (INDEX, METADATA, SUMS) if name not in archive.kept), None)
    if missing:
        raise _refusal(f"{missing} is missing")
    if names != (order := ordered(names)):
        odd = next(name for name, right in zip(names, order, strict=True) if name != right)
        raise _refusal(f"{odd} is not at its place in the order")
    if archive.read(SUMS) != sums(archive.kept).encode():
        raise _refusal(f"{SUMS} is not the list of the files that are there")
    try:
        for problem in problems(inside):
            raise _refusal(problem)
        derived = {METADATA: rocrate.metadata(inside), GUIDE: pages.guide(inside)}
        texts = {name: text.encode() for name, text in derived.items()}
    except UserError:
        raise
    except Exception as error:  # whatever a stranger may have put in place of what it should be
        raise _refusal(
            f"a content that cannot be read ({type(error).__name__}: {error})"
        ) from error
    for name, text in texts.items():
        if archive.read(name) != text:
            raise _refusal(f"{name} is not what the other files make of it")
    return inside


def _refusal(what: str) -> UserError:
    return UserError(
        "Expected an archive whose files are as they say of one another. "
        f"Received: {shown(what)}. {AGAIN}"
    )


def _refuse_newer(path: Path) -> None:
    """Tells a newer format before all else: it may well be written otherwise."""
    refuse_unreadable(path)
    try:
        with (
            path.open("rb") as file,
            zipfile.ZipFile(careful(file)) as zipped,
            zipped.open(INDEX) as content,
        ):
            text = content.read(_LONGEST_INDEX)
    except Exception:  # whatever it is, it is reported when the archive is opened in earnest
        return
    indexes.refuse_newer(text)


def unpack(
    path: Path, folder: Path, told: Told = untold, seen: str | None = None, below: str = ""
) -> None:
    """Unpacks an archive that is accepted, all of it or nothing, into a new folder.

    `told` hears how many bytes were read, block by block; all are read twice. `seen` is the sha256
    of its sums when somebody said yes to it; None asks for none. `below` is how the names of the
    files begin that are wanted.

    Raises:
        UserError: the archive is refused or another one, there is something already, or no room.
    """
    with sentence_for_system_errors(folder):
        there = folder.exists() or folder.is_symlink()
    if there:
        raise UserError(f"Expected nothing at {folder}. Received something. Name another folder.")
    _refuse_newer(path)
    with opened(path, told) as archive:
        _inside(archive)
        if seen not in (None, now := archive.kept[SUMS].sha256):
            raise UserError(
                f"Expected the archive that was looked at, whose {SUMS} has the sha256 {seen}. "
                f"Received {now} there meanwhile. Look at it again; nothing was unpacked."
            )
        wanted = {name: kept for name, kept in archive.kept.items() if name.startswith(below)}
        _refuse_full(folder, sum(member.size for member in wanted.values()))
        with whole_folder(folder, anew=True) as temporary:
            for name in wanted:
                target = temporary / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    for block in archive.blocks(name, told):
                        file.write(block)
                target.chmod(mode(name))


def _refuse_full(folder: Path, size: int) -> None:
    there = next(parent for parent in folder.absolute().parents if parent.is_dir())
    if (free := shutil.disk_usage(there).free) < size:
        raise CouldNotRun(
            f"Expected {size} free bytes at {there}. Received {free}. Make room, or name another "
            "folder."
        )
