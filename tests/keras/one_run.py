"""One run in a process of its own, started as the workflow starts it: prepare, train, evaluate.

python one_run.pyz launch --run RUN --vary FACTORS -- --input experiment=CODE --out FOLDER
"""

import argparse
import sys

from repro.core.parameters import (
    EvaluateParameters,
    PrepareParameters,
    Threads,
    Training,
    TrainParameters,
)
from repro.core.seeding import Seeds
from repro.data.user_code import load
from repro.launch import launcher, shims

THREADS = Threads(2, 1)
TRAINING = Training(epochs=2, batch_size=16, loop="auto", trace="step", threads=THREADS)
SPLIT = {"train": 0.7, "validation": 0.15, "test": 0.15}
PREPARE = PrepareParameters(threads=THREADS, data={}, data_seed=0, split=SPLIT, settings={})
TRAIN = TrainParameters(threads=THREADS, settings={}, seed=0, training=TRAINING)
EVALUATE = EvaluateParameters(threads=THREADS, settings={}, seed=0, batch_size=16)


def work(source: str, out: str) -> None:
    """The three steps, one after the other."""
    launcher.check(2)
    from repro.data.prepare import prepare
    from repro.model.determinism import begin
    from repro.model.evaluation import evaluate
    from repro.model.training import train

    begin(Seeds(0)("global"), THREADS)
    folder = launcher.path(out)
    code, data, result = load(launcher.path(source)), folder / "data", folder / "seed-0"
    prepare(code, {}, PREPARE, data)
    train(code, data, TRAIN, result)
    weights = result / "weights.safetensors"
    evaluate(code, data, weights, EVALUATE, result)


def main() -> None:
    """Launches itself, or does the work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run")
    parser.add_argument("--vary", default="")
    parser.add_argument("--input")
    parser.add_argument("--out")
    if sys.argv[1] == "launch":
        cut = sys.argv.index("--")
        options = parser.parse_args(sys.argv[2:cut])
        vary = [name for name in options.vary.split(",") if name]
        launcher.launch(options.run, 2, vary, sys.argv[cut + 1 :])
    options = parser.parse_args()
    with shims.applied(launcher.varied(), launcher.run()):
        work(options.input.removeprefix("experiment="), options.out)


main()
