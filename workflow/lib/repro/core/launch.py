"""Launch: starts a step in a process whose settings come from one table.

Synopsis:
    python code.pyz launch --run repeat --intra 2 -- train --out …

Hash seed, threads, locale and the like act before Python's first line, so they are set
outside the process that does the work. Both runs start here; the original with no factor
varied, the repeat with every factor varied. `check` lets a step refuse to work otherwise.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from repro.core.errors import UserError

DIRECTORY = "REPRO_DIRECTORY"
"""The folder that a step's relative paths start from, whatever its working directory is."""

FACTORS = "REPRO_FACTORS"
"""The names of the factors that were varied, separated by commas."""

_KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SYSTEMROOT", "CONDA_PREFIX",
    "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "SLURM_JOB_ID",
)  # fmt: skip

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
    "TF_ENABLE_ONEDNN_OPTS": "1",  # the default on x86; written down, since bits depend on it
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # cuBLAS is deterministic only with a fixed workspace
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

_VARIED: Mapping[str, Mapping[str, str]] = {
    # ASSUME: neither of these may change a bit; tests/keras/test_factors.py holds it.
    "hash seed": {"PYTHONHASHSEED": "4242"},
    "time zone": {"TZ": "<+1345>-13:45"},
    "working directory": {},
}

NAMES = tuple(_VARIED)
"""The factors that a repeat varies."""


def settings(run: str, intra: int) -> dict[str, str]:
    """The environment variables that a step of this run must find set.

    Args:
        run: `original` or `repeat`.
        intra: threads within an operation.

    Returns:
        Name and value of each variable.

    Example:
        >>> settings("original", 2)["PYTHONHASHSEED"]
        '0'
    """
    values = {**_SETTINGS, **dict.fromkeys(_THREADS, str(intra))}
    if run == "repeat":
        for variables in _VARIED.values():
            values.update(variables)
    return {**values, FACTORS: ",".join(NAMES if run == "repeat" else ())}


def launch(run: str, intra: int, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by a step of the same program, under the table's settings.

    Args:
        run: `original` or `repeat`.
        intra: threads within an operation.
        arguments: the step and its options.
    """
    here = Path.cwd()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= settings(run, intra) | {DIRECTORY: str(here)}
    program = Path(sys.argv[0]).absolute()
    if run == "repeat":
        os.chdir(tempfile.mkdtemp(prefix="repeat-"))
    os.execve(sys.executable, [sys.executable, str(program), *arguments], environment)


def leave() -> None:
    """Removes the fresh working directory of a repeat, where nothing was left in it."""
    if varied() and DIRECTORY in os.environ:
        fresh = Path.cwd()
        os.chdir(os.environ[DIRECTORY])
        with contextlib.suppress(OSError):
            fresh.rmdir()


def varied() -> tuple[str, ...]:
    """The factors that were varied for this process."""
    return tuple(name for name in os.environ.get(FACTORS, "").split(",") if name)


def path(text: str) -> Path:
    """A path from the command line, starting from the folder where the launcher ran."""
    return Path(os.environ.get(DIRECTORY, "")) / text


def check(run: str, intra: int) -> None:
    """Refuses to work in a process that was not started by `launch`.

    Args:
        run: `original` or `repeat`.
        intra: threads within an operation.

    Raises:
        UserError: a setting is missing or has another value.
    """
    for name, value in settings(run, intra).items():
        if (found := os.environ.get(name)) != value:
            raise UserError(
                f"Expected the environment variable {name} to be {value!r}. Received {found!r}. "
                "Start the step through the workflow, which sets it."
            )
