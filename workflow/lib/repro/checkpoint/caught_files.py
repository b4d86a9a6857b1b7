"""Caught files: what the user's code writes where it stands, such as a callback's own files.

Synopsis:
    with caught(place, out / "files"):     # `place` is the working directory meanwhile
        ...

A relative path, as ModelCheckpoint, CSVLogger or TensorBoard are given one, leads there: nothing is
left in the project's folder, and the manifest binds what was written.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from repro.core.atomic import flush, sentence_for_system_errors


@contextmanager
def caught(place: Path, target: Path | None = None) -> Generator[None]:
    """Makes `place` the working directory for a while; if files lie in it, `target` has them too.

    They stay in `place` as well, for a training that is killed before its outputs are whole. Where
    an exception leaves the block, and without a target, they are there alone.

    Raises:
        CouldNotRun: the system refused to link or copy them.
    """
    before = Path.cwd()
    place.mkdir(parents=True, exist_ok=True)
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)
    if target:
        with sentence_for_system_errors(target):
            if _files(place):
                shutil.copytree(place, target, copy_function=_linked)
                for path in _files(target):
                    flush(path)


def _linked(source: str, target: str) -> None:
    """The same file under another name; a copy where the system links none, as to another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _files(folder: Path) -> list[Path]:
    """The files in a folder; what is neither file nor folder is removed, with a word."""
    found: list[Path] = []
    for inner, folders, files in os.walk(folder):
        for path in (Path(inner, name) for name in sorted([*folders, *files])):
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                found.append(path)
            elif not stat.S_ISDIR(mode):
                path.unlink()
                print(f"Left out: {path.relative_to(folder)}, which is a link, or no file.")
    return found
