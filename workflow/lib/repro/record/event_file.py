"""Event file: a training's history and trace as TensorBoard reads them.

Synopsis:
    write(Path("results/digits/original/seed-0"), Path("logs/digits/original/train-0"))

Made afterwards, from what the training has written down, so that it changes no bit and no time of a
result. A moment is the number of its epoch or step, so that the same training gives the same bytes.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from repro.core.atomic import whole_file
from repro.record.trace import history

NAME = "events.out.tfevents.training"
"""TensorBoard knows the file by the middle part."""
MOST_STEPS = 10_000
"""So many steps are shown at most, evenly spaced; TensorBoard itself draws fewer."""
_STEP = re.compile(rb'"step":[0-9]')
"""In the line of a step; behind a variable of that name stands a digest."""

Scalars = Mapping[str, float]


def write(results: Path, folder: Path) -> None:
    """Writes the event file of a training.

    Args:
        results: the folder of what it wrote.
        folder: for the event file.

    Raises:
        OSError: the system refuses to write.
    """
    import tensorflow as tf

    v1: Any = tf.compat.v1
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / NAME) as temporary, tf.io.TFRecordWriter(str(temporary)) as file:
        file.write(v1.Event(wall_time=0, file_version="brain.Event:2").SerializeToString())
        for moment, scalars in (
            *_epochs(results / "history.csv"),
            *_steps(results / "trace.jsonl"),
        ):
            values = [
                v1.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()
            ]
            event = v1.Event(wall_time=moment, step=moment, summary=v1.Summary(value=values))
            file.write(event.SerializeToString())


def _epochs(path: Path) -> Iterator[tuple[int, Scalars]]:
    for epoch, values in history(path):
        yield epoch, {f"epoch/{name}": value for name, value in values.items()}


def _steps(trace: Path) -> Iterator[tuple[int, Scalars]]:
    """Every step, or every n-th where there are many; none where epochs alone were traced."""
    with trace.open("rb") as file:
        every = 1 + sum(_STEP.search(line) is not None for line in file) // MOST_STEPS
    with trace.open("rb") as file:
        for number, line in enumerate(filter(_STEP.search, file)):
            if number % every == 0:
                row = json.loads(line)
                rates = [row["lr"][at : at + 16] for at in range(0, len(row["lr"]), 16)]
                names = ["learning rate", *(f"learning rate {n}" for n in range(2, len(rates) + 1))]
                named = dict(zip(names, rates, strict=False))
                bits = {"loss": row["loss"], **named}
                yield number, {f"step/{name}": _number(text) for name, text in bits.items()}


def _number(bits: str) -> float:
    """A number of 64 bits in hexadecimal digits, as the trace holds it."""
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    return number
