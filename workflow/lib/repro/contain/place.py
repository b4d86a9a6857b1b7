"""Place: what the three ways to catch a run's files have in common.

Synopsis:
    containment = Overlay(folders, scratch)            # or FolderCopy, or InPlace
    place = containment.place("run 1", elsewhere=False)
    ...                                              # the command runs there: `process_tree`
    outputs = containment.caught(place)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

VARIED = "varied"
"""The folder below `fresh` of what a varied run finds in place of the user's own."""

HOME, FOLDER, OUTSIDE = "home", "folder", "outside"
"""Where files were written: HOME, the folder of the command, anywhere else by absolute path."""


@dataclass(frozen=True)
class CommandFolders:
    """Where the command is started, and where it is known to write.

    `folder`: the caller's working directory; `program_folder`: that of the script, if it is
    another; `home` and `temporary`: the user's own; `spared`: our folder for reports.
    """

    folder: Path
    program_folder: Path | None
    home: Path | None
    temporary: Path
    spared: Path

    def roots(self) -> list[Path]:
        """The folders that belong to the command."""
        inside = self.program_folder is None or self.program_folder.is_relative_to(self.folder)
        return [self.folder, *([] if inside or not self.program_folder else [self.program_folder])]


@dataclass(frozen=True)
class RunPlace:
    """Where one run runs.

    `name`: its folder's; `directory`: where the command starts; `moved`: where it finds folders of
    the user's instead (theirs, ours); `fresh`: a folder for what is new in this run, in its sight,
    and caught; `shared`: one in which what it writes is really written, for notes of a hook.
    `enter`: to be called in the process that will start the command; no way back.
    """

    name: str
    directory: Path
    fresh: Path
    shared: Path
    enter: Callable[[], None]
    moved: Mapping[Path, Path] = field(default_factory=dict[Path, Path])

    def seen(self, text: str) -> str:
        """A word of the command, or the value of a variable, with the folders that were moved."""
        for theirs, ours in self.moved.items():
            text = re.sub(rf"(?<![^:=,\s]){re.escape(str(theirs))}(?=[/:,\s]|$)",
                          lambda _, ours=ours: str(ours), text)  # fmt: skip
        return text


def homes_of(place: RunPlace) -> list[Path]:
    """Where HOME is in a place, if it is not the user's: as in all runs, and where it is varied."""
    return [place.fresh / "home", place.fresh / VARIED / "home"]


@dataclass(frozen=True)
class Outputs:
    """What a run wrote: folders `folder`, `home` and `outside` below `root`; what it removed."""

    root: Path
    removed: tuple[str, ...] = ()


class Containment(Protocol):
    """A way to catch what a run writes."""

    @property
    def kind(self) -> str:
        """`overlay`, `copy` or `in place`."""
        ...

    @property
    def catches_home(self) -> bool:
        """Whether what is written to the user's own HOME is caught too."""
        ...

    @property
    def own_processes(self) -> bool:
        """Whether a run has process ids of its own."""
        ...

    @property
    def left_out(self) -> list[str]:
        """What is not caught, a sentence each."""
        ...

    def place(self, name: str, *, elsewhere: bool) -> RunPlace:
        """Makes a place for one run; `elsewhere`: its folder has another path."""
        ...

    def caught(self, place: RunPlace) -> Outputs:
        """Collects what was written in a place, after the run has ended; the place is used up."""
        ...
