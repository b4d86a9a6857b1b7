"""One run in a process of its own, started as the workflow starts it: prepare, train, evaluate.

python one_run.py launch RUN CODE OUT
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "lib"))

from repro.core import launch
from repro.core.config import Threads
from repro.core.experiment import load
from repro.core.seeding import Seeds

TRAINING = {"epochs": 2, "batch_size": 16, "loop": "auto", "trace": "step",
            "threads": {"intra": 2, "inter": 1}}  # fmt: skip
SPLIT = {"train": 0.7, "validation": 0.15, "test": 0.15}


def work(run: str, source: str, out: Path) -> None:
    """The three steps, one after the other."""
    launch.check(run, 2)
    from repro.data.prepare import prepare
    from repro.model.determinism import begin
    from repro.model.evaluation import evaluate
    from repro.model.training import train

    begin(Seeds(0)("global"), Threads(2, 1))
    code, data, result = load(launch.path(source)), out / "data", out / "seed-0"
    prepare(code, {}, {"data": {}, "data_seed": 0, "split": SPLIT, "settings": {}}, data)
    train(code, data, {"settings": {}, "training": TRAINING, "seed": 0, "limit": None}, result)
    weights = result / "weights.safetensors"
    evaluate(code, data, weights, {"settings": {}, "seed": 0, "batch_size": 16}, result)


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        launch.launch(sys.argv[2], 2, ["work", *sys.argv[2:]])
    work(sys.argv[2], sys.argv[3], launch.path(sys.argv[4]))
    launch.leave()
