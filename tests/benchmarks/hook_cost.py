"""Hook: what the digests of `check`'s second rung cost, as a share of a step of `fit`.

Synopsis:
    python tests/benchmarks/hook_cost.py [--turns 40] [--models MLP CNN …]

Each model is trained in one process in which three ways take turns, a `fit` each, so that what else
the machine does hits all alike: digests at every step, digests as `check` takes them, and
none. Prints a table in Markdown, then one line of JSON with every measurement: seconds of each turn
by both clocks.
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

WARMING, EPOCHS = 2, 3
WAYS = ("every step", "as it runs", "none")
PACE, WRAPPED_FIT = "events.pace", "events.wrapped_fit"
"""Modules of the hook in which `SHARE`, and `with_digest`, are replaced."""


class _Turns:
    """Has the hook take digests in one of the ways, in the process that it watches."""

    def __init__(self) -> None:
        self._pace: Any = sys.modules[f"_repro_hook.{PACE}"]
        self._fit: Any = sys.modules[f"_repro_hook.{WRAPPED_FIT}"]
        (self._watch,) = [each for each in gc.get_objects() if type(each).__name__ == "Watch"]
        self._share, self._mark = self._pace.SHARE, self._fit.with_digest
        self._paces: dict[str, dict[str, Any]] = {way: {} for way in WAYS}

    def begin(self, way: str) -> None:
        """From now on digests are taken in this way."""
        self._pace.SHARE = float("inf") if way == "every step" else self._share
        self._watch._paces = self._paces[way]
        if way == "none":
            self._fit.with_digest = lambda *_: None
            self._watch.enter()  # what is inside something watched is not looked at by itself

    def end(self, way: str) -> None:
        """The end of what `begin` began."""
        if way == "none":
            self._fit.with_digest = self._mark
            self._watch.leave()

    def every(self) -> int:
        """Of how many steps one is looked at."""
        return max(pace.every for pace in self._paces["as it runs"].values())


def _train(name: str, turns: int) -> None:
    """Trains in a hooked process; prints what each turn took, from its second step on."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.now = time.perf_counter(), time.process_time()
            self.began = self.began or self.now

        def on_train_begin(self, logs: Any = None) -> None:
            self.began: Any = None

    examples, network = random_examples(MODELS[name]), model({"model": name})
    hook, clock = _Turns(), Clock()
    seconds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for turn in range(turns):
        for way in (*WAYS[turn % len(WAYS) :], *WAYS[: turn % len(WAYS)]):
            hook.begin(way)
            network.fit(
                examples["x"],
                examples["y"],
                batch_size=MODELS[name].batch_size,
                epochs=EPOCHS,
                verbose=0,
                callbacks=[clock],
            )
            hook.end(way)
            seconds[way].append(
                [one - other for one, other in zip(clock.now, clock.began, strict=True)]
            )
    print(json.dumps({"seconds": seconds, "every": hook.every()}))


def _measured(name: str, turns: int) -> dict[str, Any]:
    from repro.hook.install import HookSettings, installed

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        settings = HookSettings((), "cost", folder / "found", events=folder / "events")
        environment = installed(folder / "hook", settings, os.environ)
        command = [sys.executable, __file__, "--train", name, "--turns", str(turns)]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, check=True, timeout=3600
        )
    return json.loads(done.stdout)


def _print_rows(name: str, found: dict[str, Any]) -> None:
    steps = EPOCHS * -(-MODELS[name].examples // MODELS[name].batch_size) - 1
    seconds = {way: each[WARMING:] for way, each in found["seconds"].items()}
    for way, looks in (("every step", 1), ("as it runs", found["every"])):
        for place, clock in enumerate(("wall", "processor")):
            watched, plain = ([turn[place] for turn in seconds[each]] for each in (way, "none"))
            shares = [one / other - 1 for one, other in zip(watched, plain, strict=True)]
            low, middle, high = statistics.quantiles(shares)
            step = statistics.median(plain) / steps
            print(
                f"| {name} | 1 in {looks} | {clock} | {step * 1e3:.2f} | {middle * step * 1e3:.3f} "
                f"| {middle:.1%} | {low:.1%} to {high:.1%} |"
            )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["MLP", "CNN"])
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        _train(given.train, given.turns)
        return
    print("| model | steps looked at | time | step without, ms | digests, ms | share | quartiles |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    every: dict[str, Any] = {}
    for name in given.models:
        every[name] = _measured(name, given.turns)
        _print_rows(name, every[name])
    print(json.dumps(every))


if __name__ == "__main__":
    main()
