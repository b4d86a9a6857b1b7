"""FarmHash: the digest that a training graph takes of every tensor at every step.

Synopsis:
    farmhash64(array[None])[0]

The graph takes it in `repro.model.instrumented_step`, by an operation of TensorFlow's own, which
reads about as fast as memory gives. This is its definition without TensorFlow: Fingerprint64 of
FarmHash (Pike, 2014), whose values are promised never to change.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from repro.core.seeding import UInt64

_K0, _K1, _K2 = map(np.uint64, (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_Bytes = npt.NDArray[np.uint8]


def _number(value: int) -> np.uint64:
    return np.uint64(value % 2**64)


def _words(content: _Bytes, place: int, count: int = 1, size: int = 8) -> Any:
    """`count` little-endian words of `size` bytes from a place on, as uint64 [count, rows]."""
    part = np.ascontiguousarray(content[:, place : place + count * size])
    return part.view(f"<u{size}").astype(np.uint64).T


def _rotated(words: Any, bits: int) -> Any:
    return (words >> np.uint64(bits)) | (words << np.uint64(64 - bits))


def _folded(words: Any) -> Any:
    return words ^ (words >> np.uint64(47))


def _joined(u: Any, v: Any, factor: Any) -> Any:
    once = _folded((u ^ v) * factor)
    return _folded((v ^ once) * factor) * factor


def _up_to_16(content: _Bytes, size: int) -> Any:
    factor = _K2 + _number(2 * size)
    if size >= 8:
        (first,), (last,) = _words(content, 0), _words(content, size - 8)
        a = first + _K2
        return _joined(_rotated(last, 37) * factor + a, (_rotated(a, 25) + last) * factor, factor)
    if size >= 4:
        (first,), (last,) = _words(content, 0, 1, 4), _words(content, size - 4, 1, 4)
        return _joined((first << np.uint64(3)) + _number(size), last, factor)
    if size == 0:
        return np.full(len(content), _K2)
    first, middle, last = (_words(content, n, 1, 1)[0] for n in (0, size >> 1, size - 1))
    y = first + (middle << np.uint64(8))
    z = (last << np.uint64(2)) + _number(size)
    return _folded(y * _K2 ^ z * _K0) * _K2


def _up_to_64(content: _Bytes, size: int) -> Any:
    factor = _K2 + _number(2 * size)
    first, second = _words(content, 0, 2)
    before, last = _words(content, size - 16, 2)
    a = first * (_K1 if size <= 32 else _K2)
    c = last * factor
    y = _rotated(a + second, 43) + _rotated(c, 30) + before * _K2
    z = _joined(y, a + _rotated(second + _K2, 18) + c, factor)
    if size <= 32:
        return z
    third, fourth = _words(content, 16, 2)
    low, high = _words(content, size - 32, 2)
    e, g, h = third * factor, (y + low) * factor, (z + high) * factor
    return _joined(
        _rotated(e + fourth, 43) + _rotated(g, 30) + h, e + _rotated(fourth + a, 18) + g, factor
    )


def _pair(words: Any, a: Any, b: Any) -> tuple[Any, Any]:
    a = a + words[0]
    both = a + words[1] + words[2]
    return both + words[3], _rotated(b + a + words[3], 21) + a + _rotated(both, 44)


def _beyond_64(content: _Bytes, size: int) -> Any:
    zero = np.zeros(len(content), np.uint64)
    y = zero + _number(81 * int(_K1) + 113)
    x, z = _words(content, 0)[0] + 81 * _K2, _folded(y * _K2 + _number(113)) * _K2
    v, w = (zero, zero), (zero, zero)

    def mixed(words: Any, factor: Any, more: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotated(x + y + v[0] + words[1], 37) * factor ^ w[1] * _number(more)
        y = _rotated(y + v[1] + words[6], 42) * factor + v[0] * _number(more) + words[5]
        z = _rotated(z + w[0], 33) * factor
        v = _pair(words[:4], v[1] * factor, x + w[0])
        w = _pair(words[4:], z + w[1], y + words[2])
        x, z = z, x

    for place in range(0, (size - 1) // 64 * 64, 64):
        mixed(_words(content, place, 8), _K1, 1)
    factor = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w = (w[0] + _number((size - 1) % 64), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    mixed(_words(content, size - 64, 8), factor, 9)
    left = _joined(v[0], w[0], factor) + _folded(y) * _K0 + z
    return _joined(left, _joined(v[1], w[1], factor) + x, factor)


def farmhash64(rows: npt.NDArray[Any]) -> UInt64:
    """FarmHash's Fingerprint64 of each row's bytes.

    Tested, not proven: what differs between two runs (a bit, signs, negative zeros, places, last
    digits) gets one digest no more often than 64 random bits would. Who knows the method can
    do it on purpose: 15 chosen signs of 80 floats cancel. So the SHA-256 of all weights at each
    epoch's end stands beside the steps' digests in a trace.

    Args:
        rows: any dtype, [rows, ...].

    Returns:
        uint64 [rows].

    Example:
        >>> hex(farmhash64(np.array([[1.0, 2.0]], np.float32))[0])
        '0x9aed310a24a4b2df'
    """
    size = rows[:1].nbytes
    content = np.frombuffer(np.ascontiguousarray(rows).tobytes(), np.uint8)
    content = content.reshape(len(rows), size)
    method = _up_to_16 if size <= 16 else _up_to_64 if size <= 64 else _beyond_64
    with np.errstate(over="ignore"):
        return method(content, size)
