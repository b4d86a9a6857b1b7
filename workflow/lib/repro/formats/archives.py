"""Archives: zip, tar and compressed files, by member; times, rights and owners play no part.

Synopsis:
    compare_zip(findings, Path("first/a.zip"), Path("second/a.zip"), compare)
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, TypeVar

from repro.formats.findings import FileComparison, FileFindings

Compare = Callable[[Path, Path, str], FileComparison]
"""Compares two files that were unpacked, under a member's name."""

_BLOCK = 1 << 20
_COMPRESSED: Mapping[str, Callable[[Path], Any]] = {
    "gz": gzip.GzipFile,
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_Member = TypeVar("_Member")

DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
"""What the standard library raises, besides ValueError and OSError, for archives it cannot read."""


def compare_zip(findings: FileFindings, left: Path, right: Path, compare: Compare) -> None:
    """Compares two zip files by member."""
    with zipfile.ZipFile(left) as one, zipfile.ZipFile(right) as other:
        members = [_named(file.infolist(), lambda info: info.filename) for file in (one, other)]
        for name, a, b in _pairs(findings, *members):
            if not a.is_dir():
                _compare(
                    findings, name, lambda a=a: one.open(a), lambda b=b: other.open(b), compare
                )


def compare_tar(findings: FileFindings, left: Path, right: Path, compare: Compare) -> None:
    """Compares two tar files, compressed or not, by member; links by what they say."""
    with tarfile.open(left) as one, tarfile.open(right) as other:
        members = [_named(file.getmembers(), lambda info: info.name) for file in (one, other)]
        for name, a, b in _pairs(findings, *members):
            if a.isfile() and b.isfile():
                streams = (lambda a=a: _stream(one, a), lambda b=b: _stream(other, b))
                _compare(findings, name, *streams, compare)
            else:
                findings.equal(name, (a.type, a.linkname), (b.type, b.linkname))


def compare_compressed(
    findings: FileFindings, left: Path, right: Path, form: str, name: str, compare: Compare
) -> None:
    """Compares what two compressed files hold; `name` is that of the content."""
    opened = _COMPRESSED[form]
    _compare(findings, name, lambda: opened(left), lambda: opened(right), compare)


def _stream(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member)
    assert stream is not None
    return stream


def _named(members: Iterable[_Member], name: Callable[[_Member], str]) -> dict[str, _Member]:
    """Members by name; the second of one name is called so, and so on."""
    found: dict[str, _Member] = {}
    for member in members:
        key, count = name(member), 1
        while key in found:
            count += 1
            key = f"{name(member)} ({count})"
        found[key] = member
    return found


def _pairs(
    findings: FileFindings, left: Mapping[str, _Member], right: Mapping[str, _Member]
) -> list[tuple[str, _Member, _Member]]:
    for name in {**left, **right}:
        if name not in left or name not in right:
            findings.differ(name, *("there" if name in side else "" for side in (left, right)))
    return [(name, member, right[name]) for name, member in left.items() if name in right]


def _compare(
    findings: FileFindings,
    name: str,
    left: Callable[[], IO[bytes]],
    right: Callable[[], IO[bytes]],
    compare: Compare,
) -> None:
    with left() as one, right() as other:
        if _same(one, other):
            return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files: list[Path] = []
        for side, opened in (("left", left), ("right", right)):
            files.append(folder / side)
            with opened() as source:
                _unpack(source, files[-1])
        findings.take(compare(files[0], files[1], name))


def _same(left: IO[bytes], right: IO[bytes]) -> bool:
    while (block := left.read(_BLOCK)) == right.read(_BLOCK):
        if not block:
            return True
    return False


def _unpack(source: IO[Any], path: Path) -> None:
    """Writes what a stream gives, and no more than a quarter of the room that there is."""
    room = shutil.disk_usage(path.parent).free // 4
    with path.open("wb") as file:
        while block := source.read(_BLOCK):
            room -= len(block)
            if room < 0:
                raise ValueError("too large to unpack")
            file.write(block)
