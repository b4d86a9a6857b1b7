"""Determinism: seeds, threads and deterministic operations, set first and then checked.

Synopsis:
    settings = begin(seed, Threads(intra=2, inter=1))
    begin_when_imported(seed, threads)      # the same, as soon as TensorFlow is imported, if ever

To be called before anything of TensorFlow has run: threads cannot be changed later.
"""

from __future__ import annotations

import gc
import importlib.util
import random
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from repro.core.errors import UserError
from repro.core.parameters import Threads


@dataclass(frozen=True)
class Settings:
    """What was found set after `begin`, not what was asked for."""

    op_determinism: bool
    intra: int
    inter: int
    xla: bool
    tf32: bool


def found() -> Settings | None:
    """What TensorFlow reports to be set; None where it is not loaded."""
    if "tensorflow" not in sys.modules:
        return None

    import tensorflow as tf
    from tensorflow.python.framework import config

    return Settings(
        op_determinism=bool(config.is_op_determinism_enabled()),
        intra=int(tf.config.threading.get_intra_op_parallelism_threads()),
        inter=int(tf.config.threading.get_inter_op_parallelism_threads()),
        xla=bool(tf.config.optimizer.get_jit()),
        tf32=bool(tf.config.experimental.tensor_float_32_execution_enabled()),
    )


def begin(seed: int, threads: Threads) -> Settings:
    """Seeds every global generator, fixes the threads and turns op determinism on.

    The seed, below 2**31, goes to Python's `random`, NumPy, TensorFlow and Keras
    (`keras.utils.set_random_seed`), so that also what the user's code draws without a seed of its
    own is the same in every process. Returns the settings as TensorFlow reports them.

    Raises:
        UserError: TensorFlow did not take a setting.
    """
    with _here_to_stay():
        import keras
        import tensorflow as tf

    keras.utils.set_random_seed(seed)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads.intra)
        tf.config.threading.set_inter_op_parallelism_threads(threads.inter)
    except RuntimeError as error:
        raise UserError(
            "Expected to set TensorFlow's threads before it starts. Received a TensorFlow that has "
            "started. Start each step in a process of its own, through the workflow."
        ) from error
    tf.config.experimental.enable_op_determinism()
    # ASSUME: float32 products are rounded alike in every run once TF32 is off or on for all;
    # off, because its rounding differs between generations of GPUs.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    wanted = Settings(True, threads.intra, threads.inter, xla=False, tf32=False)
    if (received := found()) != wanted:
        raise UserError(
            f"Expected TensorFlow to run with {wanted}. Received {received}. Report this."
        )
    return wanted


@contextmanager
def _here_to_stay() -> Generator[None]:
    """Keeps the garbage collector from what is made meanwhile: modules by the thousand, for good.

    It would look through all of it dozens of times during the import, and again whenever Keras
    clears a session: a fifth of the time of a short step.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def begin_when_imported(seed: int, threads: Threads) -> None:
    """Seeds Python and NumPy now, and does what `begin` does once Keras or TensorFlow is imported.

    The draws from Python's and NumPy's generators go on as if nothing had been imported.
    """
    random.seed(seed)
    np.random.seed(seed)

    def imported() -> None:
        states = random.getstate(), np.random.get_state()
        begin(seed, threads)
        random.setstate(states[0])
        np.random.set_state(states[1])

    sys.meta_path.insert(0, _Awaiting(imported))


class _Awaiting(MetaPathFinder, Loader):
    """Lets the first import of Keras or TensorFlow import both, and then do something."""

    def __init__(self, imported: Callable[[], None]) -> None:
        self._imported = imported

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name not in ("keras", "tensorflow"):
            return None
        sys.meta_path.remove(self)
        self._imported()
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self._own = sys.modules[spec.name].__spec__
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own
