"""Columns: Parquet files, by cell.

Synopsis:
    parquet(found, "first/table.parquet", "second/table.parquet")
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from repro.reader.blocks import library, of_array
from repro.reader.distance import short
from repro.reader.tensor_findings import TensorFindings

_ROWS = 1 << 16
_MOST_TEXTS = 1000


def parquet(found: TensorFindings, left: str, right: str) -> None:
    """Compares two Parquet files by cell; how they are packed and by what plays no part."""
    try:
        arrow = library("pyarrow.parquet")
    except ModuleNotFoundError:
        pandas = library("pandas")
        frames: list[Any] = [pandas.read_parquet(path) for path in (left, right)]
        one, other = (_of_frame(frame) for frame in frames)
        batches: Any = zip([frames[0]], [frames[1]])
    else:
        files: list[Any] = [arrow.ParquetFile(path) for path in (left, right)]
        one, other = (_of_schema(file.schema_arrow) for file in files)
        batches = zip_longest(*map(_batches, files))
    if one != other:
        found.add("columns", short(one), short(other))
        return
    row = 0
    for a, b in batches:
        counts = [0 if side is None else len(side) for side in (a, b)]
        rows = min(counts)
        for name, _ in one if rows else []:
            _column(found, name, row, _values(a, name, rows), _values(b, name, rows))
        row += rows
        if counts[0] != counts[1]:
            left_rows, right_rows = (f"{row - rows + count} rows or more" for count in counts)
            found.add("rows", left_rows, right_rows)
            return


def _of_frame(frame: Any) -> list[tuple[str, str]]:
    return [(str(name), str(frame[name].dtype)) for name in frame.columns]


def _of_schema(schema: Any) -> list[tuple[str, str]]:
    return [(str(field.name), str(field.type)) for field in schema]


def _batches(file: Any) -> Iterator[Any]:
    """Batches of equal length, however the file is cut into groups."""
    arrow = library("pyarrow")
    waiting: Any = None
    for batch in file.iter_batches(_ROWS):
        table = arrow.Table.from_batches([batch])
        waiting = table if waiting is None else arrow.concat_tables([waiting, table])
        while len(waiting) >= _ROWS:
            yield waiting[:_ROWS]
            waiting = waiting[_ROWS:]
    if waiting is not None and len(waiting):
        yield waiting


def _values(table: Any, name: str, rows: int) -> Any:
    column = table[name]
    if hasattr(column, "to_pylist"):
        whole = column.null_count == 0
        numbers = whole and str(column.type) in _NUMBERS
        return column.to_numpy()[:rows] if numbers else column.to_pylist()[:rows]
    array = column.to_numpy()[:rows]
    return array.tolist() if array.dtype.hasobject else array


_NUMBERS = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "halffloat", "float", "double",
}  # fmt: skip


def _column(found: TensorFindings, name: str, row: int, left: Any, right: Any) -> None:
    place = f"rows from {row}, column {name}" if row else f"column {name}"
    if hasattr(left, "dtype") and hasattr(right, "dtype"):
        found.compare(place, of_array(left), of_array(right))
        return
    pairs: list[tuple[Any, Any]] = list(zip(list(left), list(right)))
    found.compared += 1
    for index, (a, b) in enumerate(pairs):
        if repr(a) != repr(b):
            at = f"row {row + index}, column {name}"
            if len(found.texts) < _MOST_TEXTS:
                found.texts.append({"place": at, "left": str(a), "right": str(b)})
            else:
                found.add(at, short(a), short(b))
