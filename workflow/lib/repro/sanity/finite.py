"""Finite: where NaN and infinity stand among results.

Synopsis:
    nonfinite({"x": array})            # {"x": 3}, numbers that are not finite; {} where all are
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 4096


def nonfinite(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
    """How many numbers of each array are NaN or infinite; arrays of finite ones are left out.

    Example:
        >>> nonfinite({"x": np.array([1.0, np.nan, -np.inf]), "y": np.array([1, 2])})
        {'x': 2}
    """
    counts = {name: _count(array) for name, array in arrays.items() if array.dtype.kind in "fc"}
    return {name: count for name, count in counts.items() if count}


def _count(array: npt.NDArray[Any]) -> int:
    # In pieces: an array that is mapped into memory may be larger than it.
    rows = np.atleast_1d(array)
    pieces = (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
    return sum(int(np.count_nonzero(~np.isfinite(piece))) for piece in pieces)
