"""Process: what the hook does at the start of a Python process of the user's.

Synopsis:
    begin(folder)        # the folder of `install.installed`; called by its `sitecustomize`
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from repro.hook.factors import vary
from repro.hook.found import Note


def begin(folder: str) -> None:
    """Varies the factors that the settings name, and begins to watch where they say so."""
    with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
        settings = json.load(file)
    done = vary(settings["factors"], settings["run"], settings["inputs"], settings["started"])
    note = Note(
        settings["found"],
        {
            "python": sys.version.split()[0],
            "executable": sys.executable,
            "varied": done.varied,
            "not varied": done.not_varied,
        },
    )
    if settings["events"]:
        _watch(settings, note)


def _watch(settings: Mapping[str, Any], note: Note) -> None:
    from repro.events.ledger import Ledger
    from repro.events.patches import patch
    from repro.events.steps import Watch
    from repro.events.stream import Stream
    from repro.hook.silent import SilentErrors

    stream = Stream(settings["events"])
    ledger = Ledger(stream)

    def end() -> None:
        ledger.flush()
        stream.put({"end": True})

    def left_out(what: str) -> None:
        note.add("left out", what)

    atexit.register(end)
    watch = Watch(stream, settings["steps"], left_out, ledger.flush)
    patch(watch)
    SilentErrors(stream).watch(watch)
    ledger.begin()
