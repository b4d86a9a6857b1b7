"""In place: the command runs in its folder as it is, and what it wrote there is copied afterwards.

Synopsis:
    containment = InPlace(folders, scratch)
"""

from __future__ import annotations

from dataclasses import dataclass

from repro.contain.outputs import NOT_OUTPUTS
from repro.contain.place import RunPlace
from repro.contain.snapshots import BySnapshots


@dataclass(frozen=True)
class InPlace(BySnapshots):
    """Nothing is caught; each run sees what those before it left."""

    kind: str = "in place"

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
        return self._begun(RunPlace(name, self.folders.folder, fresh, shared, lambda: None))
