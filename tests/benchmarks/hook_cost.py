"""Hook: what the digests of `check`'s second rung cost, as a share of a step of `fit`.

Synopsis:
    python tests/benchmarks/hook_cost.py [--epochs 40] [--models MLP CNN …]

Each model is trained in one process in which epochs with digests at every step and epochs without
take turns, so that what else the machine does hits both alike. Prints a table in Markdown, then
one line of JSON with every measurement: seconds of each epoch by both clocks, watched first.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]

from models import MODELS, model, random_examples  # noqa: E402

WARMING = 2


def _train(name: str, epochs: int) -> None:
    """Trains in a hooked process; prints what each epoch took, watched and not, in turn."""
    import keras

    steps: Any = sys.modules["_repro_hook.events.steps"]
    steps._SHARE = float("inf")  # no step is left out
    (watch,) = [each for each in gc.get_objects() if type(each) is steps.Watch]
    seconds: list[list[float]] = []

    class Turns(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch % 2:
                watch.enter()  # what is inside something watched is not looked at by itself
            self.began = time.perf_counter(), time.process_time()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            now = time.perf_counter(), time.process_time()
            seconds.append([after - before for after, before in zip(now, self.began, strict=True)])
            if epoch % 2:
                watch.leave()

    examples = random_examples(MODELS[name])
    model({"model": name}).fit(
        examples["x"],
        examples["y"],
        batch_size=MODELS[name].batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[Turns()],
    )
    print(json.dumps(seconds))


def _measured(name: str, epochs: int) -> list[list[float]]:
    from repro.hook.install import HookSettings, installed

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        settings = HookSettings((), "cost", folder / "found", events=folder / "events")
        environment = installed(folder / "hook", settings, os.environ)
        command = [sys.executable, __file__, "--train", name, "--epochs", str(epochs)]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, check=True, timeout=3600
        )
    return json.loads(done.stdout)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["MLP", "CNN"])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        _train(given.train, given.epochs)
        return
    print("| model | time | step without, ms | digests, ms | share | quartiles |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    every: dict[str, list[list[float]]] = {}
    for name in given.models:
        steps = -(-MODELS[name].examples // MODELS[name].batch_size)
        epochs = every[name] = _measured(name, given.epochs)[2 * WARMING :]
        for place, clock in enumerate(("wall", "processor")):
            watched, plain = ([epoch[place] for epoch in epochs[turn::2]] for turn in (0, 1))
            shares = [one / other - 1 for one, other in zip(watched, plain, strict=True)]
            low, middle, high = statistics.quantiles(shares)
            step = statistics.median(plain) / steps
            print(
                f"| {name} | {clock} | {step * 1e3:.2f} | {middle * step * 1e3:.3f} "
                f"| {middle:.1%} | {low:.1%} to {high:.1%} |"
            )
    print(json.dumps(every))


if __name__ == "__main__":
    main()
