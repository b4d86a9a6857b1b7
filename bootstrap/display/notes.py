"""Notes on a set-up, as `progress` writes them, read while they are written.

Synopsis:
    notes = Notes(file)
    while …:
        for note in notes.new(): …
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Note:
    """How far something is."""

    what: str
    done: int
    total: int
    name: str
    job: bool = False  # of Snakemake's, which ends where another note says so

    @property
    def finished(self) -> bool:
        """Whether nothing of it is left to do."""
        return 0 < self.total <= self.done


@dataclass(frozen=True)
class Refusal:
    """Why something was not installed, and the exit status that this gives."""

    sentence: str
    status: int


class Notes:
    """A file of notes, which need not be there yet, and the first refusal: the cause of others."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.refusal: Refusal | None = None
        self._place = 0
        self._unfinished: dict[str, Note] = {}

    def new(self) -> list[Note]:
        """Return what was noted since; a last line of which only a part is written waits."""
        notes: list[Note] = []
        for line in self._lines():
            try:
                entry: dict[str, Any] = json.loads(line)
                if "refused" in entry:
                    self.refusal = self.refusal or Refusal(entry["refused"], entry["status"])
                else:
                    notes.append(Note(**entry))
            except (ValueError, TypeError, KeyError):
                continue  # of a writer that ran out of room
        for note in notes:
            self._unfinished[note.what] = note
            if note.finished:
                del self._unfinished[note.what]
        return notes

    def unfinished(self) -> Refusal | None:
        """Return the sentence on what ended before it was finished, without saying why."""
        for note in self._unfinished.values():
            count = f"{note.done} of {note.total or '?'}{note.name and ', '}{note.name}"
            return Refusal(
                f"Expected to finish {note.what}. Received an end at {count}: the installer was "
                "killed, or the messages above name the reason. Mend that, then run again.",
                4,
            )
        return None

    def _lines(self) -> list[bytes]:
        try:
            with self.file.open("rb") as file:
                file.seek(self._place)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._place += len(whole) + len(end)
        return whole.split(b"\n")
