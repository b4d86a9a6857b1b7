"""Kills: trainings ended by SIGKILL and taken up again, held against uninterrupted ones.

Synopsis:
    python tests/benchmarks/kills.py [--kills 12] [--models LSTM GAN …] [--orbax FOLDER]

Kills at random moments and at chosen points of a checkpoint's writing, and shows beside it what
Keras' own ways give. Prints two tables in Markdown, then one line of JSON; progress goes to
standard error. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]

from killed import FILES, POINTS, Child, prepare, train  # noqa: E402
from taken_up import ORBAX, SAID, by_keras, versions  # noqa: E402

MODELS = {
    "CNN": "cnn_with_batch_norm", "LSTM": "lstm_with_dropout", "transformer": "transformer_block",
    "GAN": "gan", "own step": "own_train_step",
}  # fmt: skip
CLOCK = "by the clock"
COLUMNS = ("model", "loop", "kills", CLOCK, *POINTS, "runs", "differences", "epochs lost")
KERAS = ("model", "way", "twice without a kill", *SAID)


def _packages(folder: str) -> Path:
    """The folder, if all that Orbax needs can be imported with it."""
    if missing := sorted({*ORBAX} - {*versions(Path(folder))}):
        raise argparse.ArgumentTypeError(
            f"Expected a folder with the packages of orbax.txt. Received {folder} without "
            f"{', '.join(missing)}. Make it as the README beside this file says."
        )
    return Path(folder).resolve()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--kills", type=int, default=12, help="of each model, at least (12)")
    parser.add_argument("--epochs", type=int, default=12, help="of each training (12)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument("--no-keras", action="store_true", help="leave Keras' own ways out")
    parser.add_argument("--orbax", type=_packages, metavar="FOLDER",
                        help="measure OrbaxCheckpoint too, with the packages in it")  # fmt: skip
    return parser.parse_args(arguments)


def _bits(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


class Kills:
    """Trains one model again and again, and kills it until it has been killed often enough."""

    def __init__(self, code: Path, data: Path, folder: Path, given: argparse.Namespace) -> None:
        self._code, self._data, self._folder, self._given = code, data, folder, given
        # Every point stands twice among the first, so that few kills reach all of them.
        often = [*POINTS, *[CLOCK] * len(POINTS)]
        self._wanted = (often * given.kills)[: given.kills]
        self._random = random.Random(f"{given.seed} {code.name}")
        self.kills: Counter[str] = Counter()
        self.runs = self.differences = self.lost = 0

    def measured(self) -> dict[str, Any]:
        """Kills, and what came of it."""
        told = Child(train, self._code, self._data, self._folder / "whole", self._given.epochs)
        *lines, found = told.ended()
        moments = {name: moment for line in lines for name, moment in line.items()}
        span = moments["ended"] - moments["began"]
        whole = _bits(self._folder / "whole")
        while self._wanted:
            self._chain(span)
            self.differences += _bits(self._folder / "again") != whole
        counts = {"runs": self.runs, "differences": self.differences, "lost": self.lost}
        return {"loop": found["loop"], "kills": dict(self.kills), **counts}

    def _chain(self, span: float) -> None:
        """One training, killed and taken up until it is done."""
        self.runs += 1
        kept, last = self._folder / f"kept-{self.runs}", 0
        done = False
        while not done:
            way = self._wanted[0] if self._wanted else None
            point = (way, self._random.randint(1, 3)) if way in POINTS else None
            child = Child(train, self._code, self._data, self._folder / "again",
                          self._given.epochs, kept, point)  # fmt: skip
            if way == CLOCK:
                child.kill_after(self._random.uniform(0, span))
            told = child.ended()
            done = bool(told) and "loop" in told[-1]
            if not done and not child.killed:
                raise SystemExit("Expected a killed training. Received one that failed by itself.")
            if child.killed and way:
                self._wanted.pop(0)
                self.kills[way] += 1
            if begun := [line["first"] for line in told if "first" in line]:
                self.lost += max(0, last - begun[0])
            last = max([last, *(line["kept"] for line in told if "kept" in line)])


def _row(model: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    kills = found["kills"]
    ways = [str(kills.get(way, 0)) for way in (CLOCK, *POINTS)]
    ends = [str(found[name]) for name in ("runs", "differences", "lost")]
    return (model, found["loop"], str(sum(kills.values())), *ways, *ends)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Kills, compares and prints."""
    given = _arguments(arguments)
    # No operation runs in this process: what is forked from it begins as a new one would.
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401

    found: dict[str, Any] = {}
    beside: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="kills ") as name:
        for model in given.models:
            code, folder = HERE.parent / "zoo" / f"{MODELS[model]}.py", Path(name) / model
            Child(prepare, code, folder / "data").ended()
            found[model] = Kills(code, folder / "data", folder, given).measured()
            print(model, found[model], file=sys.stderr, flush=True)
            for row in () if given.no_keras else by_keras(code, folder, given.orbax):
                beside.append({"model": model, **row})
                print(beside[-1], file=sys.stderr, flush=True)
    rows = [_row(model, one) for model, one in found.items()]
    print(*_table(COLUMNS, rows), "", sep="\n")
    print(*_table(KERAS, [[each[c] for c in KERAS] for each in beside]), "", sep="\n")
    orbax = versions(given.orbax) if given.orbax else None
    used = ", ".join(" ".join(one) for one in orbax.items()) if orbax else "not measured"
    print(f"OrbaxCheckpoint: {used}.\n")
    result = {"cpus": os.cpu_count(), "orbax": orbax, "measured": found, "keras": beside}
    print(json.dumps({**vars(given), **result}))


if __name__ == "__main__":
    main()
