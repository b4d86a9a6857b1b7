"""Watched calls: which functions the ledger watches, and through what each may differ.

Synopsis:
    for watched in watched_calls(): watched.call, watched.source, watched.when
    SEEDS, DRAWS                      # public names
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from repro.watch.call_conditions import Condition, always
from repro.watch.nondeterminism_sources import WatchedCall, every

DRAW, SEED, LISTING = "random numbers", "seed", "listing order"
KERAS_SEED = "seed that Keras draws"
TEMPORARY_NAME = "name of a temporary file"
VALUED = (DRAW, SEED, LISTING, KERAS_SEED)
"""Sources that should give the same in each run; of what they give a digest is taken."""

SURROUNDINGS = (
    "processors", "environment variable", "home", "temporary folder", TEMPORARY_NAME,
    "working directory", "locale", "file times", "file rights",
)  # fmt: skip
"""What a run has around it, and scripts may read."""
DIRECT = ("clock", "process id", "network", "system entropy", "random.Random", *SURROUNDINGS)
"""Sources, and one call, of which only the user's own lines are noted: libraries ask them, too."""
_NOTED = (
    "threads", "processes", "another program", LISTING, "generator without a seed",
    "unordered stream", *DIRECT,
)  # fmt: skip
_HASHED = (
    "mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing", "california_housing",
)  # fmt: skip
_PASSED_OVER = (
    "time.perf_counter", "time.monotonic", "time.process_time", "time.thread_time",  # durations
    "secrets.randbits",  # NumPy asks it, even for a generator with a seed
    "os.getenv",  # what it reads is noted by its name
    "os.access",  # the standard library looks for it in sets of functions
    # ASSUME: Keras compares their files with a hash from wherever they come (not Fashion-MNIST).
    *(f"keras.datasets.{name}.load_data" for name in _HASHED),
)  # fmt: skip
_MORE = (WatchedCall("pathlib.Path.stat", "file times", always),)
_BY_GLOBAL_SEED = ("tensorflow.data.Dataset.shuffle", "tensorflow.data.Dataset.list_files")
"""What has no need of a seed of its own where TensorFlow's global one is set."""

SEEDS = (
    "random.seed", "numpy.random.seed", "tensorflow.random.set_seed", "numpy.random.default_rng",
)  # fmt: skip
_RANDOM = """
    random randint randrange uniform gauss normalvariate lognormvariate expovariate betavariate
    gammavariate triangular vonmisesvariate paretovariate weibullvariate choice choices sample
    shuffle getrandbits randbytes"""
_TENSORFLOW = "normal uniform truncated_normal shuffle categorical gamma poisson"
DRAWS = (
    *(f"random.{name}" for name in _RANDOM.split()),
    *(f"tensorflow.random.{name}" for name in _TENSORFLOW.split()),
)
"""Functions that draw; those of NumPy are found on its modules."""


def watched_calls() -> Iterator[WatchedCall]:
    """What the ledger watches, but for seeds and draws."""
    for watched in (*every(), *_MORE):
        if watched.source not in _NOTED or watched.call in _PASSED_OVER:
            continue
        if watched.source == "temporary folder" and watched.call != "tempfile.gettempdir":
            yield replace(watched, source=TEMPORARY_NAME)
        elif watched.call in _BY_GLOBAL_SEED:
            yield replace(watched, when=_without_global_seed(watched.when))
        else:
            yield watched


def _without_global_seed(when: Condition) -> Condition:
    def lacks_any(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        context = sys.modules["tensorflow.python.eager.context"]
        return when(args, named) and context.global_seed() is None

    return lacks_any
