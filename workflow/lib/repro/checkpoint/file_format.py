"""File format: one state of a training as a file, whole and checked, or refused.

Synopsis:
    save(path, key, Snapshot(epoch=3, arrays={…}, facts={…}, python=b"…"))
    snapshot = load(path, key)         # or Damaged, or Foreign

A line with the SHA-256 of all that follows, then a safetensors file: the arrays, the facts as
canonical JSON, and what only Python's pickle can hold, which nobody unpickles before digest and
key were found right. Needs no TensorFlow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Required, TypedDict

import numpy as np
import numpy.typing as npt

from repro.core.atomic import whole_file
from repro.core.canonical_json import canonical
from repro.core.digest import sha256_bytes

MAGIC = b"repro-checkpoint-1 sha256:"
_FACTS, _PYTHON, _ARRAY, _BEST = "facts", "python", "array/", "best/"

Array = npt.NDArray[Any]


class Damaged(Exception):
    """A file that is no whole snapshot; its text is the reason, a few words long."""


class Foreign(Exception):
    """A whole snapshot of another training."""


class TraceMark(TypedDict):
    """Which bytes of the trace belong to a snapshot."""

    size: int
    sha256: str


class Facts(TypedDict, total=False):
    """What a snapshot knows beside the variables; plain values alone.

    Whether the training has `finished`, the epochs at which it was `resumed`, by name the marks of
    its `graphs`, the `history` with its floats in hexadecimal, and what of the `trace` is its.
    """

    finished: Required[bool]
    resumed: Required[list[int]]
    graphs: Required[dict[str, list[str]]]
    history: Required[list[dict[str, str]]]
    trace: TraceMark


@dataclass(frozen=True)
class Snapshot:
    """A state of a training.

    `epoch` is the next one to be trained, `arrays` the variables by name, `python` is a pickle,
    `best` are the weights of the best epoch so far, where that is asked for.
    """

    epoch: int
    arrays: Mapping[str, Array]
    facts: Facts
    python: bytes = b""
    best: Mapping[str, Array] = field(default_factory=dict[str, Array])


def _bytes(content: bytes) -> Array:
    return np.frombuffer(content, np.uint8)


def save(path: Path, key: str, snapshot: Snapshot) -> None:
    """Writes a snapshot, whole or not at all; `key` tells this training from every other one.

    Raises:
        UserError: the system refused to write.
    """
    from safetensors.numpy import save as serialised

    facts = canonical({"key": key, "epoch": snapshot.epoch, "facts": snapshot.facts})
    both = ((_ARRAY, snapshot.arrays), (_BEST, snapshot.best))
    arrays = {
        prefix + name: np.asarray(a, order="C")
        for prefix, named in both
        for name, a in named.items()
    }
    extra = {_FACTS: _bytes(facts.encode()), _PYTHON: _bytes(snapshot.python)}
    content = serialised({**arrays, **extra})
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(MAGIC + sha256_bytes(content).encode() + b"\n")
        file.write(content)


def load(path: Path, key: str) -> Snapshot:
    """Reads a snapshot that `save` wrote.

    Raises:
        Damaged: it cannot be read, or a byte of it is not as it was written.
        Foreign: it was saved with another key.
    """
    from safetensors.numpy import load as deserialised

    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise Damaged(error.strerror or "it cannot be read") from error
    if head != MAGIC + sha256_bytes(content).encode():
        raise Damaged("its digest is another one")
    arrays: dict[str, Array] = deserialised(content)
    header = json.loads(arrays.pop(_FACTS).tobytes())
    if header["key"] != key:
        raise Foreign
    python = arrays.pop(_PYTHON).tobytes()
    named, best = (
        {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
        for prefix in (_ARRAY, _BEST)
    )
    return Snapshot(header["epoch"], named, header["facts"], python, best)
