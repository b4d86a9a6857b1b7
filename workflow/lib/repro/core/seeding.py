"""Seeding: every random stream has a name, and its seed is a hash of (root seed, name).

Synopsis:
    seeds = Seeds(0)
    seeds("dropout")                         # an integer, the same in every process
    step_seeds(0, epoch=3, steps=23)         # int32 [23, 2], for `augment`

An unrelated edit, another order of calls or a resumed run shifts no stream.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repro.core.digest import sha256_bytes, sha256_value

METHOD = "sha256-stream-v1"
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

UInt64 = npt.NDArray[np.uint64]


def stream_seed(root: int, name: str) -> int:
    """The seed of a named stream, below 2**31: Python, NumPy, Keras and TensorFlow take it."""
    return int(sha256_value([METHOD, root, name])[:8], 16) & 0x7FFFFFFF


@dataclass(frozen=True)
class Seeds:
    """What `dataset` and `model` receive: `seeds(name)` is the seed of that stream."""

    root: int

    def __call__(self, name: str) -> int:
        """See `stream_seed`."""
        return stream_seed(self.root, name)


def step_seeds(root: int, epoch: int, steps: int) -> npt.NDArray[np.int32]:
    """The seeds that `augment` receives in one epoch, a function of (root, epoch, step).

    int32 [steps, 2], as TensorFlow's stateless ops take them; `epoch` counts from 0.
    """
    start = keys(f"augment/{METHOD}/{root}/{epoch}", 1)
    with np.errstate(over="ignore"):
        words = splitmix64(start + np.arange(steps, dtype=np.uint64))
    return words.astype("<u8").view("<i4").reshape(steps, 2).astype(np.int32)


def splitmix64(words: UInt64) -> UInt64:
    """The finaliser of SplitMix64, a bijection of 64-bit words (Steele et al., OOPSLA 2014)."""
    words = (words ^ (words >> np.uint64(30))) * _MIX[0]
    words = (words ^ (words >> np.uint64(27))) * _MIX[1]
    return words ^ (words >> np.uint64(31))


def keys(name: str, count: int) -> UInt64:
    """`count` fixed odd 64-bit keys, drawn from the name by SplitMix64.

    The name says what they are for; other names give unrelated keys.
    """
    start = np.uint64(int(sha256_bytes(name.encode())[:16], 16))
    with np.errstate(over="ignore"):
        return splitmix64(start + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN) | np.uint64(1)
