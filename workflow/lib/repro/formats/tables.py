"""Tables: CSV by cell, SQLite by row and cell.

Synopsis:
    compare_csv(findings, Path("first/log.csv"), Path("second/log.csv"), metrics=True)
    compare_sqlite(findings, Path("first/study.db"), Path("second/study.db"))
"""

from __future__ import annotations

import csv
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

from repro.formats.findings import FileFindings
from repro.formats.text import compare_cell

_SAMPLE = 1 << 16
_DELIMITERS = ",;\t|"
_STEPS = {
    "epoch",
    "epochs",
    "step",
    "steps",
    "iteration",
    "iter",
    "round",
    "batch",
    "fold",
    "trial",
}


def compare_csv(findings: FileFindings, left: Path, right: Path, metrics: bool) -> None:
    """Compares two tables by row and column, while they are read.

    Args:
        metrics: whether numbers are metrics; also where a column counts epochs or steps.

    Raises:
        ValueError, csv.Error: one of them is no such table.
    """
    csv.field_size_limit(1 << 30)
    with ExitStack() as stack:
        files = [
            stack.enter_context(p.open(newline="", encoding="utf-8-sig")) for p in (left, right)
        ]
        dialects = [_delimiter(file.read(_SAMPLE)) for file in files]
        for file in files:
            file.seek(0)
        # Strictly, so that a quotation mark that nothing closes is no cell of a million lines.
        one, other = (
            csv.reader(file, delimiter=mark, strict=True)
            for file, mark in zip(files, dialects, strict=True)
        )
        _rows(findings, one, other, metrics)


def _delimiter(sample: str) -> str:
    head = sample.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _rows(
    findings: FileFindings, left: Iterator[list[str]], right: Iterator[list[str]], metrics: bool
) -> None:
    head, other_head = next(left, list[str]()), next(right, list[str]())
    if head != other_head:
        _cells(findings, "header", [str(n + 1) for n in range(len(head))], head, other_head, False)
    metrics = metrics or any(name.strip().lower() in _STEPS for name in head)
    counts = [0, 0]
    for number, (a, b) in enumerate(zip_longest(left, right), 1):
        counts = [count + (row is not None) for count, row in zip(counts, (a, b), strict=True)]
        if a is not None and b is not None and a != b:
            _cells(findings, f"row {number}", head, a, b, metrics)
    if counts[0] != counts[1]:
        findings.differ("rows", *(f"{count} rows" for count in counts))


def _cells(
    findings: FileFindings, row: str, head: Sequence[str],
    left: Sequence[str], right: Sequence[str], metrics: bool,
) -> None:  # fmt: skip
    if len(left) != len(right):
        findings.differ(row, f"{len(left)} cells", f"{len(right)} cells")
        return
    for index, (a, b) in enumerate(zip(left, right, strict=True)):
        name = head[index] if index < len(head) else str(index + 1)
        compare_cell(findings, f"{row}, column {name}", name, a, b, metrics)


def compare_sqlite(findings: FileFindings, left: Path, right: Path) -> None:
    """Compares two SQLite databases by table, row and cell; how pages are filled plays no part.

    Raises:
        sqlite3.Error: one of them is damaged or no database.
    """
    with _opened(left) as one, _opened(right) as other:
        schemas = [_schema(database) for database in (one, other)]
        for name in {**schemas[0], **schemas[1]}:
            kinds = [schema.get(name) for schema in schemas]
            if None in kinds:
                findings.differ(name, *("there" if kind else "" for kind in kinds))
            elif findings.equal(name, *kinds) and str(name).startswith("table "):
                _table(findings, str(name)[6:], one, other)


def logs_of(database: Path) -> list[Path]:
    """The files that may lie beside a database's and hold some of its content."""
    return [database.with_name(database.name + end) for end in ("-wal", "-shm", "-journal")]


@contextmanager
def _opened(path: Path) -> Generator[sqlite3.Connection]:
    """A database, opened so that nothing beside it is written; with its log, from a copy."""
    with ExitStack() as stack:
        logs = [log for log in logs_of(path) if log.is_file()]
        options = "mode=ro&immutable=1"
        if logs:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for part in (path, *logs):
                shutil.copyfile(part, folder / part.name)
            path, options = folder / path.name, "mode=rw"
        address = f"file:{quote(str(path.absolute()))}?{options}"
        database = stack.enter_context(closing(sqlite3.connect(address, uri=True)))
        database.text_factory = _decoded
        yield database


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _schema(database: sqlite3.Connection) -> dict[str, str]:
    rows = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    return {f"{kind} {name}": str(sql) for kind, name, sql in rows}


def _table(
    findings: FileFindings, name: str, left: sqlite3.Connection, right: sqlite3.Connection
) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    cursors = [side.execute(f"SELECT * FROM {quoted}") for side in (left, right)]
    head = [column[0] for column in cursors[0].description]
    counts = [0, 0]
    rows: Iterator[tuple[Any, Any]] = zip_longest(*cursors)
    for number, (a, b) in enumerate(rows, 1):
        counts = [count + (row is not None) for count, row in zip(counts, (a, b), strict=True)]
        if a is None or b is None or (a == b and list(map(repr, a)) == list(map(repr, b))):
            continue
        for column, one, other in zip(head, a, b, strict=True):
            place = f"{name}, row {number}, column {column}"
            if type(one) is type(other) and isinstance(one, float | int | str):
                compare_cell(findings, place, column, str(one), str(other), metric=False)
            else:
                findings.equal(place, one, other)
    if counts[0] != counts[1]:
        findings.differ(name, *(f"{count} rows" for count in counts))
