"""Process: what the hook does at the start of a Python process of the user's.

Synopsis:
    begin(folder)        # the folder of `install.installed`; called by its `sitecustomize`
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from repro.events.imports import when_imported
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
    _note_versions(note)
    if settings["events"]:
        _watch(settings, note)


def _note_versions(note: Note) -> None:
    """Notes what is imported that matters, and what of it cannot be watched step by step."""

    def tensorflow(module: Any) -> None:
        note.put("tensorflow", module.__version__)

    def keras(module: Any) -> None:
        version, backend = str(module.__version__), str(module.backend.backend())
        note.put("keras", version)
        note.put("backend", backend)
        if version.startswith("2."):
            note.add("left out", f"the steps of Keras {version}; they are seen from Keras 3 on")
        elif backend != "tensorflow":
            note.add("left out", f"the steps of Keras on {backend}; they are seen on TensorFlow")

    def tf_keras(module: Any) -> None:
        note.add("left out", f"the steps of tf.keras {module.__version__}")

    for name, act in (("tensorflow", tensorflow), ("keras", keras), ("tf_keras", tf_keras)):
        when_imported(name, functools.partial(_safely, act))


def _safely(act: Callable[[Any], None], module: Any) -> None:
    with suppress(Exception):  # a version that tells nothing of itself
        act(module)


def _watch(settings: Mapping[str, Any], note: Note) -> None:
    from repro.events.patches import patch
    from repro.events.steps import Watch
    from repro.events.stream import Stream
    from repro.hook.silent import SilentErrors
    from repro.ledger.ledger import Ledger
    from repro.ledger.user_sources import note_hashed_lines

    stream = Stream(settings["events"])
    ledger = Ledger(stream)

    def end() -> None:
        ledger.flush()
        stream.put({"end": True})

    def left_out(what: str) -> None:
        note.add("left out", what)

    def before_step() -> None:
        nonlocal began
        if not began:
            began = True
            note_hashed_lines(ledger.note)
        ledger.flush()

    began = False
    atexit.register(end)
    watch = Watch(stream, settings["steps"], left_out, before_step)
    patch(watch)
    SilentErrors(stream).watch(watch, ledger)
    ledger.begin()
