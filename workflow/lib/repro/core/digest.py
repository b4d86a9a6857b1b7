"""Digests: of files, folders and values; a digest's name carries its method.

Synopsis:
    sha256_file(path)
    sha256_tree(path)
    sha256 = HashedOnce()
    sha256(path), sha256_files(folder, sha256)      # each file is read once while it stays the same

Standard library alone, so that results can be checked where nothing is installed.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from repro.core.canonical_json import canonical

STEP_DIGEST = "farmhash64-v1"
"""How a tensor is digested at every step: Fingerprint64 of FarmHash."""

SETTLED = 2 * 10**9
"""In nanoseconds, how long ago a file was written whose times tell that nobody wrote it since."""

_NO_CONTENT = ("__pycache__", ".snakemake_timestamp")


def sha256_bytes(content: bytes) -> str:
    """The SHA-256 of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_variable(value: str) -> str:
    """`sha256:` and that of an environment variable's bytes, as `printf %s "$NAME" | sha256sum`."""
    return f"sha256:{sha256_bytes(os.fsencode(value))}"


def sha256_value(value: Any) -> str:
    """The SHA-256 of a JSON value's canonical text."""
    return sha256_bytes(canonical(value).encode())


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


Sha256 = Callable[[Path], str]
"""Gives the SHA-256 of a file's bytes."""


class HashedOnce:
    """Gives the SHA-256 of files; reads one again only where it may have changed in between.

    A file has stayed the same while device, inode, size and both times are the same: no write,
    rename or link leaves all of them, and the time of the last change cannot be set. One that was
    written a moment ago is read each time, since the next write may have the same time.
    """

    # ASSUME: what opens a file sees its times as of now (a local disk, NFS), and the clock that
    # gives them ticks every two seconds or faster. tests/unit/test_digest.py

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def __call__(self, path: Path) -> str:
        with path.open("rb") as file:
            now, state = time.time_ns(), _state(file)
            if state in self._known:
                return self._known[state]
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            *_, written = state
            if _state(file) == state and now - written > SETTLED:
                self._known[state] = digest
            return digest


def _state(file: IO[bytes]) -> tuple[int, ...]:
    # Of the open file, and so never what a varied `os.stat` says.
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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


def sha256_files(path: Path, sha256: Sha256 = sha256_file) -> dict[str, str]:
    """The SHA-256 of each file below a folder, by its relative name."""
    return {name: sha256(file) for name, file in files_below(path)}


def sha256_tree(path: Path, sha256: Sha256 = sha256_file) -> str:
    """The SHA-256 of a file, or of a folder's names and contents.

    A folder's digest is that of the canonical JSON of `sha256_files`; the order of listing, times
    and rights play no part.
    """
    if path.is_file():
        return sha256(path)
    return sha256_value(sha256_files(path, sha256))
