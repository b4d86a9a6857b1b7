"""Numeric fingerprint: the bits that this process computes from fixed numbers.

Synopsis:
    of_c()["pow"]              # '3f6c…': first digits of the sha256 of the results
    of_numpy()["product"]
    of_tensorflow()["convolution"]

Which kernels a library takes on a processor it seldom tells; what they compute can be looked
at. Where a digest differs, bits do differ; where it does not, nothing is proven.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

_DIGITS = 16
_COUNT = 4096
_ROWS = 2  # few and long: the order in which a kernel adds a long row shows which kernel it is
_EDGE = 2.0**-1022  # the smallest normal number of 64 bits


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _numbers(count: int) -> list[float]:
    """Numbers between -0.5 and 0.5 that every machine computes alike: only integers are used."""
    # Knuth's multiplicative hash; 24 bits fit into a float32 without rounding.
    return [((i * 2654435761 & 0xFFFFFFFF) >> 8) / 2**24 - 0.5 for i in range(1, count + 1)]


def of_c() -> dict[str, str]:
    """Digests of functions of the C library's libm, as Python's `math` calls them."""
    numbers = [4 * number for number in _numbers(256)]
    functions: Mapping[str, Callable[[float], float]] = {
        "exp": math.exp, "sin": math.sin, "tanh": math.tanh,
        "log": lambda x: math.log(abs(x)), "pow": lambda x: math.pow(abs(x), 1.7),
        "lgamma": lambda x: math.lgamma(abs(x)),
    }  # fmt: skip
    return {
        name: _short(struct.pack(f"<{len(numbers)}d", *map(function, numbers)))
        for name, function in functions.items()
    }


def of_numpy() -> dict[str, str]:
    """Digests of NumPy's product (by BLAS), sum and functions, each with kernels of its own."""
    import numpy as np

    rows = np.array(_numbers(_COUNT), np.float32).reshape(_ROWS, -1)
    results = {
        "product": rows @ rows.T,
        "sum": rows.sum(axis=1),
        "exp": np.exp(rows),
        "sin": np.sin(rows.astype(np.float64)),
    }
    return {name: _short(result.tobytes()) for name, result in results.items()}


def of_tensorflow() -> dict[str, str]:
    """Digests of TensorFlow's product, sum, functions and convolution on the CPU.

    Raises:
        LookupError: TensorFlow is not loaded, or has computed nothing so far; to compute now
            would start its devices.
    """
    if "tensorflow" not in sys.modules:
        raise LookupError("this step does not load TensorFlow")
    import tensorflow as tf

    context: Any = importlib.import_module("tensorflow.python.eager.context")
    if not context.context()._initialized:
        raise LookupError("TensorFlow has computed nothing in this step")
    with tf.device("/CPU:0"):
        rows = tf.constant(_numbers(_COUNT), tf.float32, (_ROWS, _COUNT // _ROWS))
        line = tf.reshape(rows, [-1])
        images, kernel = line[:1024], line[:2304]
        results: Mapping[str, Any] = {
            "product": tf.matmul(rows, rows, transpose_b=True),
            "sum": tf.reduce_sum(line),
            "exp": tf.exp(line),
            "tanh": tf.tanh(line),
            "rsqrt": tf.math.rsqrt(line * line),
            "convolution": tf.nn.conv2d(
                tf.reshape(images, (1, 8, 8, 16)), tf.reshape(kernel, (3, 3, 16, 16)), 1, "SAME"
            ),
        }
        return {name: _short(result.numpy().tobytes()) for name, result in results.items()}


def of_floats() -> dict[str, str]:
    """How this thread rounds, and what it does with numbers too small to be normal, in words."""
    (least,) = struct.unpack("<d", (1).to_bytes(8, "little"))
    one, little, most = float(_DIGITS / _DIGITS), 2.0**-60, 0.75 * 2.0**-52
    nearest = one + little == one and -one - little == -one and one + most > one
    return {
        "rounding": "to nearest" if nearest else "in another direction",
        "subnormal results": "kept" if _EDGE / 2 * one != 0 else "flushed to zero",
        "subnormal inputs": "kept" if least * 2.0**60 != 0 else "read as zero",
    }
