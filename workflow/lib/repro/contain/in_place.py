"""In place: the command runs in its folder as it is, and what it wrote there is copied afterwards.

Synopsis:
    containment = InPlace(asked, scratch)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.contain.changes import State, since, snapshot_of
from repro.contain.outputs import NOT_OUTPUTS, Names, collect, gathered
from repro.contain.place import Asked, Outputs, Place, homes_of


@dataclass(frozen=True)
class InPlace:
    """Nothing is caught; each run sees what those before it left."""

    asked: Asked
    scratch: Path
    kind: str = "in place"
    catches_home: bool = False
    own_processes: bool = False
    _before: dict[str, Mapping[Path, State]] = field(
        default_factory=dict[str, Mapping[Path, State]]
    )

    @property
    def left_out(self) -> list[str]:
        """What is not caught, a sentence each."""
        return [
            NOT_OUTPUTS,
            "Not caught: what the command writes. It ran in its own folder, each run saw what those "
            "before it left there, and all of it is still there.",
        ]

    def place(self, name: str, *, elsewhere: bool) -> Place:
        """The folder itself, wherever it should be."""
        del elsewhere
        fresh, shared = self.scratch / name / "fresh", self.scratch / name / "shared"
        for folder in (fresh, shared):
            folder.mkdir(parents=True)
        self._before[name] = self._now()
        return Place(name, self.asked.folder, fresh, shared, lambda: None)

    def caught(self, place: Place) -> Outputs:
        """Copies what was written in the folder since the run began."""
        homes = homes_of(place)
        names = Names(self.asked, homes=homes, skipped=[self.scratch])
        changes = since(self._before.pop(place.name), {**self._now(), **snapshot_of(homes)})
        root = self.scratch / place.name / "outputs"
        for path in changes.written:
            if where := names.of(path):
                collect(root, where, path, move=False)
        return gathered(root, [where for path in changes.removed if (where := names.of(path))])

    def _now(self) -> dict[Path, State]:
        return snapshot_of(self.asked.roots())
