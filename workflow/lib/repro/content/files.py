"""Files: two files, compared by what they hold.

Synopsis:
    compared(Path("a/model.keras"), Path("b/model.keras"), "model.keras", tensors)
    compared(left, None, "only.txt", tensors)          # in the first run alone
"""

from __future__ import annotations

import csv
import os
import re
import sqlite3
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.content import archives, documents, tables
from repro.content.findings import ContentDifference, FileComparison, Findings
from repro.content.kinds import ARRAYS, METRICS, WEIGHTS, Kind, kind_of, shards
from repro.content.structured import compare_json, compare_json_lines, compare_strings
from repro.content.tensor_reader import NotRead, TensorReader
from repro.content.text import compare_cell, compare_text

_BLOCK = 1 << 20
_MOST_TEXT = 1 << 28
_DEEPEST = 5
_NOT_THAT = (NotRead, ValueError, csv.Error, sqlite3.Error, *archives.DAMAGED)
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
        findings = Findings(self.rtol, self.folders)
        compare_cell(findings, "", "", os.readlink(left), os.readlink(right), metric=False)
        return findings.comparison(name, "link", "by what it points to")

    def _contents(self, left: Path, right: Path, name: str) -> FileComparison:
        kind = kind_of(left, right, name)
        if kind.form != "saved model" and _same_bytes(left, right, kind):
            return FileComparison(name, kind.name, True, "same bytes", kind.role)
        findings = Findings(self.rtol, self.folders)
        try:
            if self.depth > _DEEPEST:
                raise ValueError("too many archives in one another")
            how = _WAYS[kind.way](self, findings, left, right, kind, name)
        except _NOT_THAT as error:
            why = " ".join(str(error).split()) or type(error).__name__
            return _by_bytes(left, right, name, kind, why)
        role = METRICS if kind.role not in (WEIGHTS, ARRAYS) and findings.has_metrics else kind.role
        return findings.comparison(name, kind.name, how, role)

    def by_tensor(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        self._ask(findings, left, right, kind, name)
        return "by column and row" if kind.form == "parquet" else "by tensor"

    def _ask(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> None:
        if self.tensors is None:
            raise NotRead("no Python to read it with")
        if kind.form == "checkpoint":
            left, right = left.with_suffix(""), right.with_suffix("")
        answer = self.tensors.compare(kind.form, left, right, self.rtol, kind.role == ARRAYS)
        findings.take_answer(answer)
        for text in answer["texts"]:
            column = text["place"].rpartition("column ")
            if column[1]:
                compare_cell(
                    findings, text["place"], column[2], text["left"], text["right"], metric=False
                )
            else:
                compare_strings(findings, text["place"], text["left"], text["right"])

    def events(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        self._ask(findings, left, right, kind, name)
        return "by tag and step"

    def arrays(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        """An `.npz`: by tensor, and without NumPy by member."""
        try:
            return self.by_tensor(findings, left, right, kind, name)
        except NotRead as error:
            archives.compare_zip(findings, left, right, self._inner().compare)
            return f"by member ({error})"

    def saved_model(
        self, findings: Findings, left: Path, right: Path, kind: Kind, name: str
    ) -> str:
        how = "by variable and graph"
        done = ("fingerprint.pb", "saved_model.pb", "variables/")
        try:
            self._ask(findings, left, right, kind, name)
        except NotRead as error:
            # Without its reader a SavedModel is a folder of files.
            how, done = f"by file and bytes ({error})", ("fingerprint.pb",)
        files = [
            {
                file.relative_to(side).as_posix(): file
                for file in side.rglob("*")
                if not file.is_dir()
            }
            for side in (left, right)
        ]
        for each in sorted({**files[0], **files[1]}):
            if not each.startswith(done):
                pair = [side.get(each) for side in files]
                findings.take(compared(*pair, each, self.tensors, self.rtol, self.folders))
        return how

    def png(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        if documents.pixels(left.read_bytes()) == documents.pixels(right.read_bytes()):
            return "by pixel"
        try:
            self._ask(findings, left, right, kind, name)
        except NotRead as error:
            findings.differ("pixels", "", "")
            return f"by the bytes that hold the pixels ({error})"
        return "by pixel"

    def zip(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        archives.compare_zip(findings, left, right, self._inner().compare)
        return "by member"

    def tar(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        archives.compare_tar(findings, left, right, self._inner().compare)
        return "by member"

    def compressed(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        content = re.sub(r"\.(?:gz|bz2|xz)$", "", Path(name).name) or "content"
        inner = self._inner().compare
        archives.compare_compressed(findings, left, right, kind.form, content, inner)
        return "by what it holds"

    def table(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        tables.compare_csv(findings, left, right, kind.role == METRICS)
        return "by cell"

    def sqlite(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        tables.compare_sqlite(findings, left, right)
        return "by row and cell"

    def json(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        compare_json(findings, *map(_text, (left, right)))
        return "by value"

    def json_lines(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        with left.open(encoding="utf-8") as one, right.open(encoding="utf-8") as other:
            compare_json_lines(findings, one, other)
        return "by value"

    def svg(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        documents.compare_svg(findings, *map(_text, (left, right)))
        return "by line"

    def pdf(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        documents.compare_pdf(findings, left.read_bytes(), right.read_bytes())
        return "by bytes without dates and ids"

    def text(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        compare_text(findings, *map(_text, (left, right)))
        return "by line"

    def bytes(self, findings: Findings, left: Path, right: Path, kind: Kind, name: str) -> str:
        raise ValueError(kind.why)

    def _inner(self) -> _Comparing:
        return _Comparing(self.tensors, self.rtol, self.folders, self.depth + 1)


_Way = Callable[[_Comparing, Findings, Path, Path, Kind, str], str]
_WAYS: dict[str, _Way] = {
    "tensors": _Comparing.by_tensor,
    "events": _Comparing.events,
    "arrays": _Comparing.arrays,
    "saved model": _Comparing.saved_model,
    "png": _Comparing.png,
    "zip": _Comparing.zip,
    "tar": _Comparing.tar,
    "compressed": _Comparing.compressed,
    "table": _Comparing.table,
    "sqlite": _Comparing.sqlite,
    "json": _Comparing.json,
    "json lines": _Comparing.json_lines,
    "svg": _Comparing.svg,
    "pdf": _Comparing.pdf,
    "text": _Comparing.text,
    "bytes": _Comparing.bytes,
}


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
    pairs = [(left, right)]
    if kind.form == "checkpoint":
        one, other = shards(left), shards(right)
        if len(one) != len(other):
            return False
        pairs += zip(one, other, strict=True)
    return all(_first_difference(*pair) is None for pair in pairs)


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


def _by_bytes(left: Path, right: Path, name: str, kind: Kind, why: str) -> FileComparison:
    pairs = [(left, right)]
    if kind.form == "checkpoint":
        pairs += zip(shards(left), shards(right), strict=False)
    apart = [(a, b, at) for a, b in pairs if (at := _first_difference(a, b)) is not None]
    findings = Findings()
    for a, b, at in apart:
        place = f"byte {at}" if len(pairs) == 1 else f"{a.name}, byte {at}"
        sizes = [f"{path.stat().st_size} bytes" for path in (a, b)]
        findings.add(ContentDifference(place, *sizes))
    return findings.comparison(
        name, kind.name, f"by bytes ({why})" if why else "by bytes", kind.role
    )
