"""Turns: a traced and an untraced training in one process, an epoch of each in turn.

Synopsis:
    python turns.py MODEL --data FOLDER --epochs N --loop auto --intra N --inter N

What else the machine does then hits both alike. Prints, for each, the wall and the processor
time of a step in every epoch but the first two and the last. `trace_cost.py` starts this.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Condition
from typing import Any

from models import MODELS, model  # noqa: F401 (the experiment's)
from repro.core.parameters import Threads, Training, TrainParameters
from repro.data.prepare import part
from repro.data.user_code import Code

SEED = 0
WARMING = 2
TRACES = ("step", "epoch")


class Turns:
    """Lets one of several threads run at a time, and notes how long each of its turns took."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.spent: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        self._began: dict[str, tuple[float, float]] = {}
        self._order, self._changed = deque(names), Condition()

    def wait(self, name: str) -> None:
        """Returns when it is this one's turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._order[0] == name)
        self._began[name] = time.perf_counter(), time.process_time()

    def pass_on(self, name: str) -> None:
        """Ends this one's turn, and returns when the next one comes."""
        now = time.perf_counter(), time.process_time()
        wall, processor = (n - b for n, b in zip(now, self._began[name], strict=True))
        self.spent[name].append((wall, processor))
        with self._changed:
            self._order.rotate(-1)
            self._changed.notify_all()
        self.wait(name)

    def leave(self, name: str) -> None:
        """Takes part no longer."""
        with self._changed:
            self._order.remove(name)
            self._changed.notify_all()


_turns = Turns(TRACES)


def callbacks(settings: Mapping[str, Any], _seeds: Any) -> list[Any]:
    """Whatever is done between two beginnings of an epoch counts, the trace's writing included."""
    import keras

    def begin(_epoch: int, _logs: Any) -> None:
        _turns.pass_on(settings["trace"])

    return [keras.callbacks.LambdaCallback(on_epoch_begin=begin)]


def _train(given: argparse.Namespace, trace: str) -> None:
    from repro.model.training import train

    threads = Threads(given.intra, given.inter)
    training = Training(
        epochs=given.epochs,
        batch_size=MODELS[given.model].batch_size,
        loop=given.loop,
        trace=trace,
        threads=threads,
    )
    settings = {"model": given.model, "trace": trace}
    parameters = TrainParameters(threads=threads, settings=settings, training=training, seed=SEED)
    code = Code(sys.modules[__name__], Path(__file__))
    try:
        _turns.wait(trace)
        with tempfile.TemporaryDirectory() as folder:
            train(code, given.data, parameters, Path(folder))
    finally:
        _turns.leave(trace)


def main() -> None:
    """Trains both, then prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--loop", required=True)
    for name in ("epochs", "intra", "inter"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    from repro.model.determinism import begin

    begin(SEED, Threads(given.intra, given.inter))
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(_train, given, trace) for trace in TRACES]:
            done.result()
    steps = -(-len(part(given.data, "train")["id"]) // MODELS[given.model].batch_size)
    print(
        json.dumps(
            {
                trace: [[wall / steps, processor / steps] for wall, processor in spent[WARMING:]]
                for trace, spent in _turns.spent.items()
            }
        )
    )


if __name__ == "__main__":
    main()
