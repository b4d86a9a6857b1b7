"""Files of two runs that the standard library can read: tables, JSON, archives, documents."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import random
import sqlite3
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repro.content.files import compared
from repro.content.summary import summarised
from repro.content.tensor_reader import TensorReader
from repro.formats.findings import FileComparison
from repro.formats.masks import DATES, DURATIONS, OBJECTS

Compare = Callable[..., FileComparison]


@pytest.fixture
def content(tmp_path: Path) -> Compare:
    """Compares two contents as files of one name."""

    def compare(left: bytes | str, right: bytes | str, name: str, **options: Any) -> FileComparison:
        files = tmp_path / "left", tmp_path / "right"
        for file, each in zip(files, (left, right), strict=True):
            file.write_bytes(
                each if isinstance(each, bytes) else each.encode("utf-8", "surrogateescape")
            )
        return compared(*files, name, options.pop("tensors", None), **options)

    return compare


LOG = "epoch,accuracy,loss,epoch_time\n0,0.5,1.25,3.2\n1,0.75,0.5,3.1\n"


def test_a_table_is_compared_by_cell_and_its_metrics_are_named(content: Compare) -> None:
    found = content(LOG, LOG.replace("0.5,3.1", "0.51,9.9"), "training.csv")
    assert not found.same
    (difference,) = found.differences
    assert (difference.place, difference.metric) == ("row 2, column loss", "loss")
    assert (difference.left, difference.right) == ("0.5", "0.51")
    assert found.masked == (DURATIONS,)
    assert content(LOG, LOG.replace("3.2", "4.7"), "training.csv").same
    assert content(LOG, LOG.replace("0.5,3.1", "0.51,3.1"), "training.csv", rtol=0.1).same


@pytest.mark.parametrize(
    ("left", "right", "place"),
    [
        ("a,b\n1,2\n", "a,c\n1,2\n", "header, column 2"),
        ("a,b\n1,2\n", "a,b\n1,2\n3,4\n", "rows"),
        ("a,b\n1,2\n", "a,b\n1,2,3\n", "row 1"),
        ("a;b\n1;2\n", "a;b\n1;3\n", "row 1, column b"),
        ('a\n"x,\ny"\n', 'a\n"x,\nz"\n', "row 1, column a, line 2"),
        ("a\n1\n", "", "rows"),
        ("a\n-0.0\n", "a\n0.0\n", "row 1, column a"),
        ("a\nnan\n", "a\ninf\n", "row 1, column a"),
    ],
)
def test_where_a_table_differs(content: Compare, left: str, right: str, place: str) -> None:
    found = content(left, right, "t.csv")
    assert place in {each.place for each in found.differences}, found
    assert found.how == "by cell"


def test_a_table_of_dates_of_its_own_is_masked_only_where_dates_differ(content: Compare) -> None:
    found = content("date,x\n2024-01-01,1\n", "date,x\n2024-01-02,2\n", "t.csv")
    assert [each.place for each in found.differences] == ["row 1, column x"]
    assert found.masked == (DATES,)


CELLS = st.lists(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        min_size=2, max_size=2,
    ),
    min_size=2, max_size=5,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CELLS, st.data())
def test_a_number_that_changes_in_any_table_is_found(
    content: Compare, rows: list[list[str]], data: st.DataObject
) -> None:
    def written(number: str) -> str:
        file = io.StringIO()
        csv.writer(file).writerows([["loss", "x"], *rows, [number, "1"]])
        return file.getvalue()

    left, right = data.draw(st.tuples(*[st.floats(allow_nan=False).map(repr)] * 2))
    found = content(written(left), written(right), "t.csv")
    assert found.same == (left == right), found


def test_json_is_compared_by_value(content: Compare) -> None:
    left = {"loss": 0.5, "nested": {"acc": [1, 2.5, None]}, "time": 3.5, "date": "2024-01-01"}
    right = {"date": "2026-01-01", "time": 9.1, "nested": {"acc": [1, 2.5, None]}, "loss": 0.5}
    found = content(json.dumps(left), json.dumps(right, indent=1), "m.json")
    assert found.same, found.differences
    assert found.masked == (DATES, DURATIONS)
    right["nested"] = {"acc": [1, 2.75, None]}
    found = content(json.dumps(left), json.dumps(right), "m.json")
    assert [(each.place, each.metric) for each in found.differences] == [("nested.acc[1]", "acc")]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('{"a": 1}', '{"a": 1.0}'), ('{"a": 1}', '{"a": "1"}'),
        ('{"a": null}', "{}"), ("[1]", "[1, 2]"), ('{"a": NaN}', '{"a": Infinity}'),
        ('{"a": -0.0}', '{"a": 0.0}'), ('{"a": true}', '{"a": 1}'),
        ("12345678901234567890", "12345678901234567891"), ('{"a": {}}', '{"a": []}'),
        ('""', "null"),
    ],
)  # fmt: skip
def test_json_values_that_differ(content: Compare, left: str, right: str) -> None:
    assert not content(left, right, "m.json").same
    assert not content(f"{left}\n", f"{right}\n", "m.jsonl").same


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, JSON)
def test_json_equal_to_itself_however_it_is_written(
    content: Compare, value: Any, other: Any
) -> None:
    assert content(json.dumps(value), json.dumps(value, indent=2, sort_keys=True), "m.json").same
    content(json.dumps(value), json.dumps(other), "m.json")


def test_generated_object_ids_count_as_which_object_is_shared(content: Compare) -> None:
    def config(*ids: int) -> str:
        return json.dumps([{"shared_object_id": each} for each in ids])

    found = content(config(140, 140, 150), config(99, 99, 98), "config.json")
    assert found.same
    assert found.masked == (OBJECTS,)
    assert not content(config(140, 140, 150), config(99, 98, 98), "config.json").same


def test_a_notebook_is_json(content: Compare) -> None:
    def notebook(loss: str, when: str) -> str:
        outputs = [{"output_type": "stream", "text": [f"loss: {loss} - 3s\n"]}]
        metadata = {"execution": {"iopub.status.busy": when}}
        return json.dumps({"cells": [{"outputs": outputs, "metadata": metadata}], "nbformat": 4})

    same = content(
        notebook("0.5", "2024-01-01T10:00:00.5Z"),
        notebook("0.5", "2026-01-01T11:00:00.7Z"),
        "a.ipynb",
    )
    assert same.same, same.differences
    assert not content(notebook("0.5", "a"), notebook("0.6", "a"), "a.ipynb").same


def database(
    path: Path, rows: list[tuple[Any, ...]], *, journal: str = "delete", pad: int = 0
) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute(f"pragma journal_mode={journal}")
    connection.execute("create table trials (number, value, started, note)")
    connection.executemany("insert into trials values (?, ?, ?, ?)", [("x" * 900,) * 4] * pad)
    connection.execute("delete from trials")
    connection.executemany("insert into trials values (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path.read_bytes()


def test_a_database_is_compared_by_row(tmp_path: Path, content: Compare) -> None:
    rows = [(0, 0.5, "2024-01-01 10:00:00", None), (1, 0.25, "2024-01-01 10:00:01", b"\0")]
    later = [(n, value, f"2026-05-0{n + 1} 11:00:00", note) for n, value, _, note in rows]
    left, padded = database(tmp_path / "a", rows), database(tmp_path / "b", later, pad=40)
    assert len(left) != len(padded)
    found = content(left, padded, "study.db")
    assert found.same, found.differences
    assert found.masked == (DATES,)
    changed = [later[0], (1, 0.26, *later[1][2:])]
    found = content(left, database(tmp_path / "c", changed), "study.db")
    assert [each.place for each in found.differences] == ["trials, row 2, column value"]
    assert not content(left, database(tmp_path / "d", [*later, later[0]]), "study.db").same
    assert not content(
        left, database(tmp_path / "e", [(*rows[0][:3], ""), rows[1]]), "study.db"
    ).same


def test_the_log_of_a_database_is_read_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    paths = []
    for name, value in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "x.db")
        source = (
            "import os, sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1]); c.execute('pragma journal_mode=wal')\n"
            "c.execute('create table t (v)'); c.commit()\n"
            "c.execute('insert into t values (?)', (int(sys.argv[2]),)); c.commit(); os._exit(0)\n"
        )
        subprocess.run(
            [sys.executable, "-c", source, paths[-1], str(value)], check=True, timeout=60
        )
        assert paths[-1].with_name("x.db-wal").stat().st_size
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    found = compared(*paths, "x.db", None)
    assert [each.place for each in found.differences] == ["t, row 1, column v"]
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def zipped(
    members: dict[str, bytes], year: int = 2000, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), data, method)
    return file.getvalue()


def tarred(members: dict[str, bytes], time: int = 0, mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid = len(data), time, time
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "a.csv"
        archive.addfile(link)
    return file.getvalue()


ARCHIVES: dict[str, Callable[[dict[str, bytes], int], bytes]] = {
    "a.zip": lambda members, time: zipped(
        members, 1990 + time % 50, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[time % 2]
    ),
    "a.tar": tarred,
    "a.tar.gz": lambda members, time: gzip.compress(tarred(members, time), mtime=time),
    "a.tgz": lambda members, time: tarred(members, time, "w:gz"),
    "a.tar.xz": lambda members, time: tarred(members, time, "w:xz"),
    "a.tar.bz2": lambda members, time: tarred(members, time, "w:bz2"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_compared_by_member_each_as_its_own_kind(content: Compare, name: str) -> None:
    make = ARCHIVES[name]
    members = {
        "a.csv": LOG.encode(),
        "b/log.txt": b"done in 3s",
        "inner.zip": zipped({"x.json": b'{"v": 1}'}),
    }
    left = make(members, 1)
    assert content(left, make(members, 2), name).same
    other = {
        **members,
        "b/log.txt": b"done in 4s",
        "inner.zip": zipped({"x.json": b'{ "v":1}'}, 2010),
    }
    found = content(left, make(other, 3), name)
    assert found.same, found
    assert found.how == "by member"
    assert found.masked == (DURATIONS,)
    changed = {
        **members,
        "a.csv": LOG.replace("1.25", "1.26").encode(),
        "inner.zip": zipped({"x.json": b'{"v": 2}'}),
    }
    found = content(left, make(changed, 4), name)
    assert [each.place for each in found.differences] == [
        "a.csv: row 1, column loss",
        "inner.zip: x.json: v",
    ]
    found = content(
        left, make({name: data for name, data in members.items() if name != "a.csv"}, 1), name
    )
    assert [(each.place, each.left, each.right) for each in found.differences] == [
        ("a.csv", "there", "")
    ]


@pytest.mark.parametrize(
    ("end", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_a_compressed_file_is_what_it_holds(
    content: Compare, end: str, pack: Callable[[bytes], bytes]
) -> None:
    left, same, changed = (
        text.encode() for text in (LOG, LOG.replace("3.2", "4.2"), LOG.replace("1.25", "1.26"))
    )
    assert content(pack(left), pack(same), f"log.csv.{end}").same
    found = content(pack(left), pack(changed), f"log.csv.{end}")
    assert [each.place for each in found.differences] == ["log.csv: row 1, column loss"]
    assert found.metrics[0].metric == "loss"


def png(
    pixels: bytes, *, level: int = 6, text: bytes = b"", size: tuple[int, int] = (2, 2)
) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    width, height = size
    rows = b"".join(b"\0" + pixels[width * row : width * (row + 1)] for row in range(height))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
        + chunk(b"tEXt", b"Date\0" + text) + chunk(b"IDAT", zlib.compress(rows, level))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def test_a_picture_is_its_pixels(content: Compare) -> None:
    found = content(
        png(b"\1\2\3\4", text=b"2024"), png(b"\1\2\3\4", text=b"2026", level=0), "p.png"
    )
    assert found.same
    assert found.how == "by pixel"
    found = content(png(b"\1\2\3\4"), png(b"\1\2\3\5"), "p.png")
    assert not found.same
    assert found.how == "by the bytes that hold the pixels (no Python to read it with)"
    assert not content(png(b"\1\2\3\4"), png(b"\1\2\3\4", size=(4, 1)), "p.png").same


def test_where_pixels_differ_a_decoder_says_how_far(content: Compare) -> None:
    with TensorReader([sys.executable]) as tensors:
        found = content(png(b"\1\2\3\4"), png(b"\1\2\3\x0e"), "p.png", tensors=tensors)
    assert not found.same
    if found.how != "by pixel":
        pytest.skip(found.how)
    assert found.largest is not None
    assert found.largest.distance is not None
    assert found.largest.distance.differ == 1


def pdf(date: str, ident: str, body: str = "1 0 0 rg") -> bytes:
    return (
        f"%PDF-1.4\n1 0 obj\n<< /CreationDate (D:{date}) /ModDate (D:{date}) >>\nendobj\n"
        f"{body}\nxref\n0 2\n"
        f"{len(date):010} 00000 n \ntrailer\n<< /ID [<{ident}> <{ident}>] >>\n"
        f"startxref\n{100 + len(date)}\n%%EOF\n"
    ).encode()


def test_a_pdf_is_compared_without_dates_and_ids(content: Compare) -> None:
    found = content(pdf("20240101100000Z", "aa00"), pdf("20260101100000+02'00'", "bb11"), "p.pdf")
    assert found.same, found.differences
    assert found.masked == (DATES, OBJECTS)
    assert not content(pdf("2024", "aa"), pdf("2024", "aa", "0 1 0 rg"), "p.pdf").same


def svg(ident: str, date: str, y: str) -> str:
    return (
        f'<svg><dc:date>{date}</dc:date><defs><path id="m{ident}" d="M 0 {y}"/></defs>'
        f'<use xlink:href="#m{ident}"/><g clip-path="url(#p{ident})"/>'
        f'<clipPath id="p{ident}"/></svg>'
    )


def test_an_svg_is_compared_without_dates_and_generated_ids(content: Compare) -> None:
    left = svg("3fa9c2d1e0", "2024-01-01T10:00:00.5", "1.5")
    found = content(left, svg("0b1d2c3e4f", "2026-01-01T11:00:00.7", "1.5"), "p.svg")
    assert found.same, found.differences
    assert found.masked == (DATES, OBJECTS)
    assert not content(left, svg("0b1d2c3e4f", "2024-01-01T10:00:00.5", "1.6"), "p.svg").same
    swapped = left.replace("#m3fa9c2d1e0", "#p3fa9c2d1e0")
    assert not content(left, swapped, "p.svg").same


@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.pickle", "m.pt"])
def test_a_pickle_is_compared_by_bytes_and_never_loaded(content: Compare, name: str) -> None:
    planted = b"cos\nsystem\n(S'exit 1'\ntR."
    found = content(planted, planted + b".", name)
    assert not found.same
    assert found.how == "by bytes (pickles are not loaded)"
    assert content(planted, planted, name).same


def test_what_is_on_one_side_or_of_another_kind(tmp_path: Path) -> None:
    file, folder, link = tmp_path / "file", tmp_path / "folder", tmp_path / "link"
    file.write_text("a")
    folder.mkdir()
    link.symlink_to("file")
    assert compared(file, None, "a", None).how == "only in the first run"
    assert compared(None, file, "a", None).how == "only in the second run"
    assert (
        compared(file, folder, "a", None).how == "a file in the first run, a folder in the second"
    )
    assert not compared(file, link, "a", None).same
    assert compared(folder, folder, "a", None).same
    assert not compared(tmp_path / "gone", file, "a", None).readable


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a").chmod(0)
    if os.access(tmp_path / "a", os.R_OK):
        pytest.skip("this user may read everything")
    found = compared(tmp_path / "a", tmp_path / "b", "a", None)
    assert (found.same, found.readable) == (False, False)
    assert "Permission denied" in found.how


def test_rights_and_times_are_no_content(tmp_path: Path) -> None:
    for name, mode in (("a", stat.S_IRUSR), ("b", 0o777)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
        os.utime(tmp_path / name, (mode, mode))
    assert compared(tmp_path / "a", tmp_path / "b", "a", None).same


@pytest.mark.parametrize(
    "name", ["a", "a.txt", "a.json", "a.csv", "a.zip", "a.png", "a.keras", "a.tar.gz", "a.db"]
)
@pytest.mark.parametrize(
    ("left", "right"),
    [(b"", b"x"), (b"", b"\0"), (b"\0\1", b"\0\2"), (b"\xff\xfe", b"\xff\xfea\0")],
)
def test_empty_and_binary_files_have_an_answer(
    content: Compare, name: str, left: bytes, right: bytes
) -> None:
    assert not content(left, right, name).same
    assert content(left, left, name).same


WHOLE: dict[str, Callable[[Path], bytes]] = {
    "a.csv": lambda _: LOG.encode(),
    "a.json": lambda _: json.dumps({"a": [1, 2.5, {"b": "2024-01-01"}]}).encode(),
    "a.jsonl": lambda _: b'{"a": 1}\n{"a": 2}\n',
    "a.db": lambda path: database(path / "fuzzed", [(n, n / 3, "a", None) for n in range(30)]),
    "a.zip": lambda _: zipped({"a.csv": LOG.encode(), "b.txt": b"text" * 99}),
    "a.keras": lambda _: zipped({"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
    "a.tar": lambda _: tarred({"a.csv": LOG.encode()}),
    "a.tar.gz": lambda _: gzip.compress(tarred({"a.csv": LOG.encode()}), mtime=0),
    "a.csv.xz": lambda _: lzma.compress(LOG.encode() * 9),
    "a.csv.bz2": lambda _: bz2.compress(LOG.encode() * 9),
    "a.png": lambda _: png(bytes(range(64)), size=(8, 8)),
    "a.pdf": lambda _: pdf("20240101100000Z", "aa00"),
    "a.svg": lambda _: svg("3fa9c2d1e0", "2024-01-01", "1.5").encode(),
    "a.txt": lambda _: "loss: 0.5 – 3s\r\x1b[1mé\n".encode() * 5,
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_files_have_an_answer(tmp_path: Path, content: Compare, name: str) -> None:
    whole, draw = WHOLE[name](tmp_path), random.Random(name)
    for _ in range(40):
        changed = bytearray(whole)
        for _ in range(draw.choice((1, 2, 30))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        part = bytes(changed)[: draw.choice((len(whole), draw.randrange(len(whole))))]
        found = content(whole, part, name)
        assert isinstance(found.how, str)
        content(part, whole[::-1], name)
        assert content(part, part, name).same


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(WHOLE)), st.binary(), st.binary())
def test_any_bytes_under_any_name_have_an_answer(
    content: Compare, name: str, left: bytes, right: bytes
) -> None:
    found = content(left, right, name)
    assert found.same or left != right


def test_json_that_is_nested_too_deeply_is_compared_by_bytes(content: Compare) -> None:
    found = content("[" * 10**5, "[" * 10**5 + "]", "a.json")
    assert found.how.startswith("by bytes (")


def test_an_archive_in_an_archive_and_so_on_ends(content: Compare) -> None:
    left, right = b"a", b"b"
    for _ in range(20):
        left, right = zipped({"a.zip": left}), zipped({"a.zip": right})
    found = content(left, right, "a.zip")
    assert not found.same
    assert "too many archives" in found.differences[0].place + found.how or found.count == 1


def test_a_zip_that_is_encrypted_or_holds_a_name_twice(content: Compare) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", "2")
    twice = file.getvalue()
    found = content(twice, twice.replace(b"2PK", b"3PK"), "a.zip")
    assert not found.same
    locked = bytearray(zipped({"a": b"secret"}))
    at = locked.index(b"PK\1\2")
    locked[6] |= 1
    locked[at + 8] |= 1
    found = content(bytes(locked), bytes(locked[:-1]) + b"\1", "a.zip")
    assert not found.same


def test_the_summary_begins_with_what_was_printed_then_metrics_weights_and_the_rest(
    content: Compare,
) -> None:
    printed = content(
        "val_loss: 0.5\nval_loss: 0.31", "val_loss: 0.5\nval_loss: 0.32", "standard output"
    )
    logged = content(LOG, LOG.replace("1.25", "1.26"), "log.csv")
    other = content(b"\0a", b"\0b", "other.bin")
    summary = summarised([other, logged, printed, content("a", "a", "same.txt")])
    assert [difference.metric for _, difference in summary.metrics] == ["val_loss", "loss"]
    assert summary.others == ("other.bin",)
    assert summary.sentences == (
        "val_loss: 0.31 against 0.32, 3.1 % apart (standard output, line 2).",
        "loss: 1.25 against 1.26, 0.79 % apart (log.csv, row 1, column loss).",
        "other.bin: differs at byte 1: 2 bytes against 2 bytes.",
    )
    assert summarised([content("a", "a", "same.txt")]).sentences == ()
