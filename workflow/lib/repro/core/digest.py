"""Digests: of files, folders, values and arrays; a digest's name carries its method.

Synopsis:
    sha256_file(path)
    sha256_tree(path)
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.canonical import canonical

STEP_DIGEST = "farmhash64-v1"
"""How a tensor is digested at every step: `repro.core.farmhash`."""

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


def sha256_files(path: Path) -> dict[str, str]:
    """The SHA-256 of each file below a folder, by its relative name."""
    return {name: sha256_file(file) for name, file in files_below(path)}


def sha256_tree(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's names and contents.

    A folder's digest is that of the canonical JSON of `sha256_files`; the order of listing, times
    and rights play no part.

    Args:
        path: a file or a folder.

    Returns:
        64 hexadecimal digits.
    """
    if path.is_file():
        return sha256_file(path)
    return sha256_value(sha256_files(path))


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
