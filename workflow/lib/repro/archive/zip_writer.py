"""Container: a zip of which every byte follows from its members' names and contents.

Synopsis:
    with written(path) as zipped:
        kept = put(zipped, "run", blocks(file), size)

Members are stored, under one date and fixed rights, by the standard library's own writer. How one
is read is told in `repro.archive.zip_reader`.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from repro.core.atomic import whole_file
from repro.core.errors import UserError

BLOCK = 2**20
DATE = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = frozenset(["run"])


class Hash(Protocol):
    """As much of a digest as is needed here."""

    def update(self, content: bytes, /) -> None: ...


@dataclass(frozen=True)
class Kept:
    """What a member is: sha256 and number of bytes of its content."""

    sha256: str
    size: int


def blocks(source: IO[bytes]) -> Iterator[bytes]:
    """The content of a file, in blocks, so that no file is ever held in memory."""
    while block := source.read(BLOCK):
        yield block


@contextmanager
def written(path: Path) -> Generator[zipfile.ZipFile]:
    """A new archive to be filled by `put`; it appears whole, or not at all.

    Args:
        path: where it appears.

    Raises:
        UserError: the system refused to write.
    """
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as zipped:
        yield zipped


def put(zipped: zipfile.ZipFile, name: str, content: Iterable[bytes], size: int) -> Kept:
    """Writes one member.

    Args:
        zipped: what `written` gave.
        name: of the member.
        content: its bytes, in blocks.
        size: how many.

    Returns:
        What was written.

    Raises:
        UserError: there were more bytes, or fewer.
    """
    digest, length = hashlib.sha256(), 0
    # Said before, and never by an estimate of Python's, which differs between its versions.
    large = size > zipfile.ZIP64_LIMIT
    with (
        zipped.open(_member(name), "w", force_zip64=large) as target,
        _beside() if size > BLOCK else nullcontext(_at_once) as update,
    ):
        for block in content:
            if (length := length + len(block)) > size:
                break
            hashed = update(digest, block)
            target.write(block)
            hashed()
    if length != size:
        raise UserError(
            f"Expected {size} bytes in {name}. Received {'more' if length > size else length}: it "
            "changed meanwhile. Let it rest, then try again."
        )
    return Kept(digest.hexdigest(), size)


def _at_once(digest: Hash, block: bytes) -> Callable[[], object]:
    digest.update(block)
    return lambda: None


@contextmanager
def _beside() -> Generator[Callable[[Hash, bytes], Callable[[], object]]]:
    """Hashes in another thread, while this one computes the zip's own sum and writes."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda digest, block: pool.submit(digest.update, block).result


def mode(name: str) -> int:
    """The rights of a member, by its name."""
    return 0o755 if name in EXECUTABLE else 0o644


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, DATE)
    member.create_system = 3  # Unix, on every system
    member.external_attr = (stat.S_IFREG | mode(name)) << 16
    return member
