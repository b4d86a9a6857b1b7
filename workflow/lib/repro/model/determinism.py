"""Determinism: seeds, threads and deterministic operations, set first and then checked.

Synopsis:
    settings = begin(seed, Threads(intra=2, inter=1))

To be called before anything of TensorFlow has run: threads cannot be changed later.
"""

from __future__ import annotations

from dataclasses import dataclass

from repro.core.config import Threads
from repro.core.errors import UserError


@dataclass(frozen=True)
class Settings:
    """What was found set after `begin`, not what was asked for."""

    op_determinism: bool
    intra: int
    inter: int
    xla: bool
    tf32: bool


def _found() -> Settings:
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

    The seed goes to Python's `random`, NumPy, TensorFlow and Keras
    (`keras.utils.set_random_seed`), so that also what the user's code draws without
    a seed of its own is the same in every process.

    Args:
        seed: an integer below 2**31, see `repro.core.seeding`.
        threads: thread counts from the configuration.

    Returns:
        The settings as TensorFlow reports them.

    Raises:
        UserError: TensorFlow did not take a setting.
    """
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
    found = _found()
    wanted = Settings(True, threads.intra, threads.inter, xla=False, tf32=False)
    if found != wanted:
        raise UserError(f"Expected TensorFlow to run with {wanted}. Received {found}. Report this.")
    return found
