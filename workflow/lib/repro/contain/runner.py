"""Runner: the process between us and a command, which starts it and ends all that it started.

Synopsis:
    supervised(start, Pipes(lifeline, report, outputs))      # in a child of ours; never returns

It holds the reading end of a pipe, the lifeline: when that closes, since we closed it or were
killed, it ends all that the command started. Where the system allows it, it is the first process
of a namespace (pid_namespaces(7)), and the kernel ends all others with it; else it adopts what is
orphaned (PR_SET_CHILD_SUBREAPER), and looks for its descendants until none is left.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from repro.launch import isolation

_PACE = 0.05  # seconds between two looks
_SUBREAPER = 36  # prctl(2)
_DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ready:
    """What to become: the words of the command, its environment and directory, and notes for us."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    busy: int = 0
    """So many processes that do nothing but keep a processor busy meanwhile."""


@dataclass(frozen=True)
class Start:
    """How to start a command: `enter` and then `prepare` are called in the process above it."""

    prepare: Callable[[], Ready]
    enter: Callable[[], None]
    stdout: Path
    stderr: Path
    own_processes: bool


@dataclass(frozen=True)
class Pipes:
    """Descriptors between us and the command: the lifeline's and the report's ends, its outputs."""

    lifeline: int
    report: int
    outputs: tuple[int, ...]


def own_processes_refused() -> str | None:
    """Why a command can have no process ids of its own here; None where it can."""

    def work() -> None:
        isolation.enter(isolation.MOUNTS)
        isolation.call("unshare", isolation.PROCESSES)
        child = os.fork()
        if child == 0:
            status = 1
            with suppress(OSError):
                _show_processes()
                status = 0
            os._exit(status)
        if os.waitpid(child, 0)[1]:
            raise OSError("it may not mount /proc")

    return isolation.rehearsed(work)


def supervised(start: Start, pipes: Pipes) -> NoReturn:
    """Starts a command, ends all of it at the end, and then this process."""
    try:
        # Ctrl-C of the terminal reaches us alone.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        start.enter()
        if start.own_processes:
            _in_namespace(start, pipes)
        else:
            if sys.platform == "linux":
                isolation.call("prctl", _SUBREAPER, 1, 0, 0, 0)
            _supervise(start, pipes)
            _end_descendants()
    except BaseException as error:
        _say(pipes.report, {"refused": isolation.reason(error)})
    finally:
        os._exit(0)


def _in_namespace(start: Start, pipes: Pipes) -> None:
    isolation.call("unshare", isolation.PROCESSES)
    first = os.fork()
    if first:
        os.close(pipes.report)
        os.waitpid(first, 0)
        return
    try:
        _show_processes()
        _supervise(start, pipes)
    except BaseException as error:
        _say(pipes.report, {"refused": isolation.reason(error)})
    finally:
        os._exit(0)


def _show_processes() -> None:
    flags = isolation.NOSUID | isolation.NODEV | isolation.NOEXEC
    isolation.mount("proc", "/proc", flags, "proc")


def _supervise(start: Start, pipes: Pipes) -> None:
    """Starts the command, and waits until it has ended or the lifeline is closed."""
    ready = start.prepare()
    _say(pipes.report, {"notes": dict(ready.notes)})
    parent = os.getpid()
    for _ in range(ready.busy):
        if os.fork() == 0:
            isolation.die_with(parent)
            while True:
                pass
    began = time.monotonic()
    command = os.fork()
    if command == 0:
        _become(ready, pipes, parent)
    pace = 0.002
    while not select.select([pipes.lifeline], [], [], pace)[0]:
        pace = min(_PACE, pace * 1.5)
        if (status := _ended(command)) is not None:
            _say(pipes.report, {"status": status, "seconds": time.monotonic() - began})
            return
    with suppress(ProcessLookupError, PermissionError):  # all of it, where there is no /proc
        os.killpg(command, signal.SIGKILL)


def _ended(command: int) -> int | None:
    """Takes in all that has ended; the status of the command, if it is among it."""
    status = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == command:
                code = os.waitstatus_to_exitcode(ended[1])
                status = code if code >= 0 else 128 - code
    return status


def _become(ready: Ready, pipes: Pipes, parent: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        isolation.die_with(parent)
        for number in _DEFAULTS:
            signal.signal(number, signal.SIG_DFL)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), *pipes.outputs)):
            os.dup2(descriptor, number)
        os.chdir(ready.directory)
        os.execve(ready.words[0], ready.words, dict(ready.environment))
    except BaseException as error:
        _say(pipes.report, {"refused": isolation.reason(error), "what": ready.words[0]})
    finally:
        os._exit(127)


def _say(report: int, what: Mapping[str, Any]) -> None:
    with suppress(OSError):
        os.write(report, json.dumps(what).encode() + b"\n")


def _end_descendants() -> None:
    """Ends all that is below this process, and what appears meanwhile: all orphans come to us."""
    while True:
        for process in _descendants(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _descendants(above: int) -> Sequence[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The second field, a name in parentheses, may hold anything.
            rest = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            parents[int(folder.name)] = int(rest[1])
    found, level = list[int](), {above}
    while level := {process for process, parent in parents.items() if parent in level}:
        found += sorted(level)
    return found
