"""Recorded: the events of a run's processes, read back.

Synopsis:
    processes = read(folder)           # in the order in which they began
    processes[0].moments               # what was trained, and what had been called until then
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.events.digests import LENGTH

Site = tuple[str, str, str, int]
"""Source, call, file and line of calls that are noted together."""
Key = tuple[str, str, str, str, int]
"""A variable: path, shape, type, kind, and which of those that have these in common."""


@dataclass(frozen=True)
class Moment:
    """Initial values, or one training step.

    Args:
        identity: what it is aligned by, with its occurrence: the model, or what is before it.
        step: from 1, of its model; 0 for initial values, which include variables that take no part.
        variables: digests; None at a step that was left out for its cost.
        calls: what was called since the moment before: how often by now, and the results' digest.
    """

    identity: tuple[str, int]
    step: int
    model: str
    fit: int | None
    epoch: int | None
    variables: Mapping[Key, str] | None
    batch: str | None
    calls: Mapping[Site, tuple[int, str]]


@dataclass(frozen=True)
class WatchedProcess:
    """One process: which it is, what it did, and whether it came to its end.

    Args:
        began: greater in a process that began later.
        deterministic: whether TensorFlow's operations were, when the training began.
    """

    identity: tuple[str, ...]
    began: tuple[int, ...]
    moments: Sequence[Moment]
    findings: Sequence[Mapping[str, Any]]
    last_calls: Mapping[Site, tuple[int, str]]
    ended: bool
    deterministic: bool


def read(folder: Path) -> list[WatchedProcess]:
    """The processes that wrote into a folder, in the order in which they began."""
    found = [_process(list(_lines(file))) for file in folder.glob("*.jsonl")]
    return sorted((each for each in found if each is not None), key=lambda each: each.began)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_bytes().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # the process was killed while it wrote


@dataclass
class _Reading:
    """What is known so far while a process' lines are read."""

    layouts: dict[int, list[Key]] = field(default_factory=dict[int, list[Key]])
    initial: dict[Key, str] = field(default_factory=dict[Key, str])
    before: dict[Site, tuple[int, str]] = field(default_factory=dict[Site, tuple[int, str]])
    moments: list[Moment] = field(default_factory=list[Moment])
    findings: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    calls: dict[Site, tuple[int, str]] = field(default_factory=dict[Site, tuple[int, str]])
    seen: Counter[str] = field(default_factory=Counter[str])
    ended: bool = False
    deterministic: bool = False

    def take(self, line: Mapping[str, Any]) -> None:
        """Reads one line."""
        if "variables" in line:
            self.layouts[line["layout"]] = _keys(line["variables"])
        elif "calls" in line:
            for *site, count, digest in line["calls"]:
                self.calls[site[0], site[1], site[2], site[3]] = (count, digest)
        elif "finding" in line:
            self.findings.append(line["finding"])
        elif "start" in line:
            self._start(line)
        elif "step" in line:
            self._moment(line)
        self.ended = self.ended or "end" in line
        self.deterministic = self.deterministic or line.get("deterministic", False)

    def _parts(self, line: Mapping[str, Any]) -> dict[Key, str]:
        digests, keys = line["digests"], self.layouts[line["layout"]]
        return {k: digests[n * LENGTH : (n + 1) * LENGTH] for n, k in enumerate(keys)}

    def _start(self, line: Mapping[str, Any]) -> None:
        """Keeps initial values for the step that follows."""
        self.initial |= self._parts(line)
        self.before |= self.calls
        self.calls = {}

    def _moment(self, line: Mapping[str, Any]) -> None:
        model, fit, epoch = line["model"], line["fit"], line["epoch"]
        self.seen[model] += 1
        count = self.seen[model]
        if self.initial:
            first = (f"before {model}", count)
            self.moments.append(
                Moment(first, 0, model, fit, epoch, self.initial, None, self.before)
            )
            self.initial, self.before = {}, {}
        parts = None if line["digests"] is None else self._parts(line)
        self.moments.append(
            Moment(
                (model, count), line["step"], model, fit, epoch, parts, line["batch"], self.calls
            )
        )
        self.calls = {}


def _keys(names: Sequence[Sequence[str]]) -> list[Key]:
    """Of several variables of one name, the one made last is the first."""
    seen, keys = Counter[tuple[str, ...]](), list[Key]()
    for path, shape, kind, role in reversed(names):
        name = (path, shape, kind, role)
        seen[name] += 1
        keys.append((*name, seen[name]))
    return keys[::-1]


def _process(lines: Sequence[Mapping[str, Any]]) -> WatchedProcess | None:
    if not lines or "process" not in lines[0]:
        return None
    first, reading = lines[0]["process"], _Reading()
    for line in lines[1:]:
        reading.take(line)
    # A run in a copy of the folder has other paths.
    arguments = [os.path.basename(argument) for argument in first["argv"]]
    return WatchedProcess(
        (*arguments, str(first["forks"])),
        tuple(first["began"]),
        reading.moments,
        reading.findings,
        reading.calls,
        reading.ended,
        reading.deterministic,
    )
