"""prepare: the digest of the raw data first, then the same bytes from the same examples."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.arrays.nested import rebuilt
from repro.core.digest import sha256_file, sha256_tree
from repro.core.errors import UserError
from repro.core.parameters import PrepareParameters, RawData, Threads
from repro.data.dataset import examples_of, split
from repro.data.prepare import check_sources, part, prepare
from repro.data.user_code import load

CODE = """
import numpy as np

def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",")
    order = np.random.default_rng(settings["order"]).permutation(len(table))
    x, y = table[order, :2].astype(np.float32), table[order, 2].astype(np.int32)
    return {"x": {"a": x[:, 0], "b": x}, "y": y, "sample_weight": x[:, 0] ** 2}

def model(settings, seeds): ...
"""


def raw(folder: Path) -> Path:
    file = folder / "data.csv"
    table = np.random.default_rng(0).integers(0, 9, (300, 3))
    np.savetxt(file, table, delimiter=",", fmt="%d")
    return file


def parameters(file: Path, **settings: Any) -> PrepareParameters:
    return PrepareParameters(
        threads=Threads(2, 1),
        data={"": RawData(file.name, sha256_file(file))},
        data_seed=0,
        split={"train": 0.6, "validation": 0.2, "test": 0.2},
        settings=settings,
    )


def prepared(tmp_path: Path, name: str, source: str = CODE, **settings: Any) -> Path:
    (tmp_path / "code.py").write_text(source)
    file, folder = raw(tmp_path), tmp_path / name
    prepare(load(tmp_path / "code.py"), {"": file}, parameters(file, **settings), folder)
    return folder


def test_the_same_bytes_whatever_order_the_rows_come_in(tmp_path: Path) -> None:
    one = prepared(tmp_path, "one", order=1)
    two = prepared(tmp_path, "two", order=2)
    files = sorted(f.relative_to(one) for f in one.rglob("*.npy"))
    assert len(files) == 15
    assert sha256_tree(one) == sha256_tree(two)


def test_columns_are_read_as_they_were_and_memory_mapped(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "out", order=1)
    arrays = {name: part(folder, name) for name in ("train", "validation", "test")}
    assert sum(len(a["id"]) for a in arrays.values()) == 300
    train = arrays["train"]
    assert all(isinstance(array, np.memmap) for array in train.values())
    assert train["x.b"].dtype == np.float32
    assert train["y"].dtype == np.int32
    np.testing.assert_array_equal(train["x.b"][:, 0], train["x.a"])
    np.testing.assert_array_equal(train["sample_weight"], train["x.a"] ** 2)
    assert set(rebuilt(train, "x")) == {"a", "b"}
    assert rebuilt(train, "y") is train["y"]
    assert rebuilt(train, "group") is None
    table = np.loadtxt(tmp_path / "data.csv", delimiter=",")
    rows = np.concatenate([np.c_[a["x.b"], a["y"]] for a in arrays.values()])
    assert sorted(rows.tolist()) == sorted(table.tolist())


def test_rows_in_blocks_are_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepared(tmp_path, "whole", order=1)
    monkeypatch.setattr("repro.data.prepare._ROWS", 7)
    assert sha256_tree(prepared(tmp_path, "blocks", order=1)) == sha256_tree(whole)


def test_how_far_the_parts_overlap_is_handed_back(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE.replace('"y": y,', '"y": y, "id": np.arange(300),'))
    file, folder = raw(tmp_path), tmp_path / "out"
    code, wanted = load(tmp_path / "code.py"), parameters(file, order=1)
    found = prepare(code, {"": file}, wanted, folder).overlap
    train, test = (set(map(tuple, part(folder, name)["x.b"])) for name in ("train", "test"))
    rows = part(folder, "test")["x.b"]
    assert train & test
    assert found["test"]["examples"] == len(rows)
    assert found["test"]["in_train"] == sum(tuple(row) in train for row in rows)
    (tmp_path / "code.py").write_text(CODE)
    found = prepare(load(tmp_path / "code.py"), {"": file}, wanted, folder).overlap
    assert {name: p["in_train"] for name, p in found.items()} == {"validation": 0, "test": 0}


def test_the_split_is_that_of_the_stream_split(tmp_path: Path) -> None:
    from repro.core.seeding import Seeds

    folder = prepared(tmp_path, "out", order=1)
    table = np.loadtxt(tmp_path / "data.csv", delimiter=",").astype(np.float32)
    returned = {"x": {"a": table[:, 0], "b": table[:, :2]}, "y": table[:, 2].astype(np.int32),
                "sample_weight": table[:, 0] ** 2}  # fmt: skip
    examples = examples_of(returned)
    rows = split(examples, parameters(tmp_path / "data.csv").split, Seeds(0)("split"))
    for name, chosen in rows.items():
        assert part(folder, name)["id"].tolist() == [examples.ids[row] for row in chosen]


def test_text_of_the_users_is_kept(tmp_path: Path) -> None:
    source = CODE.replace('"y": y', '"y": np.array(["é", "longer"])[(y > 4).astype(int)]')
    train = part(prepared(tmp_path, "out", source, order=1), "train")
    assert set(train["y"].tolist()) == {"é", "longer"}


@pytest.mark.parametrize("odd", ["", "b"])
def test_a_wrong_digest_is_refused_and_both_are_told(odd: str) -> None:
    data = {name: RawData(f"in/{name or 'a'}", "0" * 64) for name in ("", "b")}
    found = {"": "0" * 64, "b": "0" * 64}
    check_sources(data, found)
    with pytest.raises(UserError) as error:
        check_sources(data, {**found, odd: "1" * 64})
    assert f"Expected in/{odd or 'a'} to have sha256 {'0' * 64}." in str(error.value)
    assert f"Received {'1' * 64}." in str(error.value)


def test_several_sources_come_by_name(tmp_path: Path) -> None:
    source = CODE.replace("np.loadtxt(data,", 'np.loadtxt(data["left"],')
    (tmp_path / "code.py").write_text(source)
    file = raw(tmp_path)
    wanted = parameters(file, order=1)
    wanted = replace(wanted, data=dict.fromkeys(("left", "right"), wanted.data[""]))
    sources = {"left": file, "right": file}
    prepare(load(tmp_path / "code.py"), sources, wanted, tmp_path / "out")
    assert len(part(tmp_path / "out", "train")["id"]) > 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (CODE.replace('"y": y', '"y": y[1:]'), "one length"),
        (CODE.replace("table[order, :2]", "table[order, :9] / undefined"), "NameError"),
        (CODE.replace("(data, settings, seeds):\n", "(data):\n", 1), r"dataset\(data\)`"),
    ],
)
def test_a_mistake_of_the_users_keeps_the_old_and_leaves_nothing_else(
    tmp_path: Path, source: str, words: str
) -> None:
    old = prepared(tmp_path, "out", order=1)
    before = sha256_tree(old)
    with pytest.raises(UserError, match=words):
        prepared(tmp_path, "out", source, order=1)
    assert sha256_tree(old) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["code.py", "data.csv", "out"]


MADE_UP = """
import numpy as np

def dataset(data, settings, seeds):
    LINE
    return {"train": (np.arange(30.0), np.arange(30.0)), "test": (np.arange(5.0), np.arange(5.0))}

def model(settings, seeds): ...
"""


def without_data(folder: Path, line: str, shares: dict[str, float]) -> Path:
    (folder / "code.py").write_text(MADE_UP.replace("LINE", line))
    asked = PrepareParameters(
        threads=Threads(2, 1), data={}, data_seed=0, split=shares, settings={}
    )
    prepare(load(folder / "code.py"), {}, asked, folder / "out")
    return folder / "out"


def test_without_raw_data_dataset_gets_none(tmp_path: Path) -> None:
    shares = {"train": 0.8, "validation": 0.2, "test": 0.0}
    folder = without_data(tmp_path, "assert data is None", shares)
    sizes = [len(part(folder, name)["id"]) for name in ("train", "validation", "test")]
    assert sizes[2] == 5
    assert sum(sizes) == 35


@pytest.mark.parametrize("line", ["open(data)", "data['left']", "np.loadtxt(data)"])
def test_who_reads_raw_data_that_nobody_named_is_told(line: str, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"code\.py, line 5.* names no `data`: what `dataset` reads"
    ):
        without_data(tmp_path, line, {"train": 0.8, "validation": 0.1, "test": 0.1})


def test_a_test_part_that_is_neither_given_nor_split_off_is_missed(tmp_path: Path) -> None:
    line = "return np.arange(30.0), np.arange(30.0)"
    with pytest.raises(UserError, match=r"Expected a part `test`.*`split\.test` a share"):
        without_data(tmp_path, line, {"train": 0.8, "validation": 0.2, "test": 0.0})


def test_a_part_that_has_no_share_is_empty(tmp_path: Path) -> None:
    assert part(prepared(tmp_path, "out", order=1), "none") == {}
