"""Files: two files, compared by what they hold.

Synopsis:
    compared(Path("a/model.keras"), Path("b/model.keras"), "model.keras", tensors)
    compared(left, None, "only.txt", tensors)          # in the first run alone
"""

from __future__ import annotations

import csv
import re
import sqlite3
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.content.kinds import ARRAYS, METRICS, OTHER, Kind, kind_of, shards
from repro.content.tensor_reader import NotRead, TensorReader
from repro.formats import archives, documents, tables
from repro.formats.findings import FileComparison, FileFindings
from repro.formats.structured import compare_json, compare_json_lines, compare_strings
from repro.formats.text import compare_cell, compare_text

_BLOCK = 1 << 20
_MOST_TEXT = 1 << 28
_DEEPEST = 5
_NOT_THAT = (
    NotRead,
    ValueError,
    RecursionError,
    MemoryError,
    csv.Error,
    sqlite3.Error,
    *archives.DAMAGED,
)
"""What says that a file cannot be compared as its kind; then it is compared by bytes."""


def compared(
    left: Path | None,
    right: Path | None,
    name: str,
    tensors: TensorReader | None,
    rtol: float = 0.0,
    folders: Sequence[tuple[str, str]] = (),
) -> FileComparison:
    """Compares what two runs wrote under one name; never raises for what a file holds.

    Args:
        left, right: a file, a link, or the folder of a SavedModel; the `.index` of a TensorFlow
            checkpoint stands for its shards too. None where a run did not write it.
        name: how it is called in the answer, with its ending.
        tensors: None where the user has no Python; then what needs it is compared by bytes.
        rtol: relative differences of numbers up to this one pass, and are counted.
        folders: pairs of paths (left, right) that may stand in text; they are masked.
    """
    if left is None or right is None:
        which = "second" if left is None else "first"
        return FileComparison(name, "file", False, f"only in the {which} run", count=1)
    return _Comparing(tensors, rtol, tuple(folders)).compare(left, right, name)


def _is_a(path: Path) -> str:
    mode = path.lstat().st_mode
    tests = {
        "file": stat.S_ISREG, "link": stat.S_ISLNK, "folder": stat.S_ISDIR, "pipe": stat.S_ISFIFO,
        "socket": stat.S_ISSOCK,
    }  # fmt: skip
    return next((what for what, test in tests.items() if test(mode)), "device")


@dataclass(frozen=True)
class _Two:
    """Two files that are being compared, and what has been found so far."""

    comparing: _Comparing
    findings: FileFindings
    left: Path
    right: Path
    name: str
    kind: Kind

    def inside(self) -> archives.Compare:
        """What compares members that were unpacked."""
        return replace(self.comparing, depth=self.comparing.depth + 1).compare

    @property
    def paths(self) -> tuple[Path, Path]:
        return self.left, self.right

    def texts(self) -> tuple[str, str]:
        return _text(self.left), _text(self.right)


@dataclass(frozen=True)
class _Comparing:
    """What stays the same from a file to the members inside it."""

    tensors: TensorReader | None
    rtol: float
    folders: tuple[tuple[str, str], ...]
    depth: int = 0

    def compare(self, left: Path, right: Path, name: str) -> FileComparison:
        try:
            kinds = _is_a(left), _is_a(right)
            if kinds[0] != kinds[1]:
                how = f"a {kinds[0]} in the first run, a {kinds[1]} in the second"
                return FileComparison(name, kinds[0], False, how, count=1)
            if kinds[0] == "link":
                return self._links(left, right, name)
            if kinds[0] not in ("file", "folder"):
                return FileComparison(name, kinds[0], True, "not opened")
            return self._contents(left, right, name)
        except OSError as error:
            how = f"could not be read ({error.strerror or error})"
            return FileComparison(name, "file", False, how, count=1, readable=False)

    def _links(self, left: Path, right: Path, name: str) -> FileComparison:
        findings = FileFindings(self.rtol, self.folders)
        targets = [str(link.readlink()) for link in (left, right)]
        compare_cell(findings, "", "", targets[0], targets[1], metric=False)
        return findings.comparison(name, "link", "by what it points to")

    def _contents(self, left: Path, right: Path, name: str) -> FileComparison:
        kind = kind_of(left, right, name)
        if kind.way == "folder":
            return FileComparison(name, "folder", True, "both are folders")
        if kind.way != "saved model" and _same_bytes(left, right, kind):
            return FileComparison(name, kind.name, True, "same bytes", kind.role)
        two = _Two(self, FileFindings(self.rtol, self.folders), left, right, name, kind)
        try:
            if self.depth > _DEEPEST:
                raise ValueError("too many archives in one another")
            how = _WAYS[kind.way](two)
        except _NOT_THAT as error:
            return _by_bytes(two, " ".join(str(error).split()))
        role = METRICS if kind.role == OTHER and two.findings.has_metrics else kind.role
        return two.findings.comparison(name, kind.name, how, role)


def _ask(two: _Two) -> None:
    """Lets the user's Python compare; what it leaves to us, we do."""
    if two.comparing.tensors is None:
        raise NotRead("no Python to read it with")
    paths = two.paths
    if two.kind.form == "checkpoint":
        paths = (two.left.with_suffix(""), two.right.with_suffix(""))
    answer = two.comparing.tensors.compare(
        two.kind.form, *paths, two.comparing.rtol, two.kind.role == ARRAYS
    )
    two.findings.take_answer(answer)
    for text in answer["texts"]:
        place, left, right = text["place"], text["left"], text["right"]
        _, is_cell, column = place.rpartition("column ")
        if is_cell:
            compare_cell(two.findings, place, column, left, right, metric=False)
        else:
            compare_strings(two.findings, place, left, right)


def _tensor_files(two: _Two) -> str:
    _ask(two)
    return {"parquet": "by cell", "events": "by tag and step"}.get(two.kind.form, "by tensor")


def _arrays(two: _Two) -> str:
    """An `.npz`: by tensor, and without NumPy by member."""
    try:
        return _tensor_files(two)
    except NotRead:  # each member that differs says why
        archives.compare_zip(two.findings, *two.paths, two.inside())
        return "by member"


def _saved_model(two: _Two) -> str:
    files = [
        {file.relative_to(side).as_posix(): file for file in side.rglob("*") if not file.is_dir()}
        for side in two.paths
    ]
    names = sorted({**files[0], **files[1]}.keys() - {"fingerprint.pb"})
    how, done = "same bytes", ("saved_model.pb", "variables/")
    if not all(_same_in(files, name) for name in names if name.startswith(done)):
        try:
            _ask(two)
            how = "by variable and graph"
        except NotRead as error:
            # Without its reader a SavedModel is a folder of files.
            how, done = f"by the bytes of its files ({error})", ()
    for name in names:
        if not name.startswith(done):
            left, right = (side.get(name) for side in files)
            settings = two.comparing
            two.findings.take(
                compared(left, right, name, settings.tensors, settings.rtol, settings.folders)
            )
    return how


def _same_in(files: Sequence[Mapping[str, Path]], name: str) -> bool:
    left, right = (side.get(name) for side in files)
    return left is not None and right is not None and _first_difference(left, right) is None


def _png(two: _Two) -> str:
    if documents.pixels(two.left.read_bytes()) == documents.pixels(two.right.read_bytes()):
        return "by pixel"
    try:
        _ask(two)
    except NotRead as error:
        two.findings.differ("pixels", "", "")
        return f"by the bytes that hold the pixels ({error})"
    return "by pixel"


def _zip(two: _Two) -> str:
    archives.compare_zip(two.findings, *two.paths, two.inside())
    return "by member"


def _tar(two: _Two) -> str:
    archives.compare_tar(two.findings, *two.paths, two.inside())
    return "by member"


def _compressed(two: _Two) -> str:
    content = re.sub(r"\.(?:gz|bz2|xz)$", "", Path(two.name).name) or "content"
    inside = two.inside()
    archives.compare_compressed(two.findings, *two.paths, two.kind.form, content, inside)
    return "by what it holds"


def _table(two: _Two) -> str:
    tables.compare_csv(two.findings, *two.paths, two.kind.role == METRICS)
    return "by cell"


def _sqlite(two: _Two) -> str:
    tables.compare_sqlite(two.findings, *two.paths)
    return "by row and cell"


def _json(two: _Two) -> str:
    compare_json(two.findings, *two.texts())
    return "by value"


def _json_lines(two: _Two) -> str:
    with two.left.open(encoding="utf-8") as left, two.right.open(encoding="utf-8") as right:
        compare_json_lines(two.findings, left, right)
    return "by value"


def _svg(two: _Two) -> str:
    documents.compare_svg(two.findings, *two.texts())
    return "by line"


def _pdf(two: _Two) -> str:
    documents.compare_pdf(two.findings, two.left.read_bytes(), two.right.read_bytes())
    return "by bytes, without dates and ids"


def _lines(two: _Two) -> str:
    compare_text(two.findings, *two.texts())
    return "by line"


def _no_way(two: _Two) -> str:
    raise ValueError(two.kind.why)


_WAYS: dict[str, Callable[[_Two], str]] = {
    "tensors": _tensor_files,
    "arrays": _arrays,
    "saved model": _saved_model,
    "png": _png,
    "zip": _zip,
    "tar": _tar,
    "compressed": _compressed,
    "table": _table,
    "sqlite": _sqlite,
    "json": _json,
    "json lines": _json_lines,
    "svg": _svg,
    "pdf": _pdf,
    "text": _lines,
    "bytes": _no_way,
}
"""Each returns how it compared, and raises one of `_NOT_THAT` where a file is not of its kind."""


def _text(path: Path) -> str:
    """The text of a file.

    Raises:
        ValueError: it is none, or too large.
    """
    if path.stat().st_size > _MOST_TEXT:
        raise ValueError("too large to compare as text")
    content = path.read_bytes()
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    if b"\0" in content:
        raise ValueError("")
    return content.decode("utf-8-sig", "surrogateescape")


def _same_bytes(left: Path, right: Path, kind: Kind) -> bool:
    parts = _parts(left, kind), _parts(right, kind)
    if len(parts[0]) != len(parts[1]):
        return False
    pairs = [(left, right), *zip(*parts, strict=True)]
    return all(_first_difference(*pair) is None for pair in pairs)


def _parts(path: Path, kind: Kind) -> list[Path]:
    """The files beside a file that hold some of its content."""
    if kind.form == "checkpoint":
        return shards(path)
    if kind.way != "sqlite":
        return []
    logs = [path.with_name(path.name + end) for end in tables.SQLITE_PARTS]
    return [log for log in logs if log.is_file()]


def _first_difference(left: Path, right: Path) -> int | None:
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


def _by_bytes(two: _Two, why: str) -> FileComparison:
    parts = _parts(two.left, two.kind), _parts(two.right, two.kind)
    pairs = [two.paths, *zip(*parts, strict=False)]
    if two.kind.way == "saved model":
        raise OSError(why)
    findings = FileFindings()
    for left, right in pairs:
        at = _first_difference(left, right)
        if at is not None:
            place = f"byte {at}" if len(pairs) == 1 else f"{left.name}, byte {at}"
            sizes = [f"{path.stat().st_size} bytes" for path in (left, right)]
            findings.differ(place, *sizes)
    if len(parts[0]) != len(parts[1]):
        findings.differ("parts", *(str(len(side)) for side in parts))
    how = f"by bytes ({why})" if why else "by bytes"
    return findings.comparison(two.name, two.kind.name, how, two.kind.role)
