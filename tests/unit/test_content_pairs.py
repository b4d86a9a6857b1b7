"""Which file of one run answers which of another, and what the whole folders say."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repro.content.folders import Pair, compared_folders, paired
from repro.formats.masks import DATES, IDS, OBJECTS, TEMPORARY


def write(root: Path, *names: str, content: str = "x") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return tmp_path / "first", tmp_path / "second"


def pair_of(roots: tuple[Path, Path], left: str, right: str) -> tuple[Pair, ...]:
    write(roots[0], left)
    write(roots[1], right)
    return paired(*roots)


@pytest.mark.parametrize(
    ("left", "right", "kinds"),
    [
        (
            "logs/train/events.out.tfevents.1714000000.host-a.example.org.123.0.v2",
            "logs/train/events.out.tfevents.1914000000.host-a.example.org.77.0.v2",
            (IDS,),
        ),
        ("runs/Jan01_10-00-00_host/a", "runs/Mar02_23-59-01_host/a", (DATES,)),
        ("logs/20240101-100000/train/a", "logs/20260102-235901/train/a", (DATES,)),
        ("logs/2024-01-01 10:00:00/a.txt", "logs/2026-11-21 00:00:59/a.txt", (DATES,)),
        ("m-2024-01-01.keras", "m-2026-12-31.keras", (DATES,)),
        ("export/1714000000/a", "export/1914000001/a", (DATES,)),
        ("tmpab12cd34/a", "tmpzz98yy76/a", (TEMPORARY,)),
        ("run-3fa9c2d1/a", "run-0b1d2c3e/a", (OBJECTS,)),
        (
            "5f0c8f0e-3b1a-4c8e-9d43-0a1b2c3d4e5f.json",
            "6f0c8f0e-3b1a-4c8e-9d43-0a1b2c3d4e5f.json",
            (OBJECTS,),
        ),
        ("log_pid123.txt", "log_pid9.txt", (IDS,)),
    ],
)  # fmt: skip
def test_generated_parts_of_names_are_aligned_and_said(
    roots: tuple[Path, Path], left: str, right: str, kinds: tuple[str, ...]
) -> None:
    (pair,) = pair_of(roots, left, right)
    assert (pair.name, pair.left, pair.right) == (left, roots[0] / left, roots[1] / right)
    assert pair.generated == kinds
    assert pair.renamed is None
    (found,) = compared_folders(*roots, None)
    assert found.same
    assert found.masked == tuple(f"{kind} in its name" for kind in kinds)


def test_several_files_of_one_form_are_paired_in_their_order(roots: tuple[Path, Path]) -> None:
    for root, time in zip(roots, (1714000000, 1914000000), strict=True):
        for number in (2, 10, 9):
            write(root, f"events.out.tfevents.{time}.h.7.{number}.v2", content=str(number))
    assert [each.same for each in compared_folders(*roots, None)] == [True] * 3


def test_a_metric_in_a_name_is_a_difference(roots: tuple[Path, Path]) -> None:
    for epoch, (left, right) in enumerate(
        [("0.31", "0.32"), ("0.25", "0.25"), ("0.20", "0.21")], 9
    ):
        write(roots[0], f"w.{epoch:02}-{left}.txt")
        write(roots[1], f"w.{epoch:02}-{right}.txt")
    found = {each.name: each for each in compared_folders(*roots, None)}
    assert [each.same for each in found.values()] == [False, True, False]
    assert found["w.09-0.31.txt"].differences[0].right == "w.09-0.32.txt"


def test_unequally_many_names_are_not_guessed(roots: tuple[Path, Path]) -> None:
    write(roots[0], "ckpt_1", "ckpt_2")
    write(roots[1], "ckpt_3")
    assert [(pair.name, pair.renamed) for pair in paired(*roots)] == [
        ("ckpt_1", None), ("ckpt_2", None), ("ckpt_3", None),
    ]  # fmt: skip


def test_what_belongs_together_is_one(roots: tuple[Path, Path]) -> None:
    for root in roots:
        write(
            root,
            "c/ckpt-1.index",
            "c/ckpt-1.data-00000-of-00002",
            "c/ckpt-1.data-00001-of-00002",
            "c/checkpoint",
        )
        write(
            root,
            "export/saved_model.pb",
            "export/variables/variables.index",
            "alone.data-00000-of-00001",
        )
        write(root, "__pycache__/a.pyc", "p/__pycache__/a.pyc", "a.index")
        database = sqlite3.connect(root / "a.db")
        database.execute("create table t (a)")
        database.close()
        write(root, "a.db-wal", "b.db-wal")
    assert [pair.name for pair in paired(*roots)] == [
        "a.db", "a.index", "alone.data-00000-of-00001", "b.db-wal", "c/checkpoint",
        "c/ckpt-1.index", "export",
    ]  # fmt: skip


def test_links_pipes_and_folders(roots: tuple[Path, Path]) -> None:
    for root in roots:
        (root / "to").symlink_to("/no/such/place")
        os.mkfifo(root / "pipe")
        (root / "loop").symlink_to(".")
    (roots[0] / "latest").symlink_to("run-20240101-100000")
    (roots[1] / "latest").symlink_to("run-20260301-110000")
    (roots[0] / "other").symlink_to("a")
    (roots[1] / "other").symlink_to("b")
    write(roots[0], "kind/a")
    write(roots[1], "kind")
    (roots[0] / "empty").mkdir()
    (roots[0] / "both").mkdir()
    write(roots[1], "both/a")
    found = {each.name: each for each in compared_folders(*roots, None)}
    assert {name for name, each in found.items() if not each.same} == {
        "other", "kind", "kind/a", "empty", "both/a",
    }  # fmt: skip
    assert found["latest"].masked == (DATES,)
    assert found["pipe"].how == "not opened"


def test_a_root_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    write(tmp_path / "a", "x")
    assert [(p.left is None, p.right is None) for p in paired(tmp_path / "a", tmp_path / "b")] == [
        (False, True)
    ]
    assert paired(tmp_path / "c", tmp_path / "b") == ()


def test_what_is_not_wanted_is_left_out_and_each_pair_is_told(roots: tuple[Path, Path]) -> None:
    for root in roots:
        write(root, "a", "b")
    told: list[str] = []
    found = compared_folders(
        *roots, None, wanted=lambda name: name == "b", told=lambda pair: told.append(pair.name)
    )
    assert [each.name for each in found] == told == ["b"]


NAMES = st.lists(
    st.text(st.sampled_from("ab01.-_é "), min_size=1, max_size=12)
    .filter(lambda name: name.strip(".")),
    unique=True, max_size=8,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, NAMES)
def test_every_file_is_in_exactly_one_pair(
    tmp_path_factory: pytest.TempPathFactory, left: list[str], right: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    roots = folder / "a", folder / "b"
    for root, names in zip(roots, (left, right), strict=True):
        root.mkdir()
        write(root, *names)
    pairs = paired(*roots)
    assert sorted(str(p.left.name) for p in pairs if p.left) == sorted(left)
    assert sorted(str(p.right.name) for p in pairs if p.right) == sorted(right)
    for pair in pairs:
        if pair.left and pair.right and pair.left.name != pair.right.name:
            assert pair.generated or pair.renamed
