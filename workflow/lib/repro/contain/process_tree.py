"""Process tree: a command and all that it starts, ended together, whatever happens to us.

Synopsis:
    ended = run(Start(prepare, enter, stdout, stderr, own_processes=True), stopped)

Between us and the command stands a process (`repro.contain.runner`) that ends all when we end.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from repro.contain.runner import Pipes, Start, supervised
from repro.core.errors import CouldNotRun

_PACE = 0.05  # seconds between two looks
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, or 128 + n by signal n; `stopped`: why we ended it."""

    status: int
    seconds: float
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stopped: str = ""


def run(start: Start, stopped: Callable[[float], str]) -> Ended:
    """Runs a command to its end, or until `stopped` gives a reason to end it.

    Args:
        stopped: is called every now and then with the seconds so far.

    Raises:
        CouldNotRun: the system refused to start it.
    """
    lifeline, report = os.pipe(), os.pipe()
    # Opened here: what is opened in the sight of the command is caught.
    outputs = tuple(os.open(file, _APPENDING, 0o600) for file in (start.stdout, start.stderr))
    began, text, why, runner = time.monotonic(), b"", "", 0
    try:
        runner = os.fork()
        if runner == 0:
            os.close(lifeline[1])
            os.close(report[0])
            supervised(start, Pipes(lifeline[0], report[1], outputs))
        os.close(report[1])
        text, why = _reported(report[0], lambda: stopped(time.monotonic() - began))
    finally:
        for descriptor in (*lifeline, *outputs):  # the closed lifeline ends all
            os.close(descriptor)
        if runner:
            _waited(runner)
    text += _reported(report[0], lambda: "")[0]
    os.close(report[0])
    return _ended(text, time.monotonic() - began, why)


def _reported(report: int, stopped: Callable[[], str]) -> tuple[bytes, str]:
    """What the runner reports until it ends, or until there is a reason to end it; and that."""
    text = b""
    while True:
        if select.select([report], [], [], _PACE)[0]:
            if not (part := os.read(report, 65536)):
                return text, ""
            text += part
        elif why := stopped():
            return text, why


def _ended(text: bytes, seconds: float, why: str) -> Ended:
    """What the runner reported.

    Raises:
        CouldNotRun: it could not start the command.
    """
    said: dict[str, Any] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        said |= json.loads(line)
    if "refused" in said:
        raise CouldNotRun(
            f"Expected to start {said.get('what', 'the command')}. Received from the system: "
            f"{said['refused']}. Mend that, and run again."
        )
    status, seconds = said.get("status", 128 + signal.SIGKILL), said.get("seconds", seconds)
    return Ended(status, seconds, said.get("notes", {}), why)


def _waited(child: int) -> None:
    while True:
        with suppress(InterruptedError):
            os.waitpid(child, 0)
            return
