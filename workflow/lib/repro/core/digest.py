"""Digests: of files, folders and values; a digest's name carries its method.

Synopsis:
    sha256_file(path)
    sha256_tree(path)

Standard library alone, so that results can be checked where nothing is installed.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repro.core.canonical_json import canonical

STEP_DIGEST = "farmhash64-v1"
"""How a tensor is digested at every step: Fingerprint64 of FarmHash."""

_NO_CONTENT = ("__pycache__", ".snakemake_timestamp")


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
    """
    if path.is_file():
        return sha256_file(path)
    return sha256_value(sha256_files(path))
