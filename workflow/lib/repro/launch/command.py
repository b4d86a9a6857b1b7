"""Command: what a step is started with, its environment variables first, which factors change.

Synopsis:
    start.having(TZ="UTC").environment["TZ"]
    start.inputs()["data=a.csv"]                # ('data', Path('/…/a.csv'))
    launching("repeat", 2, ["clock"], [])       # the words before the step's own
    settings(2)                                 # the variables that every step has
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

FACTORS = "REPRO_FACTORS"
"""What was varied and what was not, as JSON; see `repro.launch.launcher.factors`."""

NODE = "SLURMD_NODENAME"
"""Where Slurm says on which node a job runs."""

KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SYSTEMROOT", "CONDA_PREFIX",
    "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "SLURM_JOB_ID", NODE,
)  # fmt: skip
"""The user's own environment variables that every step sees."""

_SETTINGS: Mapping[str, str] = {
    "PYTHONHASHSEED": "0",  # the order of sets of text
    "PYTHONNOUSERSITE": "1",  # packages of the user's own would shadow the locked ones
    "PYTHONSAFEPATH": "1",  # so would files in the working directory
    "PYTHONDONTWRITEBYTECODE": "1",  # a job must not change the environment
    "PYTHONUTF8": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,  # ~/.keras/keras.json can change float type and image layout
    "MPLCONFIGDIR": os.devnull,  # nor may ~/.config change figures, or ~/.cache get Matplotlib's
    "MPLBACKEND": "agg",  # draws into files: nobody looks at a window
    "TF_ENABLE_ONEDNN_OPTS": "1",  # the default on x86; written down, since bits depend on it
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # cuBLAS is deterministic only with a fixed workspace
    # ASSUME: BLAS, as NumPy calls it, takes no more threads than a process has processors, and
    # its sums change with them: only with one thread its bits depend on no processor. TensorFlow
    # has threads of its own. tests/unit/test_factors.py
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}


def settings(intra: int) -> dict[str, str]:
    """The environment variables that a step must find set, for `intra` threads in an operation."""
    return {FACTORS: "[]", **_SETTINGS, "OMP_NUM_THREADS": str(intra)}


def every_step_has(name: str) -> bool:
    """Whether a step has that environment variable in any case, or must not have it."""
    return name in (*KEPT, *settings(1)) or name.startswith(("REPRO_", "PYTHON"))


class NotVaried(Exception):
    """A factor that cannot be varied here; its text is the reason, a few words long."""


def launching(run: str, intra: int, factors: Iterable[str], passed: Iterable[str]) -> list[str]:
    """The words that make the program of the steps launch one, before `--` and the step's own.

    Args:
        run: the name from which the values of factors are drawn.
        intra: threads within an operation.
        factors: what to vary.
        passed: environment variables of the user's that it shall see.
    """
    words = ["launch", "--run", run, "--intra", str(intra), "--vary", ",".join(factors)]
    # Else left out: another command would be another job to Snakemake.
    return [*words, "--pass", ",".join(names)] if (names := sorted(passed)) else words


@dataclass(frozen=True)
class StepCommand:
    """What a step is started with.

    `run` is the name from which the values of its factors are drawn. `given` are its arguments as
    they came, `arguments` as it shall see them; `here` is where relative paths start, `directory`
    its working directory, `fresh` a new folder that is cleared away when it has ended.
    """

    run: str
    program: Path
    given: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    here: Path
    directory: Path
    fresh: Path

    def having(self, **variables: str) -> StepCommand:
        """The same with some environment variables set."""
        return replace(self, environment={**self.environment, **variables})

    def folder(self, *names: str) -> Path:
        """An empty folder below the fresh one."""
        path = self.fresh.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def inputs(self) -> dict[str, tuple[str, Path]]:
        """Each argument of the form NAME=PATH: the name, and the path made absolute."""
        pairs = {item: item.split("=", 1) for item in self._options().input if "=" in item}
        return {item: (name, self.here / path) for item, (name, path) in pairs.items()}

    def outputs(self) -> list[Path]:
        """The folders that it writes into, and the file of its log, made if missing."""
        options = self._options()
        outputs: list[Path] = []
        for folder in filter(None, (options.out, options.checkpoints, options.events)):
            outputs.append(self.here / folder)
            outputs[-1].mkdir(parents=True, exist_ok=True)
        if options.log:
            outputs.append(self.here / options.log)
            outputs[-1].parent.mkdir(parents=True, exist_ok=True)
            outputs[-1].touch()
        return outputs

    def _options(self) -> argparse.Namespace:
        parser = argparse.ArgumentParser(add_help=False)
        parser.add_argument("--input", action="extend", nargs="+", default=[])
        parser.add_argument("--out")
        parser.add_argument("--checkpoints")
        parser.add_argument("--events")
        parser.add_argument("--log")
        return parser.parse_known_args(self.arguments)[0]
