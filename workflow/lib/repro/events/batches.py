"""Batches: what `fit` takes from its dataset, where no line of Python sees the batches.

Synopsis:
    marked = with_digest(dataset, forget)      # None where it cannot be had
    digest_of(iterator)                        # the variable with the digest so far, or None
    want_rows(marked, wanted=True)                 # from the next batch on, also:
    rows_in(marked)                            # the variable with digests of some examples

The last step of the pipeline gets one more behind it, which hands each batch on as it is and takes
the digest of all that passed in this epoch, by TensorFlow's own FarmHash64. The user's graph of the
training stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_MARK, _ROWS_MARK, _WANTED_MARK = "_repro_digest", "_repro_rows", "_repro_rows_wanted"
_ROWS = 16
"""Of each batch, so many first examples have a digest of their own."""


def with_digest(dataset: Any, forget: Callable[[Any], None]) -> Any:
    """The same batches, as a dataset that notes them; None for what is no plain `tf.data`.

    Args:
        forget: called with each variable made for it, which is none of the user's.
    """
    import tensorflow as tf

    map_op: Any = import_module("tensorflow.python.data.ops.map_op")
    if not isinstance(dataset, tf.data.Dataset):
        return None
    with tf.device("CPU:0"):
        state = tf.Variable(tf.zeros([8], tf.uint8), trainable=False, name="batches")
        single = tf.Variable(
            tf.zeros([0, 8], tf.uint8), trainable=False, name="rows", shape=[None, 8]
        )
        wanted = tf.Variable(0, trainable=False, name="rows_wanted")
    for made in (state, single, wanted):
        forget(made)
    whole = isinstance(dataset.element_spec, tuple)
    first: Any = next(iter(tf.nest.flatten(dataset.element_spec)), None)
    has_rows = isinstance(first, tf.TensorSpec) and bool(first.shape.rank)

    @tf.autograph.experimental.do_not_convert
    def noted(*parts: Any) -> Any:
        tensors = tf.nest.flatten(parts, expand_composites=True)
        rows = [tf.reshape(row, [-1]) for row in map(_bytes, tensors) if row is not None]
        so_far = tf.reshape(tf.concat([state.read_value(), *rows], 0), [1, -1])
        digest = tf.raw_ops.Fingerprint(data=so_far, method="farmhash64")
        writing = [state.assign(digest[0])]
        if has_rows:
            writing.append(single.assign(_by_row(tf.nest.flatten(parts)[0], wanted)))
        with tf.control_dependencies(writing):
            same = tf.nest.map_structure(tf.identity, parts, expand_composites=True)
        return same if whole else same[0]

    # In the thread that asks: handing so little to others takes longer than doing it.
    marked: Any = map_op._MapDataset(dataset, noted, use_inter_op_parallelism=False)
    options = tf.data.Options()
    # Nothing may run ahead of the training: the digest is read after each step.
    options.experimental_optimization.inject_prefetch = False
    marked = marked.with_options(options)
    if marked.element_spec != dataset.element_spec:
        return None
    setattr(marked, _MARK, state)
    setattr(marked, _ROWS_MARK, single)
    setattr(marked, _WANTED_MARK, wanted)
    return marked


def _by_row(tensor: Any, wanted: Any) -> Any:
    """Digests of so many first examples of a batch."""
    import tensorflow as tf

    some = tensor[:wanted]
    if tensor.dtype == tf.string:  # of which each text has a digest, whatever the shape
        count = tf.shape(some)[0]
        some = tf.reshape(_bytes(some), [count, tf.size(some) // tf.maximum(count, 1) * 8])
    return tf.raw_ops.Fingerprint(data=some, method="farmhash64")


def _bytes(tensor: Any) -> Any:
    """A tensor as bytes; None for what has none, such as handles."""
    import tensorflow as tf

    if tensor.dtype in (tf.variant, tf.resource):
        return None
    if tensor.dtype == tf.string:
        return tf.raw_ops.Fingerprint(data=tf.reshape(tensor, [-1]), method="farmhash64")
    if tensor.dtype == tf.bool:
        return tf.cast(tensor, tf.uint8)
    return tensor if tensor.dtype == tf.uint8 else tf.bitcast(tensor, tf.uint8)


def digest_of(iterator: Any) -> Any:
    """The variable that holds the digest of what this iterator has given so far, or None."""
    return digest_in(getattr(iterator, "_dataset", None))


def digest_in(dataset: Any) -> Any:
    """The variable that belongs to a dataset of `with_digest`; None for any other."""
    return getattr(dataset, _MARK, None)


def rows_in(dataset: Any) -> Any:
    """The variable with digests of the first examples in the last batch; none, in odd batches."""
    return getattr(dataset, _ROWS_MARK)


def want_rows(dataset: Any, *, wanted: bool) -> None:
    """Says whether some examples of each batch to come are wanted, which takes time."""
    getattr(dataset, _WANTED_MARK).assign(_ROWS if wanted else 0)
