"""Folder copy: the command runs in a copy of its folder, where no overlay can be had.

Synopsis:
    containment = FolderCopy(folders, scratch)
    place = containment.place("run 1", elsewhere=False)

What the command names by absolute paths outside of its folder is really written, and is not caught.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.contain.outputs import NOT_OUTPUTS
from repro.contain.place import Outputs, RunPlace
from repro.contain.scratch import removed
from repro.contain.snapshots import BySnapshots
from repro.core.errors import UserError
from repro.core.text import counted

LARGEST = 4 * 2**30
"""Folders of more bytes are not copied."""
MOST = 200_000
"""Neither are those of more files."""

_CLONE = 0x40049409  # ioctl_ficlone(2)
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")


@dataclass(frozen=True)
class FolderCopy(BySnapshots):
    """Runs in copies of the command's folders.

    Raises:
        UserError: on `place`, where they are too large.
    """

    kind: str = "copy"

    @property
    def left_out(self) -> list[str]:
        """What is not caught, a sentence each."""
        return [
            NOT_OUTPUTS,
            "Not caught: what the command writes outside of its folder by an absolute path. "
            "Virtual environments in the folder, and caches of data, are links to the real ones.",
        ]

    def place(self, name: str, *, elsewhere: bool) -> RunPlace:
        """A copy of the folders; all runs have theirs at one path but those with `elsewhere`."""
        # At one path for all runs too, so that one with nothing varied has the same HOME.
        fresh, shared = self.scratch / "fresh", self.scratch / name / "shared"
        base = self.scratch / name / "elsewhere" if elsewhere else self.scratch / "here"
        for folder in (fresh, shared, base):
            folder.mkdir(parents=True)
        moved: dict[Path, Path] = {}
        budget = _Budget()
        for number, root in enumerate(self.folders.roots()):
            moved[root] = base / str(number) / (root.name or "root")
            _copied(root, moved[root], self.folders.spared, budget)
        _links_mended(moved)
        directory = moved[self.folders.folder]
        return self._begun(RunPlace(name, directory, fresh, shared, lambda: None, moved))

    def caught(self, place: RunPlace) -> Outputs:
        """Moves what was written out of the copies, which are removed."""
        outputs = super().caught(place)
        for copy in place.moved.values():
            removed(copy.parent.parent)
        removed(place.fresh)
        return outputs


@dataclass
class _Budget:
    """What may still be copied."""

    size: int = LARGEST
    count: int = MOST

    def take(self, size: int, folder: Path) -> None:
        self.size, self.count = self.size - size, self.count - 1
        if self.size < 0 or self.count < 0:
            raise UserError(
                f"Expected to run in a copy of {folder}, since this system gives no overlay. "
                f"Received more than {LARGEST // 2**30} GiB or {counted(MOST, 'file')} there. "
                "Start from a smaller folder, or say `--in-place` to run in it as it is."
            )


def _copied(source: Path, target: Path, spared: Path, budget: _Budget) -> None:
    """Copies a folder with the times of its files; never by hard links: they are the files."""
    target.mkdir(parents=True)
    with os.scandir(source) as entries:
        for entry in entries:
            path, copy = Path(entry.path), target / entry.name
            if path == spared:
                continue
            if entry.is_symlink() or _is_environment(path):
                copy.symlink_to(path.readlink() if entry.is_symlink() else path)
            elif entry.is_dir():
                with suppress(PermissionError):
                    _copied(path, copy, spared, budget)
            elif entry.is_file():
                budget.take(entry.stat().st_size, source)
                _file_copied(path, copy)
    shutil.copystat(source, target)
    target.chmod(target.stat().st_mode | 0o700)


def _file_copied(source: Path, target: Path) -> None:
    with suppress(PermissionError):
        with source.open("rb") as old, target.open("xb") as new:
            try:
                fcntl.ioctl(new.fileno(), _CLONE, old.fileno())  # shares blocks, where it can
            except OSError:
                shutil.copyfileobj(old, new, 2**20)
        shutil.copystat(source, target)


def _is_environment(path: Path) -> bool:
    return any((path / name).exists() for name in _ENVIRONMENTS)


def _links_mended(moved: Mapping[Path, Path]) -> None:
    """Lets links of the copies lead into the copies, or to where they led outside of them."""
    for theirs, ours in moved.items():
        for folder, names, files in os.walk(ours):
            for name in (*names, *files):
                link = Path(folder, name)
                if not link.is_symlink() or _is_environment(link):
                    continue
                origin = theirs / link.parent.relative_to(ours)
                target = Path(os.path.normpath(origin / link.readlink()))
                for outer, copy in moved.items():
                    if target.is_relative_to(outer):
                        target = copy / target.relative_to(outer)
                link.unlink()
                link.symlink_to(target)
