"""SplitMix: names and numbers mixed into words that look random.

Synopsis:
    keys("order", 4)
    splitmix64(words)
"""

import numpy as np
import numpy.typing as npt

from repro.core.digest import sha256_bytes

_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

UInt64 = npt.NDArray[np.uint64]


def splitmix64(words: UInt64) -> UInt64:
    """The finaliser of SplitMix64, a bijection of 64-bit words (Steele et al., OOPSLA 2014).

    Args:
        words: uint64, any shape.

    Returns:
        uint64, the same shape.
    """
    words = (words ^ (words >> np.uint64(30))) * _MIX[0]
    words = (words ^ (words >> np.uint64(27))) * _MIX[1]
    return words ^ (words >> np.uint64(31))


def keys(name: str, count: int) -> UInt64:
    """`count` fixed odd 64-bit keys, drawn from the name by SplitMix64.

    Args:
        name: what the keys are for; other names give unrelated keys.
        count: how many.

    Returns:
        uint64 [count], all odd.
    """
    start = np.uint64(int(sha256_bytes(name.encode())[:16], 16))
    with np.errstate(over="ignore"):
        return splitmix64(start + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN) | np.uint64(1)
