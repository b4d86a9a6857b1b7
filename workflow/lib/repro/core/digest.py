"""Digests: of files, folders, values and arrays; a digest's name carries its method.

Synopsis:
    sha256_file(path)
    sha256_tree(path)
    multilinear64(words)      # what the training graph computes at every step
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.canonical import canonical

STEP_DIGEST = "multilinear64-v1"
BLOCK = 256
"""Words in one row of the step digest; see `multilinear64`."""

_NO_CONTENT = ("__pycache__", ".snakemake_timestamp")
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

UInt64 = npt.NDArray[np.uint64]


def sha256_bytes(content: bytes) -> str:
    """The SHA-256 of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_value(value: Any) -> str:
    """The SHA-256 of a JSON value's canonical text."""
    return sha256_bytes(canonical(value).encode())


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(path: Path) -> Iterator[tuple[str, Path]]:
    """Each file below a folder with its relative name, in the order of the names.

    Links are followed. What Python (`__pycache__`) and Snakemake (`.snakemake_timestamp`)
    leave in a folder is left out: it comes and goes without a change of content.
    """
    names: dict[str, Path] = {}
    for folder, inner, files in os.walk(path, followlinks=True):
        inner[:] = [name for name in inner if name not in _NO_CONTENT]
        for file in (Path(folder, name) for name in files if name not in _NO_CONTENT):
            names[file.relative_to(path).as_posix()] = file
    yield from sorted(names.items())


def sha256_tree(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's names and contents.

    A folder's digest is that of the canonical JSON of `{relative name: sha256}`;
    the order of listing, times and rights play no part.

    Args:
        path: a file or a folder.

    Returns:
        64 hexadecimal digits.
    """
    if path.is_file():
        return sha256_file(path)
    return sha256_value({name: sha256_file(file) for name, file in files_below(path)})


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


def words_of(array: npt.NDArray[Any]) -> UInt64:
    """The array's bytes as little-endian 32-bit words, in 64-bit places.

    Args:
        array: any dtype and shape; the last word is filled with zeros.

    Returns:
        uint64 [ceil(bytes / 4)], each below 2**32.
    """
    content = np.ascontiguousarray(array).tobytes()
    content += bytes(-len(content) % 4)
    return np.frombuffer(content, "<u4").astype(np.uint64)


def multilinear64(words: UInt64) -> int:
    """A 64-bit digest that a training graph computes at every step for next to nothing.

    The words are laid in rows of `BLOCK`. A row's sum of word times key, modulo
    2**64 with odd 64-bit keys, is the multilinear hash of Lemire and Kaser (Strongly
    Universal String Hashing is Fast, 2014): one changed word always changes it, and
    any other fixed change, sign flips and swaps included, is missed with probability
    about 2**-32 over the keys. Each row's sum is mixed with its number by SplitMix64,
    so rows cannot cancel or change places. This is the reference; the graph computes
    the same in `repro.model.traced`.

    Args:
        words: uint64 [n], each below 2**32 (see `words_of`).

    Returns:
        An integer below 2**64; 0 for no words.
    """
    with np.errstate(over="ignore"):
        rows = np.pad(words, (0, -len(words) % BLOCK)).reshape(-1, BLOCK)
        sums = (rows * keys(STEP_DIGEST, BLOCK)).sum(axis=1, dtype=np.uint64)
        places = np.arange(1, len(rows) + 1, dtype=np.uint64) * _GOLDEN
        return int(splitmix64(sums + places).sum(dtype=np.uint64))
