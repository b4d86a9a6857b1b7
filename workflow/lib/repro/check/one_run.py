"""One run: the command started once, its files caught, and what is known of it afterwards.

Synopsis:
    result = one_run(plan, containment, logs, given, stopped)
    result.status, result.outputs.root, result.varied
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.check.varied import (
    BY_HOOK,
    NETWORK,
    OF_TRACKERS,
    RunPlan,
    environment,
    prepared,
    write_changes,
)
from repro.contain.place import Containment, Outputs
from repro.contain.process_tree import Ended, run
from repro.contain.runner import Ready, Start
from repro.hook.install import HookSettings, installed
from repro.launch import isolation

PRINTED = 256 * 2**20
"""Bytes of standard output or error after which a run is ended."""
FREE = 2**30
"""Bytes that must stay free on the disk to which a run's files go; of a fuller one half of them."""


@dataclass(frozen=True)
class Watched:
    """What a hook watches in a run: nothing, or the events of each process."""

    events: bool = False
    steps: int | None = None


UNWATCHED = Watched()


@dataclass(frozen=True)
class RunResult:
    """A run that has ended.

    `status`: its exit status, or 128 + n by signal n; `stopped`: why we ended it, else "".
    `folders`: paths of its own that may stand in what it wrote: its folder, HOME, TMPDIR.
    `events`: the folder of the events that the hook noted; None where none was asked for.
    """

    name: str
    status: int
    seconds: float
    stopped: str
    outputs: Outputs
    stdout: Path
    stderr: Path
    folders: tuple[str, ...]
    varied: Mapping[str, str] = field(default_factory=dict[str, str])
    not_varied: Mapping[str, str] = field(default_factory=dict[str, str])
    events: Path | None = None

    @property
    def well(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.status == 0 and not self.stopped


def one_run(
    plan: RunPlan,
    containment: Containment,
    logs: Path,
    given: Mapping[str, str],
    stopped: Callable[[float], str],
    watched: Watched = UNWATCHED,
) -> RunResult:
    """Runs a command once.

    Args:
        logs: a folder for what it prints.
        given: the user's environment variables.
        stopped: called every now and then with the seconds so far; a reason ends the run.

    Raises:
        CouldNotRun: the system refused.
    """
    place, shared = plan.place, plan.place.shared
    logs.mkdir(parents=True, exist_ok=True)
    stdout, stderr = logs / "stdout", logs / "stderr"
    seen = _hooked(plan, environment(plan, given), watched)

    def prepare() -> Ready:
        write_changes(plan)
        network: dict[str, dict[str, str]] = {}
        if NETWORK in plan.vary:
            network = _without_network()
        ready = prepared(plan, seen)
        for which, why in network.items():
            ready.notes[which].update(why)
        return ready

    start = Start(prepare, place.enter, stdout, stderr, containment.own_processes)
    ended = run(start, _limited(stdout, stderr, place.shared, stopped))
    outputs = containment.caught(place)
    varied, not_varied = _what_was_varied(plan, ended, shared / "found")
    own = (str(place.fresh / name) for name in OF_TRACKERS)
    folders = (str(place.directory), *ended.notes.get("folders", ("", "")), *own)
    return RunResult(
        place.name, ended.status, ended.seconds, ended.stopped, outputs, stdout, stderr, folders,
        varied, not_varied, shared / "events" if watched.events else None,
    )  # fmt: skip


def _hooked(plan: RunPlan, seen: Mapping[str, str], watched: Watched) -> dict[str, str]:
    factors = tuple(name for name in BY_HOOK if name in plan.vary)
    if not factors and not watched.events and watched.steps is None:
        return dict(seen)
    shared = plan.place.shared
    settings = HookSettings(
        factors, plan.draw, shared / "found", inputs=plan.place.directory,
        events=shared / "events" if watched.events else None, steps=watched.steps,
    )  # fmt: skip
    return installed(shared / "hook", settings, seen)


def _without_network() -> dict[str, dict[str, str]]:
    if refusal := isolation.in_earnest(isolation.without_network):
        return {"not_varied": {NETWORK: f"the system gives no namespace ({refusal})"}}
    return {"varied": {NETWORK: "none but a loopback of the command's own"}}


def _limited(
    stdout: Path, stderr: Path, written: Path, stopped: Callable[[float], str]
) -> Callable[[float], str]:
    enough = min(FREE, shutil.disk_usage(written).free // 2)

    def why(seconds: float) -> str:
        for file in (stdout, stderr):
            if file.exists() and file.stat().st_size > PRINTED:
                return f"it printed more than {PRINTED // 2**20} MiB"
        if shutil.disk_usage(written).free < enough:
            return "it filled the disk to which its files go"
        return stopped(seconds)

    return why


def notes(found: Path) -> Iterator[Mapping[str, Any]]:
    """What each hooked process noted of itself."""
    for file in sorted(found.glob("*.json")) if found.is_dir() else ():
        with suppress(OSError, ValueError):
            yield json.loads(file.read_text("utf-8"))


def _what_was_varied(
    plan: RunPlan, ended: Ended, found: Path
) -> tuple[dict[str, str], dict[str, str]]:
    said: Mapping[str, Mapping[str, str]] = ended.notes
    varied, not_varied = dict(said.get("varied", {})), dict(said.get("not_varied", {}))
    every = list(notes(found))
    for name in (name for name in BY_HOOK if name in plan.vary):
        hows = [note["varied"][name] for note in every if name in note.get("varied", {})]
        whys = [note["not varied"][name] for note in every if name in note.get("not varied", {})]
        if hows:
            varied[name] = hows[0]
        else:
            not_varied[name] = whys[0] if whys else "no process of Python took the hook"
    return varied, not_varied
