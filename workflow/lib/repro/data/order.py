"""Order: a fresh permutation of the examples in every epoch, by a keyed bijection.

Synopsis:
    order(seed=0, epoch=3, size=1437)      # int64 [1437]

A Feistel network over the next even power of two, walked along its cycles until it
lands below `size` (Black and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA
2002). It is a function of (seed, epoch, size) alone: resuming or more workers shift nothing.
"""

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


def order(seed: int, epoch: int, size: int) -> Int64:
    """The order in which an epoch visits the examples: int64, a permutation of `size`.

    Every epoch, from 0, has an order of its own.
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    round_keys = keys(f"{METHOD}/{seed}/{epoch}/{size}", _ROUNDS)
    with np.errstate(over="ignore"):
        values = _encipher(np.arange(size, dtype=np.uint64), half, round_keys)
        while (outside := values >= np.uint64(size)).any():
            values[outside] = _encipher(values[outside], half, round_keys)
    return values.astype(np.int64)
