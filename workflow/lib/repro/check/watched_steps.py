"""Watched steps: two more runs with the hook, and the first event at which they diverge.

Synopsis:
    factors = steps_need(answer, finding, usual)
    steps = compared_steps(left, right, void)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.check.one_run import RunResult
from repro.core.text import counted, listed

UNEQUAL = (
    "the outputs of the watched run differ from those of the plain one, so the hook may have "
    "changed what it watches"
)


@dataclass(frozen=True)
class Call:
    """A call that a script made: of which kind, and where."""

    source: str
    file: str
    line: int


@dataclass(frozen=True)
class Divergence:
    """The first event that differs or is missing; None where it belongs to no step, model and so on."""

    what: str
    step: int | None = None
    epoch: int | None = None
    model: str | None = None
    variable: str | None = None
    call: Call | None = None


@dataclass(frozen=True)
class SilentError:
    """A mistake that gives the same wrong results in every run."""

    name: str
    sentence: str
    file: str | None
    line: int | None


@dataclass(frozen=True)
class StepFindings:
    """What watching found: the number of events that agreed before the divergence, if there is one.

    `void`: why nothing can be said of the steps; `steps`: how many training steps were seen.
    """

    void: str | None = None
    agreed: int = 0
    steps: int = 0
    divergence: Divergence | None = None
    silent: tuple[SilentError, ...] = ()


def events(run: RunResult) -> Iterator[Mapping[str, Any]]:
    """All events that the processes of a run noted."""
    for file in sorted(run.events.glob("*.jsonl")) if run.events and run.events.is_dir() else ():
        for line in file.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError):  # the last one, of a process that was killed
                yield json.loads(line)


def silent_errors(run: RunResult) -> tuple[SilentError, ...]:
    """The mistakes that a watched run showed, each once."""
    found: dict[tuple[str, str | None, int | None], SilentError] = {}
    for event in events(run):
        if finding := event.get("finding"):
            error = SilentError(
                finding["name"], finding["sentence"], finding.get("file"), finding.get("line")
            )
            found.setdefault((error.name, error.file, error.line), error)
    return tuple(found.values())


def training_steps(run: RunResult) -> int:
    """How many training steps a watched run showed."""
    return sum("step" in event for event in events(run))


def told(found: StepFindings) -> str:
    """What watching found, in a sentence or two; empty where there is nothing to say."""
    if found.void:
        return f"Nothing can be said of single steps: {found.void}."
    if found.divergence is None:
        if not found.steps:
            return ""
        return f"Step by step, {counted(found.steps, 'training step')} agreed, bit for bit."
    first = found.divergence
    where = f", after {counted(found.agreed, 'event')} that agreed" if found.agreed else ""
    call = f" See {first.call.file}, line {first.call.line} ({first.call.source})." if first.call else ""
    return f"The runs first diverge at {_place(first)}{where}.{call}"


def _place(first: Divergence) -> str:
    parts = [first.what]
    if first.step is not None:
        parts.append(f"step {first.step}")
    if first.variable:
        parts.append(f"variable {first.variable}")
    return listed(parts[:1]) + "".join(f", {part}" for part in parts[1:])


def left_out(found: Path) -> list[str]:
    """What the hook could not watch, by its own notes."""
    said: dict[str, None] = {}
    for file in sorted(found.glob("*.json")) if found.is_dir() else ():
        with suppress(OSError, ValueError):
            said |= dict.fromkeys(json.loads(file.read_text("utf-8")).get("left out", ()))
    return list(said)
