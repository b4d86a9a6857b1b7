"""Comparators: how two files of each kind are compared by what they hold.

Synopsis:
    how = COMPARATORS[kind.way](two)              # "by tensor"; `two.findings` has the differences
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from repro.content.kinds import ARRAYS, METRICS
from repro.content.raw_bytes import first_difference
from repro.content.tensor_reader import NotRead
from repro.content.two_files import TwoFiles
from repro.formats import archives, documents, tables
from repro.formats.structured import compare_json, compare_json_lines, compare_strings
from repro.formats.text import compare_cell, compare_text

NOT_OF_ITS_KIND = (
    NotRead, ValueError, RecursionError, MemoryError, csv.Error, sqlite3.Error, *archives.DAMAGED,
)  # fmt: skip
"""What says that a file cannot be compared as its kind; then it is compared by bytes."""


def _ask(two: TwoFiles) -> None:
    """Lets the user's Python compare; what it leaves to us, we do."""
    if two.tensors is None:
        raise NotRead("no Python to read it with")
    paths = two.paths
    if two.kind.form == "checkpoint":
        paths = (two.left.with_suffix(""), two.right.with_suffix(""))
    answer = two.tensors.compare(two.kind.form, *paths, two.findings.rtol, two.kind.role == ARRAYS)
    two.findings.take_answer(answer)
    for text in answer["texts"]:
        place, left, right = text["place"], text["left"], text["right"]
        _, is_cell, column = place.rpartition("column ")
        if is_cell:
            compare_cell(two.findings, place, column, left, right, metric=False)
        else:
            compare_strings(two.findings, place, left, right)


def _tensor_files(two: TwoFiles) -> str:
    _ask(two)
    return {"parquet": "by cell", "events": "by tag and step"}.get(two.kind.form, "by tensor")


def _arrays(two: TwoFiles) -> str:
    """An `.npz`: by tensor, and without NumPy by member."""
    try:
        return _tensor_files(two)
    except NotRead:  # each member that differs says why
        archives.compare_zip(two.findings, *two.paths, two.inside)
        return "by member"


def _saved_model(two: TwoFiles) -> str:
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
            two.findings.take(two.beside(left, right, name))
    return how


def _same_in(files: Sequence[Mapping[str, Path]], name: str) -> bool:
    left, right = (side.get(name) for side in files)
    return left is not None and right is not None and first_difference(left, right) is None


def _png(two: TwoFiles) -> str:
    if documents.pixels(two.left.read_bytes()) == documents.pixels(two.right.read_bytes()):
        return "by pixel"
    try:
        _ask(two)
    except NotRead as error:
        two.findings.differ("pixels", "", "")
        return f"by the bytes that hold the pixels ({error})"
    return "by pixel"


def _zip(two: TwoFiles) -> str:
    archives.compare_zip(two.findings, *two.paths, two.inside)
    return "by member"


def _tar(two: TwoFiles) -> str:
    archives.compare_tar(two.findings, *two.paths, two.inside)
    return "by member"


def _compressed(two: TwoFiles) -> str:
    content = re.sub(r"\.(?:gz|bz2|xz)$", "", Path(two.name).name) or "content"
    archives.compare_compressed(two.findings, *two.paths, two.kind.form, content, two.inside)
    return "by what it holds"


def _table(two: TwoFiles) -> str:
    tables.compare_csv(two.findings, *two.paths, two.kind.role == METRICS)
    return "by cell"


def _sqlite(two: TwoFiles) -> str:
    tables.compare_sqlite(two.findings, *two.paths)
    return "by row and cell"


def _json(two: TwoFiles) -> str:
    compare_json(two.findings, *two.texts())
    return "by value"


def _json_lines(two: TwoFiles) -> str:
    with two.left.open(encoding="utf-8") as left, two.right.open(encoding="utf-8") as right:
        compare_json_lines(two.findings, left, right)
    return "by value"


def _svg(two: TwoFiles) -> str:
    documents.compare_svg(two.findings, *two.texts())
    return "by line"


def _pdf(two: TwoFiles) -> str:
    documents.compare_pdf(two.findings, two.left.read_bytes(), two.right.read_bytes())
    return "by bytes, without dates and ids"


def _lines(two: TwoFiles) -> str:
    compare_text(two.findings, *two.texts())
    return "by line"


def _no_way(two: TwoFiles) -> str:
    raise ValueError(two.kind.why)


COMPARATORS: dict[str, Callable[[TwoFiles], str]] = {
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
"""By `Kind.way`; each says how it compared, and raises one of `NOT_OF_ITS_KIND` where it cannot."""
