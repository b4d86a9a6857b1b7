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
    began, why, text, runner = time.monotonic(), "", b"", 0
    try:
        runner = os.fork()
        if runner == 0:
            os.close(lifeline[1])
            os.close(report[0])
            supervised(start, Pipes(lifeline[0], report[1], outputs))
        os.close(report[1])
        while True:
            if select.select([report[0]], [], [], _PACE)[0]:
                if not (part := os.read(report[0], 65536)):
                    break
                text += part
            elif why := why or stopped(time.monotonic() - began):
                break
    finally:
        for descriptor in (*lifeline, *outputs):  # the closed lifeline ends all
            os.close(descriptor)
        if runner:
            _waited(runner)
    while part := os.read(report[0], 65536):
        text += part
    os.close(report[0])
    said: dict[str, Any] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        said |= json.loads(line)
    if "refused" in said:
        raise CouldNotRun(
            f"Expected to start {said.get('what', 'the command')}. Received from the system: "
            f"{said['refused']}. Mend that, and run again."
        )
    seconds = said.get("seconds", time.monotonic() - began)
    return Ended(said.get("status", 128 + signal.SIGKILL), seconds, said.get("notes", {}), why)


def _waited(child: int) -> None:
    while True:
        with suppress(InterruptedError):
            os.waitpid(child, 0)
            return
