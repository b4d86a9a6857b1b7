"""Outputs: which of the files that a run wrote are its outputs, and under which name.

Synopsis:
    names = Names(folders, homes, skipped)
    names.of(Path("/home/ada/project/model.keras"))     # ("folder", "model.keras")
    names.of(Path("/home/ada/.cache/x"))                # None
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from repro.contain.home import CACHES
from repro.contain.place import FOLDER, HOME, OUTSIDE, CommandFolders, Outputs
from repro.core.text import TEMPORARY_NAME

NOT_OUTPUTS = (
    "Not compared: hidden folders and known caches of data in HOME, the folder for temporary files "
    "that TMPDIR names, `__pycache__`, `.git`, and folders of the system: /dev, /run, and /var but "
    "for /var/tmp."
)
_NEVER = {"__pycache__", ".git", ".ipynb_checkpoints"}
# As Python's tempfile and mktemp(1) draw them.
_TEMPORARY = re.compile(rf"({TEMPORARY_NAME}|tmp\.\w{{10}})")
_OF_SYSTEM = tuple(map(Path, ("/var", "/run", "/proc", "/sys", "/dev", "/etc/ld.so.cache")))
_USUAL = (Path("/tmp"), Path("/var/tmp"))


@dataclass(frozen=True)
class Names:
    """Names files by the place in which they lie; `homes` and `temporaries` of this run, too."""

    folders: CommandFolders
    homes: Sequence[Path] = ()
    skipped: Sequence[Path] = ()
    moved: dict[Path, Path] = field(default_factory=dict[Path, Path])

    def of(self, path: Path) -> tuple[str, str] | None:
        """Where a file belongs, and its name there; None where it is no output."""
        if _NEVER & {*path.parts} or path.is_relative_to(self.folders.spared):
            return None
        for ours, theirs in self.moved.items():
            if path.is_relative_to(ours):
                path = theirs / path.relative_to(ours)
        for home in self.homes:
            if path.is_relative_to(home):
                return self._of_home(path.relative_to(home))
        if any(path.is_relative_to(folder) for folder in self.skipped):
            return None
        home, folder = self.folders.home, self.folders.folder
        in_home = home is not None and path.is_relative_to(home)
        if home and in_home and home.is_relative_to(folder):
            return self._of_home(path.relative_to(home))
        if path.is_relative_to(folder):
            return FOLDER, path.relative_to(folder).as_posix()
        # In the usual /tmp a name that the script chose is an output; in a folder of the user's own
        # for temporary files none is, since another run has another one.
        temporary = self.folders.temporary
        if temporary not in _USUAL and path.is_relative_to(temporary):
            return None
        return self._of_home(path.relative_to(home)) if home and in_home else _outside(path)

    def _of_home(self, rest: Path) -> tuple[str, str] | None:
        """What is hidden in HOME are caches and settings; HOME may be the command's own folder."""
        where = FOLDER if self.folders.home == self.folders.folder else HOME
        cached = any(rest.is_relative_to(cache) for cache in CACHES)
        return None if cached or rest.parts[0].startswith(".") else (where, rest.as_posix())


def _outside(path: Path) -> tuple[str, str] | None:
    of_system = any(path.is_relative_to(place) for place in _OF_SYSTEM)
    if of_system and not path.is_relative_to("/var/tmp"):
        return None
    if any(_TEMPORARY.match(part) for part in path.parts):
        return None
    return OUTSIDE, path.as_posix().lstrip("/")


def files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All that is no folder below a folder, links as they are; what cannot be read is left out."""
    pending = [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        yield entry
        except OSError:
            continue


def collect(root: Path, where: tuple[str, str], source: Path, *, move: bool) -> None:
    """Brings a file to its name below `root`; of a link, a text that names where it leads."""
    import shutil

    target = root / where[0] / PurePosixPath(where[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.write_text(f"a link to {source.readlink()}\n", "utf-8", "surrogateescape")
    elif not source.is_file():
        return  # a pipe, a socket
    elif move:
        source.chmod(source.stat().st_mode | 0o600)
        source.rename(target)
    else:
        shutil.copyfile(source, target)


def gathered(root: Path, removed: Sequence[tuple[str, str]]) -> Outputs:
    """The outputs below `root`, and the names of what was removed."""
    names = {FOLDER: "", HOME: "~/", OUTSIDE: "/"}
    return Outputs(root, tuple(sorted(f"{names[where]}{name}" for where, name in removed)))
