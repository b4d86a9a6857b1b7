"""Install: a folder and an environment that put the hook into every Python process of a command.

Synopsis:
    environment = installed(folder, HookSettings(("clock",), "check", found), os.environ)
    subprocess.run(["python", "train.py"], env=environment)

Python runs a module `sitecustomize` at each start; that of the folder comes first on PYTHONPATH.
Nothing is installed elsewhere.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from repro.core.atomic import sentence_for_system_errors
from repro.core.canonical_json import pretty

PACKAGE = "_repro_hook"
"""The name of our modules in the user's process, where `repro` may be a package of the user's."""

MODULES = (
    "shim/replaced", "shim/listing_order", "shim/file_times", "shim/clock", "launch/drawn_values",
    "watch/call_conditions", "watch/nondeterminism_sources", "events/stream", "events/imports",
    "events/digests", "events/variables", "events/written", "events/pace", "events/steps",
    "events/wrapped_steps",
    "events/wrapped_fit", "events/patches", "events/user_frames", "events/batches",
    "ledger/watched_calls", "ledger/environment_reads",
    "ledger/set_expressions", "ledger/set_order", "ledger/user_sources",
    "ledger/call_results", "ledger/ledger", "hook/factors", "hook/found", "hook/pipelines",
    "hook/one_order", "hook/frozen_noise", "hook/overlapping_splits",
    "hook/reset_generators", "hook/silent", "hook/process",
)  # fmt: skip
"""What runs in the user's process; these import nothing else of ours."""

_IMPORT = re.compile(r"^(\s*from )repro(?=\.)", re.MULTILINE)


@dataclass(frozen=True)
class HookSettings:
    """What the hook does in a process of the user's.

    Args:
        factors: those of `repro.hook.factors` that are varied; others are passed over.
        run: the name from which their values are drawn.
        found: the folder in which each process notes what it varied or why not, and what it saw.
        inputs: the folder whose files have other times where `file times` is varied.
        events: the folder for each process' training steps and calls; None: they are not watched.
        steps: the process ends after so many training steps, as at the end of its script.
    """

    factors: tuple[str, ...]
    run: str
    found: Path
    inputs: Path | None = None
    events: Path | None = None
    steps: int | None = None


def installed(
    folder: Path, settings: HookSettings, environment: Mapping[str, str]
) -> dict[str, str]:
    """Writes the hook into `folder`; the environment to start the command with.

    To be called right before the start: files that are changed from now on count as made by the
    command, and keep their times.

    Raises:
        CouldNotRun: the system refused to write.
    """
    folder = folder.absolute()
    library = files("repro")
    with sentence_for_system_errors(folder):
        _write(folder / "sitecustomize.py", (library / "hook/sitecustomize.py").read_text("utf-8"))
        for module in MODULES:
            text = (library / f"{module}.py").read_text("utf-8")
            _write(folder / PACKAGE / f"{module}.py", _IMPORT.sub(rf"\1{PACKAGE}", text))
        for room in sorted({"", *(module.partition("/")[0] for module in MODULES)}):
            _write(folder / PACKAGE / room / "__init__.py", "")
        values = {k: _absolute(v) for k, v in vars(settings).items()}
        _write(folder / "settings.json", pretty({**values, "started": time.time_ns()}))
        for place in (settings.found, settings.events):
            if place:
                place.mkdir(parents=True, exist_ok=True)
    others = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": f"{folder}{os.pathsep}{others}" if others else str(folder)}


def _write(path: Path, text: str) -> None:
    """Not flushed to the disk: a folder that does not outlive the command."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _absolute(value: object) -> object:
    return str(value.absolute()) if isinstance(value, Path) else value
