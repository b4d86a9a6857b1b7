"""Digests: whatever changes in a folder or a value changes its digest, and nothing else does."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.digest import (
    HashedOnce,
    files_below,
    sha256_file,
    sha256_files,
    sha256_tree,
    sha256_value,
)
from repro.core.seeding import keys, splitmix64


def test_splitmix64_is_the_published_one() -> None:
    # The first outputs of SplitMix64 for the seed 1234567, as its authors' C source gives them.
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + n * golden) % 2**64 for n in (1, 2, 3)], np.uint64)
    assert splitmix64(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_other_names_give_unrelated_keys() -> None:
    assert not set(keys("a", 100).tolist()) & set(keys("b", 100).tolist())
    assert keys("a", 5).tolist() == keys("a", 100).tolist()[:5]


TREES = st.dictionaries(
    st.lists(st.text("ab.é ", min_size=1, max_size=3).filter(lambda n: n.strip(". ")),
             min_size=1, max_size=2).map("/".join),
    st.binary(max_size=8), min_size=1, max_size=5,
)  # fmt: skip


def build(root: Path, tree: dict[str, bytes], names: list[str]) -> bool:
    for name in names:
        try:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(tree[name])
        except OSError:  # a name is both a file and a folder
            return False
    return True


@given(TREES)
def test_a_folders_digest_depends_on_names_and_content_alone(tree: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        names = list(tree)
        if not build(Path(one), tree, names):
            return
        assert build(Path(two), tree, names[::-1])
        for file in Path(two).rglob("*"):
            os.utime(file, (1, 1))
            file.chmod(0o755)
        plain = sha256_tree(Path(one))
        assert sha256_tree(Path(two)) == plain
        (Path(two) / names[0]).write_bytes(tree[names[0]] + b"\0")
        assert sha256_tree(Path(two)) != plain
        (Path(two) / names[0]).write_bytes(tree[names[0]])
        (Path(two) / names[0]).rename(Path(two) / "another name")
        assert sha256_tree(Path(two)) != plain


def test_a_file_more_or_less_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    plain = sha256_tree(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    assert sha256_tree(tmp_path) != plain


def test_what_others_leave_in_a_folder_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    plain = sha256_tree(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"x")
    (tmp_path / ".snakemake_timestamp").touch()
    assert sha256_tree(tmp_path) == plain


def test_a_linked_folder_counts_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "a"
    file.write_bytes(b"1")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    plain = sha256_tree(tmp_path / "data")
    assert [name for name, _ in files_below(tmp_path / "data")] == ["link/a"]
    file.write_bytes(b"2")
    assert sha256_tree(tmp_path / "data") != plain


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a.b", "a/b", "B", "é"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [name for name, _ in files_below(tmp_path)]
    assert names == sorted(names)
    assert len(names) == 5


def test_a_file_has_the_digest_that_sha256sum_gives(tmp_path: Path) -> None:
    file = tmp_path / "a"
    content = os.urandom(300_000)
    file.write_bytes(content)
    assert sha256_file(file) == sha256_tree(file) == hashlib.sha256(content).hexdigest()


def test_a_values_digest_ignores_the_order_of_keys() -> None:
    assert sha256_value({"a": 1, "b": 2}) == sha256_value({"b": 2, "a": 1})
    assert sha256_value({"a": 1}) != sha256_value({"a": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        sha256_value({"a": float("nan")})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read for a digest, each time."""
    names, whole = list[str](), hashlib.file_digest

    def noted(file: Any, method: str) -> Any:
        names.append(Path(file.name).name)
        return whole(file, method)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repro.core.digest.SETTLED", 0)


@pytest.mark.usefixtures("settled")
def test_a_file_that_stays_is_read_once_by_whatever_name(tmp_path: Path, read: list[str]) -> None:
    hashed = HashedOnce()
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").symlink_to("a")
    expected = hashlib.sha256(b"a").hexdigest()
    names = [tmp_path / "a", tmp_path / "b", tmp_path / ".." / tmp_path.name / "a"]
    assert [hashed(name) for name in names] == [expected] * 3
    assert sha256_files(tmp_path, hashed) == {"a": expected, "b": expected}
    assert read == ["a"]


def in_place(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"A")


def replaced(file: Path) -> None:
    file.with_name("new").write_bytes(b"A")
    file.with_name("new").replace(file)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", [in_place, replaced])
def test_another_content_of_the_same_size_and_time_is_seen(change: Any, tmp_path: Path) -> None:
    hashed, file = HashedOnce(), tmp_path / "a"
    file.write_bytes(b"a")
    hashed(file)
    before = file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # a clock of file times ticks slowly
        change(file)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashed(file) == hashlib.sha256(b"A").hexdigest()


def test_a_file_written_a_moment_ago_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """Another write may follow within the same tick of the clock that gives files their times."""
    hashed, file = HashedOnce(), tmp_path / "a"
    file.write_bytes(b"a")
    hashed(file)
    in_place(file)
    assert hashed(file) == hashlib.sha256(b"A").hexdigest()
    assert read == ["a", "a"]


@pytest.mark.usefixtures("settled")
def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed, file, whole = HashedOnce(), tmp_path / "a", hashlib.file_digest
    file.write_bytes(b"a")

    def disturbed(opened: Any, method: str) -> Any:
        digest = whole(opened, method)
        file.write_bytes(b"AA")
        return digest

    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", disturbed)
        assert hashed(file) == hashlib.sha256(b"a").hexdigest()
    assert hashed(file) == hashlib.sha256(b"AA").hexdigest()
