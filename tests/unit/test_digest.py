"""Digests: whatever changes in an array or a folder changes its digest, and nothing else does."""

import hashlib
import os
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from repro.core.digest import (
    BLOCK,
    STEP_DIGEST,
    files_below,
    keys,
    multilinear64,
    sha256_file,
    sha256_tree,
    sha256_value,
    splitmix64,
    words_of,
)

FLOATS = arrays.arrays(np.float32, st.integers(1, 3 * BLOCK), elements=st.floats(-10, 10, width=32))


def digest(array: np.ndarray) -> int:
    return multilinear64(words_of(array))


def two_adic(number: int) -> int:
    """How often 2 divides the number."""
    return (number & -number).bit_length() - 1


@given(FLOATS, st.data())
def test_every_single_bit_changes_the_digest(array: np.ndarray, data: st.DataObject) -> None:
    bits = array.view(np.uint32).copy()
    place = data.draw(st.integers(0, len(bits) - 1))
    bits[place] ^= np.uint32(1 << data.draw(st.integers(0, 31)))
    assert digest(bits.view(np.float32)) != digest(array)


def test_every_bit_of_a_block_counts() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, 40, dtype=np.uint64)
    plain = multilinear64(words)
    for place in range(40):
        for bit in range(32):
            changed = words.copy()
            changed[place] ^= np.uint64(1 << bit)
            assert multilinear64(changed) != plain


def test_the_keys_let_no_two_sign_flips_cancel() -> None:
    # Flipping the sign bits of the words i and j changes a row's sum by 2**31 times the sum or
    # difference of their keys, which is 0 modulo 2**64 only where 2**33 divides that.
    chosen = [int(key) for key in keys(STEP_DIGEST, BLOCK)]
    for a, b in combinations(chosen, 2):
        assert two_adic(a + b) < 33
        assert two_adic(a - b) < 33


def test_the_keys_let_no_swap_of_two_words_pass() -> None:
    # Swapping u and v changes the sum by (u - v) times the difference of the keys; the first is
    # below 2**32, so the product is 0 modulo 2**64 only where 2**33 divides the second.
    chosen = [int(key) for key in keys(STEP_DIGEST, BLOCK)]
    assert all(key % 2 for key in chosen)
    assert len(set(chosen)) == BLOCK
    assert max(two_adic(a - b) for a, b in combinations(chosen, 2)) <= 32


@given(FLOATS, st.data())
def test_an_even_number_of_sign_flips_is_found(array: np.ndarray, data: st.DataObject) -> None:
    places = st.integers(0, len(array) - 1)
    flips = (
        data.draw(st.lists(places, min_size=2, max_size=8, unique=True)) if len(array) > 1 else [0]
    )
    changed = array.copy()
    changed[flips] = np.copysign(1, -np.copysign(1, array[flips])) * np.abs(array[flips])
    assert changed.tobytes() != array.tobytes()
    assert digest(changed) != digest(array)


def test_negative_zero_is_another_zero() -> None:
    zeros = np.zeros(10, np.float32)
    changed = zeros.copy()
    changed[[3, 7]] = -0.0
    assert (changed == zeros).all()
    assert digest(changed) != digest(zeros)


@given(FLOATS, st.randoms(use_true_random=False))
def test_a_permutation_is_found(array: np.ndarray, random: object) -> None:
    order = list(range(len(array)))
    random.shuffle(order)  # type: ignore[attr-defined]
    changed = array[order]
    assert (digest(changed) == digest(array)) == (changed.tobytes() == array.tobytes())


def test_rows_cannot_change_places() -> None:
    rows = np.random.default_rng(0).integers(0, 2**32, (6, BLOCK), dtype=np.uint64)
    plain = multilinear64(rows.ravel())
    for a, b in combinations(range(6), 2):
        changed = rows.copy()
        changed[[a, b]] = rows[[b, a]]
        assert multilinear64(changed.ravel()) != plain


def test_many_small_arrays_have_digests_of_their_own() -> None:
    random = np.random.default_rng(0)
    found = {digest(random.normal(size=5).astype(np.float32)) for _ in range(5000)}
    assert len(found) == 5000


def test_the_digest_spreads_over_all_bits() -> None:
    random = np.random.default_rng(0)
    found = [digest(random.normal(size=5)) for _ in range(4000)]
    shares = [sum(d >> bit & 1 for d in found) / 4000 for bit in range(64)]
    assert all(abs(share - 0.5) < 0.06 for share in shares)  # 7 standard deviations


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK])
def test_the_digest_follows_its_definition(count: int) -> None:
    words = np.random.default_rng(count).integers(0, 2**32, count, dtype=np.uint64)
    chosen, mask = [int(key) for key in keys(STEP_DIGEST, BLOCK)], 2**64 - 1
    total = 0
    for row in range(-(-count // BLOCK)):
        part = words[row * BLOCK : (row + 1) * BLOCK]
        value = sum(int(w) * k for w, k in zip(part, chosen, strict=False))
        value = (value + (row + 1) * 0x9E3779B97F4A7C15) & mask
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & mask
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & mask
        total += value ^ (value >> 31)
    assert multilinear64(words) == total & mask


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


@pytest.mark.parametrize("dtype", ["u1", "<f2", "<f4", "<f8", "<i8", "?", "<U3"])
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_words_hold_the_arrays_bytes(dtype: str, count: int) -> None:
    array = np.zeros(count, dtype)
    array[:] = np.arange(count).astype(dtype)
    words = words_of(array)
    content = words.astype("<u4").tobytes()
    assert content[: array.nbytes] == array.tobytes()
    assert not any(content[array.nbytes :])
    assert len(content) - array.nbytes < 4


def test_words_of_a_view_are_those_of_its_copy() -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert words_of(array.T).tolist() == words_of(array.T.copy()).tolist()
    assert words_of(array[:, ::2]).tolist() == words_of(array[:, ::2].copy()).tolist()


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
