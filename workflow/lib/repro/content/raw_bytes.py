"""Raw bytes: whether two files are the same byte for byte, and else where they begin to differ.

Synopsis:
    same_bytes(left, right, kind)
    by_bytes(two, "pickles are not loaded")       # where nothing better can be done
"""

from __future__ import annotations

from pathlib import Path

from repro.content.kinds import Kind, shards
from repro.content.two_files import TwoFiles
from repro.formats.findings import FileComparison, FileFindings
from repro.formats.tables import logs_of

_BLOCK = 1 << 20


def same_bytes(left: Path, right: Path, kind: Kind) -> bool:
    """Whether two files are the same, and so is what belongs to them."""
    parts = _parts(left, kind), _parts(right, kind)
    if len(parts[0]) != len(parts[1]):
        return False
    pairs = [(left, right), *zip(*parts, strict=True)]
    return all(first_difference(*pair) is None for pair in pairs)


def first_difference(left: Path, right: Path) -> int | None:
    """The first byte at which two files differ, from 0; None where they do not."""
    at = 0
    with left.open("rb", 0) as one, right.open("rb", 0) as other:
        while True:
            a, b = one.read(_BLOCK), other.read(_BLOCK)
            if a != b:
                length = min(len(a), len(b))
                return at + next((i for i in range(length) if a[i] != b[i]), length)
            if not a:
                return None
            at += len(a)


def by_bytes(two: TwoFiles, why: str) -> FileComparison:
    """Compares two files by their bytes alone; `why` says why not better, "" for no reason.

    Raises:
        OSError: it is a SavedModel, a folder, which has no bytes.
    """
    parts = _parts(two.left, two.kind), _parts(two.right, two.kind)
    pairs = [two.paths, *zip(*parts, strict=False)]
    if two.kind.way == "saved model":
        raise OSError(why)
    findings = FileFindings()
    for left, right in pairs:
        at = first_difference(left, right)
        if at is not None:
            place = f"byte {at}" if len(pairs) == 1 else f"{left.name}, byte {at}"
            sizes = [f"{path.stat().st_size} bytes" for path in (left, right)]
            findings.differ(place, *sizes)
    if len(parts[0]) != len(parts[1]):
        findings.differ("parts", *(str(len(side)) for side in parts))
    how = f"by bytes ({why})" if why else "by bytes"
    return findings.comparison(two.name, two.kind.name, how, two.kind.role)


def _parts(path: Path, kind: Kind) -> list[Path]:
    """The files beside a file that hold some of its content."""
    if kind.form == "checkpoint":
        return shards(path)
    if kind.way != "sqlite":
        return []
    return [log for log in logs_of(path) if log.is_file()]
