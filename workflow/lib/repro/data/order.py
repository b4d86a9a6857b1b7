"""Order: a fresh permutation of the examples in every epoch, by a keyed bijection.

Synopsis:
    order(seed=0, epoch=3, size=1437)                    # int64 [1437]
    order(seed=0, epoch=3, size=1437, places=[5, 6])     # only those two

A Feistel network over the next even power of two, walked along its cycles until it
lands below `size` (Black and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA
2002). Each place is computed by itself, so an order needs no memory, and it is a
function of (seed, epoch, size) alone: resuming or more workers shift nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.seeding import UInt64, keys, splitmix64

METHOD = "feistel-splitmix64-v1"
_ROUNDS = 8

Int64 = npt.NDArray[np.int64]


def _encipher(values: UInt64, half: int, round_keys: UInt64) -> UInt64:
    shift, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> shift, values & mask
    for key in round_keys:
        left, right = right, left ^ (splitmix64(right + key) & mask)
    return (left << shift) | right


def order(
    seed: int,
    epoch: int,
    size: int,
    places: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None,
) -> Int64:
    """The examples to be visited at some places (by default all) of an epoch.

    Args:
        seed: the root seed of training.
        epoch: from 0; every epoch has an order of its own.
        size: the number of examples.
        places: which places of the epoch, each from 0 to `size` - 1.

    Returns:
        int64, one index for each place; over all places, a permutation of `size`.

    Raises:
        ValueError: a place outside the epoch.

    Example:
        >>> sorted(order(0, 0, 5).tolist())
        [0, 1, 2, 3, 4]
    """
    values = np.arange(size) if places is None else np.asarray(places)
    if values.size and not (values.min() >= 0 and values.max() < size):
        raise ValueError(f"Expected places from 0 to {size - 1}. Received {places}.")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    round_keys = keys(f"{METHOD}/{seed}/{epoch}/{size}", _ROUNDS)
    with np.errstate(over="ignore"):
        values = _encipher(values.astype(np.uint64), half, round_keys)
        while (outside := values >= np.uint64(size)).any():
            values[outside] = _encipher(values[outside], half, round_keys)
    return values.astype(np.int64)
