"""Stream: what a watched process notes as it goes, a line of JSON each.

Synopsis:
    stream = Stream(folder)
    stream.put({"step": 1, …})        # with the system at once: a kill loses at most this line

A process that is forked from a watched one has a file of its own. The lines:

    {"process": {"argv", "python", "forks", "began"}}     the first: which process this is
    {"layout": 0, "variables": [[path, shape, dtype, kind], …]}
    {"start": true, "layout", "digests"}              values before anything was trained
    {"calls": [[source, call, file, line, count, digest], …]}     since the last such line
    {"step", "model", "fit", "epoch", "layout", "digests", "batch"}
    {"finding": {"name", "sentence", "file", "line"}}
    {"deterministic": true}                           TensorFlow's operations are, as it trains
    {"end": true}                                     the process came to its end

`digests` are those of the layout's variables one after the other, or null at a step that was left
out for its cost.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

_line = json.JSONEncoder(separators=(",", ":")).encode  # `dumps` makes an encoder at each call


class Stream:
    """One process' events; each line is whole, from whichever thread it comes."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._forks = 0
        self._file: int | None = self._opened()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def put(self, event: dict[str, Any]) -> None:
        """Writes a line."""
        line = _line(event).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self._opened()
            os.write(self._file, line)
        except OSError:
            pass  # a full disk is the script's own trouble, not ours to add to

    def _opened(self) -> int:
        name = f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        file = os.open(os.path.join(self._folder, name), flags, 0o666)
        argv = _arguments()
        python = sys.version.split()[0]
        process = {"argv": argv, "python": python, "forks": self._forks, "began": _began()}
        os.write(file, json.dumps({"process": process}).encode() + b"\n")
        return file

    def _forked(self) -> None:
        self._file = None  # the parent's; one of its own is made with the first event
        self._forks += 1


def _arguments() -> list[str]:
    """What the process was started with, behind the interpreter."""
    if hasattr(sys, "orig_argv"):
        return sys.orig_argv[1:]
    try:  # Python 3.9 knows them later than this
        with open("/proc/self/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")[1:-1]
    except OSError:
        return []


def _began() -> list[int]:
    """What is greater in a process that began later, and never the same: compared part by part.

    First when it began (proc_pid_stat(5)), in hundredths of a second, within which its id decides;
    then a clock that nobody sets, for a program that takes the place of another in its process.
    """
    began = [0, 0]
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            # The second field, a name in parentheses, may hold anything.
            began = [int(file.read().rpartition(")")[2].split()[19]), os.getpid()]
    except (OSError, IndexError, ValueError):
        pass  # there is no such file on macOS
    return [*began, time.monotonic_ns()]
