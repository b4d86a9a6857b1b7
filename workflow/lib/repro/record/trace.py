"""Trace: what one run did, step by step, as lines of JSON.

Synopsis:
    with writer(path, header) as trace:
        trace.line({"epoch": 0, "step": 0, …})
    trace = read(path)
    for epoch, values in history(path.with_name("history.csv")): values["loss"]
"""

from __future__ import annotations

import csv
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from repro.core.atomic import sentence_for_system_errors, whole_file
from repro.core.canonical_json import canonical
from repro.core.errors import UserError

VERSION = 1

CLASS_WEIGHTS = "class_weight"
"""The header's key for the weights of classes, where there are any."""

_STATES = {"weights", "optimizer", "seeds"}
_HEADER = {"digest", "order", "variables", "initial"}
_STEP = {"epoch", "step", "ids", "batch", "lr", "loss", "weights"}


@dataclass(frozen=True)
class Writer:
    """Writes lines to an open trace."""

    path: Path
    file: TextIO

    def line(self, value: Mapping[str, Any]) -> None:
        """Appends one line; raises what `lines` does."""
        self.lines([value])

    def lines(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Appends lines.

        Raises:
            UserError: the system refused to write; not an OSError, for which whatever trains
                in between would be blamed.
        """
        with sentence_for_system_errors(self.path):
            self.file.writelines(f"{canonical(value)}\n" for value in values)


@contextmanager
def writer(path: Path, header: Mapping[str, Any]) -> Generator[Writer]:
    """Opens a trace, which appears at `path` when the block ends well.

    The header has what every line shares: methods, layout, initial digests.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="ascii") as file:
        trace = Writer(path, file)
        trace.line({"version": VERSION, **header})
        yield trace


@dataclass(frozen=True)
class Trace:
    """A trace as read: the header; then, in order, a mapping for each step and each epoch's end.

    A step's line has the key `step`; an epoch's has not.
    """

    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


def _check(header: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Looks only for what every reader relies on: a whole look by the schema takes minutes."""
    if not set(header) >= _HEADER or not set(header["initial"]) >= _STATES:
        raise ValueError("its header lacks a key")
    for number, line in enumerate(lines, 2):
        if not ({*_STATES, "epoch"} if "step" not in line else _STEP) <= set(line):
            raise ValueError(f"line {number} lacks a key")
        if "step" in line and len(line["weights"]) != len(header["variables"]):
            raise ValueError(f"line {number} has another number of weights")


def read(path: Path) -> Trace:
    """Reads a trace.

    Raises:
        UserError: not a trace, a damaged one, or one of another version.
    """
    try:
        header, *lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
        version = header["version"]
        if type(version) is int and version == VERSION:
            _check(header, lines)
            return Trace(header, tuple(lines))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected a trace at {path.name}. Received a file that cannot be read as one "
            f"({error}). Delete it and run again."
        ) from error
    raise UserError(
        f"Expected a trace of version {VERSION} at {path.name}. Received version {version}. "
        "Use the release of this program that wrote it."
    )


def history(path: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Each epoch of history.csv, with what was logged in it."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            epoch = int(row.pop("epoch"))
            yield epoch, {name: float(value) for name, value in row.items() if value}
