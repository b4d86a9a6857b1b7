"""In place: the command runs in its folder as it is, and what it wrote there is copied afterwards.

Synopsis:
    containment = InPlace(folders, scratch)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from repro.contain.changes import States, since, snapshot_of
from repro.contain.outputs import NOT_OUTPUTS, Names, collect, gathered
from repro.contain.place import CommandFolders, Outputs, RunPlace, homes_of


@dataclass(frozen=True)
class InPlace:
    """Nothing is caught; each run sees what those before it left."""

    folders: CommandFolders
    scratch: Path
    kind: str = "in place"
    catches_home: bool = False
    own_processes: bool = False
    _before: dict[str, States] = field(default_factory=dict[str, States])

    @property
    def left_out(self) -> list[str]:
        """What is not caught, a sentence each."""
        return [
            NOT_OUTPUTS,
            "Not caught: what the command writes. It ran in its own folder, each run saw what "
            "those before it left there, and all of it is still there.",
        ]

    def place(self, name: str, *, elsewhere: bool) -> RunPlace:
        """The folder itself, wherever it should be."""
        del elsewhere
        fresh, shared = self.scratch / name / "fresh", self.scratch / name / "shared"
        for folder in (fresh, shared):
            folder.mkdir(parents=True)
        self._before[name] = self._now()
        return RunPlace(name, self.folders.folder, fresh, shared, lambda: None)

    def caught(self, place: RunPlace) -> Outputs:
        """Copies what was written in the folder since the run began."""
        homes = homes_of(place)
        names = Names(self.folders, homes=homes, skipped=[self.scratch])
        changes = since(self._before.pop(place.name), {**self._now(), **snapshot_of(homes)})
        root = self.scratch / place.name / "outputs"
        for path in changes.written:
            if where := names.of(path):
                collect(root, where, path, move=False)
        return gathered(root, [where for path in changes.removed if (where := names.of(path))])

    def _now(self) -> States:
        return snapshot_of(self.folders.roots())
