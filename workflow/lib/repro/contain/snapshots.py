"""Snapshots: what a run wrote in folders that no overlay covers, looked at before and after it.

Synopsis:
    class InPlace(BySnapshots):
        def place(self, name, *, elsewhere):
            return self._begun(RunPlace(…))        # looks at the folders, before the run
    outputs = containment.caught(place)            # and after it
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from repro.contain.outputs import Names, collect, files, gathered
from repro.contain.place import CommandFolders, Outputs, RunPlace, homes_of

State = tuple[int, int, int, int]
"""Inode, size, and times of content and of status in ns: no file is written without a change."""

States = dict[Path, State]


@dataclass(frozen=True)
class BySnapshots:
    """What the copy of a folder and the folder itself have in common."""

    folders: CommandFolders
    scratch: Path
    catches_home: bool = False
    own_processes: bool = False
    _before: dict[str, States] = field(default_factory=dict[str, States])

    def _begun(self, place: RunPlace) -> RunPlace:
        """The place, whose folders are looked at before the run."""
        self._before[place.name] = _snapshot(self._seen(place))
        return place

    def caught(self, place: RunPlace) -> Outputs:
        """Collects what was written since the run began: moved out of copies, else copied."""
        homes = homes_of(place)
        back = {ours: theirs for theirs, ours in place.moved.items()}
        names = Names(self.folders, homes=homes, skipped=[self.scratch], moved=back)
        before, after = self._before.pop(place.name), _snapshot([*self._seen(place), *homes])
        root = self.scratch / place.name / "outputs"
        for path, state in after.items():
            if before.get(path) != state and (where := names.of(path)):
                collect(root, where, path, move=bool(place.moved))
        gone = [path for path in before if path not in after]
        return gathered(root, [where for path in gone if (where := names.of(path))])

    def _seen(self, place: RunPlace) -> list[Path]:
        """The folders of the command, where the run finds them."""
        return [place.moved.get(folder, folder) for folder in self.folders.roots()]


def _snapshot(folders: Iterable[Path]) -> States:
    """The state of all files below some folders."""
    found: States = {}
    for entry in chain.from_iterable(files(folder) for folder in folders):
        with suppress(FileNotFoundError):
            status = entry.stat(follow_symlinks=False)
            state = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            found[Path(entry.path)] = state
    return found
