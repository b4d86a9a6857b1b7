"""Zip writer: a zip of which every byte follows from its members' names and contents.

Synopsis:
    with written(path) as zipped:
        member = put(zipped, "run", blocks(file), size)
    refuse_odd(["run", "results/code.pyz"])          # or one sentence that names the first

Members are stored, under one date and fixed rights, by the standard library's own writer;
`repro.archive.zip_reader` reads one. The rules for names are the same for whoever writes and
whoever reads: two names that some file system takes for one (other case, other Unicode form)
are refused on every system.
"""

from __future__ import annotations

import hashlib
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from repro.core.atomic import whole_file
from repro.core.errors import UserError

BLOCK = 2**20
DATE = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = frozenset(["run"])
LONGEST_PART, LONGEST = 255, 1000  # bytes in UTF-8
DEEPEST = 30
"""Parts of a name: every folder of every name is looked at, so depth costs most."""


class Hash(Protocol):
    """As much of a digest as is needed here."""

    def update(self, content: bytes, /) -> None: ...


@dataclass(frozen=True)
class StoredMember:
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

    Raises:
        UserError: the system refused to write.
    """
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as zipped:
        yield zipped


def put(zipped: zipfile.ZipFile, name: str, content: Iterable[bytes], size: int) -> StoredMember:
    """Writes one member of so many bytes, given in blocks.

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
    return StoredMember(digest.hexdigest(), size)


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


def odd(name: str) -> str | None:
    """Why a path from an archive's top may not be a file's name in it, in a few words.

    None if it may. Parts are separated by `/`.
    """
    parts = name.split("/")
    if name.startswith("/"):
        return "starts at the root of the disk"
    if ".." in parts:
        return "leads out of the folder"
    if "\\" in name or ":" in name:
        return "has a backslash or a colon, which some systems read as a path"
    if not name.isprintable():
        return "has characters that cannot be shown"
    if "" in parts or "." in parts:
        return "is no plain path of a file"
    if unicodedata.normalize("NFC", name) != name:
        return "is not in Unicode's normal form NFC"
    if len(name.encode()) > LONGEST or max(len(part.encode()) for part in parts) > LONGEST_PART:
        return "is too long"
    if len(parts) > DEEPEST:
        return f"lies more than {DEEPEST - 1} folders deep"
    return None


def refuse_odd(names: Iterable[str]) -> None:
    """Refuses names that lead elsewhere, and two that some file system takes for one.

    Raises:
        UserError: names the first.
    """
    spelt: dict[str, str] = {}
    files: set[str] = set()
    below: dict[str, str] = {}
    for name in names:
        if why := odd(name):
            raise UserError(
                f"Expected file names that mean the same on every system. Received {name!a}, "
                f"which {why}. Rename that file."
            )
        path = PurePosixPath(name)
        for part in (path, *path.parents[:-1]):
            folded = _folded(str(part))
            if (first := spelt.setdefault(folded, str(part))) != str(part):
                raise _twice(f"{str(part)!a} and {first!a}, which are one place on some systems")
            if part is not path:
                below[folded] = name
        if (folded := _folded(name)) in files:
            raise _twice(f"{name!a} twice")
        files.add(folded)
    if inside := next((folder for folder in below if folder in files), None):
        raise _twice(f"{below[inside]!a} below {spelt[inside]!a}, which is a file")


def _twice(what: str) -> UserError:
    return UserError(f"Expected each file of an archive once. Received {what}. Rename one of them.")


def _folded(name: str) -> str:
    # Twice: folding can make characters that the normal form joins, and the other way round.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
