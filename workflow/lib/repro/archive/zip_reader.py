"""Zip reader: an archive is read only if it is, byte by byte, what the writer would have written.

Synopsis:
    with opened(path) as archive:
        archive.kept["run"].sha256
        archive.read("run")

A reader writes the archive again, by the same writer, into a comparison with what is there: so
there is no field, gap or tail that anybody could use. Standard library alone.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from repro.archive.zip_writer import StoredMember, blocks, odd, put, refuse_odd
from repro.core.errors import UserError

MOST_MEMBERS = 100_000
LARGEST_DIRECTORY = 32 * 2**20
LARGEST_READ = 64 * 2**20
"""In bytes: of the list of members, and of a member that is held in memory."""
LONGEST_SHOWN = 2_000
AGAIN = "Get it again from where it was published."

Told = Callable[[int], object]


def untold(_: int) -> None:
    """For whoever wants to hear of no progress."""


@dataclass(frozen=True)
class Archive:
    """An archive that is in order: its members in their order, and how to read one."""

    zipped: zipfile.ZipFile
    kept: Mapping[str, StoredMember]

    def blocks(self, name: str, told: Told = untold) -> Iterator[bytes]:
        """A member's content, refused at its end if it is no longer what it was."""
        digest = hashlib.sha256()
        with sentences(), self.zipped.open(name) as source:
            for block in blocks(source):
                digest.update(block)
                told(len(block))
                yield block
        if digest.hexdigest() != self.kept[name].sha256:
            raise UserError(f"Expected {name} to stay as it was. Received other bytes. {AGAIN}")

    def read(self, name: str) -> bytes:
        """A small member's content.

        Raises:
            UserError: it is larger than what anyone should hold in memory.
        """
        if (size := self.kept[name].size) > LARGEST_READ:
            raise UserError(
                f"Expected at most {LARGEST_READ} bytes in {name}. Received {size}. {AGAIN}"
            )
        return b"".join(self.blocks(name))


@contextmanager
def opened(path: Path, told: Told = untold) -> Generator[Archive]:
    """An archive, read once from its first byte to its last, and refused unless it is in order.

    `told` hears how many bytes were read, block by block.

    Raises:
        UserError: it is no zip, or one that the writer would not have written.
    """
    refuse_unreadable(path)
    with path.open("rb") as file, path.open("rb") as beside:
        with sentences():
            zipped = zipfile.ZipFile(careful(file))
        with zipped:
            with sentences():
                _refuse_members(zipped.infolist(), os.fstat(file.fileno()).st_size)
                members = _written_again(zipped, beside, told)
            yield Archive(zipped, members)


def refuse_unreadable(path: Path) -> None:
    """Refuses what is no file or cannot be opened, before anything waits for a pipe.

    Raises:
        UserError: there is none that can be read.
    """
    try:
        if path.is_file():
            path.open("rb").close()
            return
        why = "no file there"
    except OSError as error:
        why = f"from the system: {error.strerror}"
    raise UserError(f"Expected an archive at {path}. Received {why}. Correct the path.")


@contextmanager
def sentences() -> Generator[None]:
    """Turns whatever a damaged archive makes the standard library raise into one sentence."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise _refusal(str(error) or "it ends early") from error
    except (OSError, ValueError, OverflowError, struct.error) as error:  # places outside the file
        raise _refusal(f"{type(error).__name__}: {error}") from error


def _refusal(what: str) -> UserError:
    return UserError(f"Expected a whole archive of this workflow. Received: {shown(what)}. {AGAIN}")


def shown(what: str) -> str:
    """What an archive says, without what would move a terminal's cursor, colour it or fill it."""
    what = what if len(what) <= LONGEST_SHOWN else f"{what[:LONGEST_SHOWN]}…"
    return what if what.isprintable() else ascii(what)


def _written_again(
    zipped: zipfile.ZipFile, beside: IO[bytes], told: Told
) -> dict[str, StoredMember]:
    """Writes the archive again into a comparison with itself."""
    members: dict[str, StoredMember] = {}
    compared = _Compared(beside)
    with zipfile.ZipFile(cast("IO[bytes]", compared), "w") as again:
        for info in zipped.infolist():
            with zipped.open(info) as source:
                content = heard(blocks(source), told)
                members[info.filename] = put(again, info.filename, content, info.file_size)
            compared.refuse_differences(info.filename)
    compared.refuse_differences("the list of its members")
    if beside.seek(0, os.SEEK_END) != compared.place:
        raise _refusal("there is more behind its end")
    return members


def heard(content: Iterable[bytes], told: Told) -> Iterator[bytes]:
    """The same blocks, each told by its size as it is taken."""
    for block in content:
        told(len(block))
        yield block


def _refuse_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """What can be told of the members before any is read, in words better than "other bytes"."""
    if len(members) > MOST_MEMBERS:
        raise _refusal(f"{len(members)} members where {MOST_MEMBERS} are the most")
    for info in members:
        if what := _odd_member(info):
            raise _refusal(f"{info.orig_filename!a}, which {what}")
    refuse_odd(info.filename for info in members)
    if (total := sum(info.file_size for info in members)) > size:
        raise _refusal(f"members of {total} bytes in a file of {size}")


def _odd_member(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if why := odd(info.orig_filename.rstrip("/")):
        return why
    if kind != stat.S_IFREG or info.is_dir():
        return {stat.S_IFLNK: "is a link"}.get(kind, "is no plain file")
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.compress_type != zipfile.ZIP_STORED:
        return "is compressed, where every member is stored"
    return None


def careful(file: IO[bytes]) -> IO[bytes]:
    """A file from which nobody can be made to read gigabytes at once."""
    return cast("IO[bytes]", _Careful(file))


class _Careful(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise _refusal(f"a list of members of {size} bytes")
        return self._file.read(LARGEST_DIRECTORY if size < 0 else size)


class _Compared:
    """Takes what a writer writes, and keeps where that differs from what is there already."""

    def __init__(self, there: IO[bytes]) -> None:
        self._there, self.place = there, 0
        self._odd: set[int] = set()

    def write(self, content: Any) -> int:
        """Compares; a writer that returns to a place to correct it is taken by its last word."""
        content = bytes(content)
        self._there.seek(self.place)
        same = self._there.read(len(content)) == content
        (self._odd.discard if same else self._odd.add)(self.place)
        self.place += len(content)
        return len(content)

    def refuse_differences(self, what: str) -> None:
        """Refuses as soon as a member is through, so that no more is read of a wrong one."""
        if self._odd:
            raise _refusal(f"other bytes than this workflow writes, at {what}")

    def tell(self) -> int:
        return self.place

    def seek(self, place: int) -> int:
        self.place = place
        return place

    def flush(self) -> None:
        """Nothing is held back."""
