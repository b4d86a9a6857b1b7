"""Found: what a process of the user's notes of itself, for `check`, which reads it afterwards.

Synopsis:
    note = Note(folder, {"python": "3.12.1"})
    note.put("versions", {"keras": "3.15.1"})      # on the disk at once
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any


class Note:
    """A process' note, a JSON file that is written again with each thing that is put into it."""

    def __init__(self, folder: str, content: dict[str, Any]) -> None:
        self._path = os.path.join(folder, f"{os.getpid()}-{os.urandom(4).hex()}.json")
        self._content = content
        self._write()

    def put(self, name: str, value: Any) -> None:
        """Notes a value by its name."""
        self._content[name] = value
        self._write()

    def add(self, name: str, value: Any) -> None:
        """Adds a value to a list by its name, unless it is there."""
        values = self._content.setdefault(name, [])
        if value not in values:
            values.append(value)
            self._write()

    def _write(self) -> None:
        temporary = f"{self._path}.partial"
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(self._content, file, sort_keys=True)
            os.replace(temporary, self._path)
        except OSError:
            pass  # a full disk is the script's own trouble, not ours to add to


def failed(folder: str) -> None:
    """Notes that the hook could not begin in this process, which goes on without it."""
    try:
        with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
            found = json.load(file)["found"]
        Note(found, {"python": sys.version.split()[0], "failed": traceback.format_exc(limit=-3)})
    except Exception:
        pass
