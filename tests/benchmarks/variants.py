"""Variants: one way to train one model, in a process of its own; prints its speed and memory.

Synopsis:
    python variants.py MODEL VARIANT --data FOLDER --epochs N --intra N --inter N

FOLDER is laid out as `repro.data.prepare` writes it. `speed.py` and `trace_cost.py` start this.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import MODELS, model
from repro.core.parameters import Threads, Training, TrainParameters
from repro.data.prepare import part
from repro.data.user_code import Code

SEED = 0
NAIVE = "naive fit"

_epoch_ends: list[tuple[float, float]] = []


def callbacks(_settings: Any = None, _seeds: Any = None) -> list[Any]:
    """The clock; it acts at the end of epochs alone, so it costs every variant the same."""
    import keras

    def note(_epoch: int, _logs: Any) -> None:
        _epoch_ends.append((time.perf_counter(), time.process_time()))

    return [keras.callbacks.LambdaCallback(on_epoch_end=note)]


@dataclass(frozen=True)
class Task:
    """What to train, on what, how long and with how many threads."""

    model: str
    data: Path
    epochs: int
    threads: Threads

    @property
    def batch_size(self) -> int:
        """Examples in a batch."""
        return MODELS[self.model].batch_size

    def fresh(self) -> Any:
        """A new model."""
        return model({"model": self.model})

    def arrays(self) -> tuple[Any, Any]:
        """x and y, in memory."""
        import numpy as np

        arrays = part(self.data, "train")
        return np.array(arrays["x"]), np.array(arrays["y"])

    def train(self, trace: str) -> None:
        """Trains as the workflow does, through its own `train`."""
        from repro.model.training import train

        training = Training(self.epochs, self.batch_size, "auto", trace, self.threads)
        parameters = TrainParameters(
            threads=self.threads, settings={"model": self.model}, training=training, seed=SEED
        )
        code = Code(sys.modules[__name__], Path(__file__))
        with tempfile.TemporaryDirectory() as folder:
            if (trained := train(code, self.data, parameters, Path(folder))).loop != "graph":
                raise SystemExit(f"Expected `auto` to choose graph. Received {trained.loop}.")


def _threads(task: Task) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task.threads.intra)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads.inter)


def default(task: Task) -> None:
    """The workflow's default: `auto`, seeded, op determinism on, every step traced."""
    from repro.model.determinism import begin

    begin(SEED, task.threads)
    task.train("step")


def loose(task: Task) -> None:
    """The same without op determinism."""
    _threads(task)
    task.train("step")


def untraced(task: Task) -> None:
    """The same without op determinism and with a trace of epochs alone."""
    _threads(task)
    task.train("epoch")


def naive(task: Task) -> None:
    """`fit` on NumPy arrays, nothing seeded."""
    _threads(task)
    own_threads(task)


def own_threads(task: Task) -> None:
    """`naive`, with the numbers of threads that TensorFlow takes by itself."""
    task.fresh().fit(*task.arrays(), task.batch_size, task.epochs, verbose=0, callbacks=callbacks())


def tuned(task: Task) -> None:
    """`fit` on a tf.data pipeline as TensorFlow's guides recommend, nothing seeded."""
    import tensorflow as tf

    _threads(task)
    x, y = task.arrays()
    examples = tf.data.Dataset.from_tensor_slices((x, y)).cache().shuffle(len(y))
    batches = examples.batch(task.batch_size).prefetch(tf.data.AUTOTUNE)
    task.fresh().fit(batches, epochs=task.epochs, verbose=0, callbacks=callbacks())


VARIANTS: Mapping[str, Callable[[Task], None]] = {
    "graph loop, deterministic, traced": default,
    NAIVE: naive,
    "naive fit, TensorFlow's own threads": own_threads,
    "graph loop, not deterministic, traced": loose,
    "graph loop, not deterministic, not traced": untraced,
    "fit on tuned tf.data": tuned,
}


def _peak() -> int:
    # Linux counts KiB, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Trains, then prints one line: speed after the first epoch, processor time, peak bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--data", type=Path, required=True)
    for name in ("epochs", "intra", "inter"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    threads = Threads(given.intra, given.inter)
    task = Task(given.model, given.data, given.epochs, threads)
    VARIANTS[given.variant](task)
    batches = -(-len(part(given.data, "train")["id"]) // task.batch_size)
    steps = batches * (len(_epoch_ends) - 1)
    first, last = _epoch_ends[0], _epoch_ends[-1]
    wall, processor = (end - start for start, end in zip(first, last, strict=True))
    found = {"steps_per_s": steps / wall, "processor_s": processor / steps, "peak_bytes": _peak()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
