"""Files: two files, compared by what they hold.

Synopsis:
    compared(Path("a/model.keras"), Path("b/model.keras"), "model.keras", tensors)
    compared(left, None, "only.txt", tensors)          # in the first run alone
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.content.comparators import COMPARATORS, NOT_OF_ITS_KIND
from repro.content.kinds import METRICS, OTHER, kind_of
from repro.content.raw_bytes import by_bytes, same_bytes
from repro.content.tensor_reader import TensorReader
from repro.content.two_files import TwoFiles
from repro.formats.findings import FileComparison, FileFindings
from repro.formats.text import compare_cell

_DEEPEST = 5


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
    return _Comparing(tensors, rtol, tuple(folders)).compare(left, right, name)


@dataclass(frozen=True)
class _Comparing:
    """What stays the same from a file to the members inside it."""

    tensors: TensorReader | None
    rtol: float
    folders: tuple[tuple[str, str], ...]
    depth: int = 0

    def compare(self, left: Path | None, right: Path | None, name: str) -> FileComparison:
        if left is None or right is None:
            which = "second" if left is None else "first"
            return FileComparison(name, "file", False, f"only in the {which} run", count=1)
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
        if kind.way != "saved model" and same_bytes(left, right, kind):
            return FileComparison(name, kind.name, True, "same bytes", kind.role)
        findings = FileFindings(self.rtol, self.folders)
        inside = replace(self, depth=self.depth + 1).compare
        two = TwoFiles(left, right, name, kind, findings, self.tensors, self.compare, inside)
        try:
            if self.depth > _DEEPEST:
                raise ValueError("too many archives in one another")
            how = COMPARATORS[kind.way](two)
        except NOT_OF_ITS_KIND as error:
            return by_bytes(two, " ".join(str(error).split()))
        role = METRICS if kind.role == OTHER and findings.has_metrics else kind.role
        return findings.comparison(name, kind.name, how, role)


def _is_a(path: Path) -> str:
    mode = path.lstat().st_mode
    tests = {
        "file": stat.S_ISREG, "link": stat.S_ISLNK, "folder": stat.S_ISDIR, "pipe": stat.S_ISFIFO,
        "socket": stat.S_ISSOCK,
    }  # fmt: skip
    return next((what for what, test in tests.items() if test(mode)), "device")
