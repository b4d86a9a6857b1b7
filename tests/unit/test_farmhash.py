"""The step digest: what differs between two runs gets digests that differ as by chance."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from reference_farmhash import farmhash64

Words = npt.NDArray[np.uint32]

# On both sides of each length at which the method changes, and many blocks.
SIZES = [1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 80, 771]
FLOATS = st.sampled_from(SIZES).flatmap(
    lambda size: arrays.arrays(np.float32, size, elements=st.floats(-10, 10, width=32))
)
SIGN = np.uint32(1 << 31)


def differ(one: npt.NDArray[np.float32], two: npt.NDArray[np.float32]) -> bool:
    a, b = farmhash64(np.stack([one, two]))
    return bool(a != b)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1footrue", -1541654101129638711),
        ("2applefalse", 2794438866806483259),
        ("3true", -4880158226897771312),
        ("Amazon Redshift", 8085098817162212970),
    ],
)
def test_it_is_the_published_one(text: str, expected: int) -> None:
    # As the manuals of databases that have it give it; longer ones stand in tests/keras.
    content = np.frombuffer(text.encode(), np.uint8)
    assert farmhash64(content[None]).view(np.int64)[0] == expected


@pytest.mark.parametrize("size", SIZES)
def test_every_bit_counts(size: int) -> None:
    words = np.random.default_rng(size).integers(0, 2**32, size, np.uint32)
    changed = np.repeat(words[None], 32 * size, 0)
    bits = np.arange(32 * size)
    changed[bits, bits // 32] ^= (1 << bits % 32).astype(np.uint32)
    found = farmhash64(np.concatenate([words[None], changed]))
    assert len(np.unique(found)) == 32 * size + 1


@given(FLOATS, st.data())
def test_an_even_number_of_sign_flips_is_found(
    array: npt.NDArray[np.float32], data: st.DataObject
) -> None:
    places = st.integers(0, len(array) - 1)
    flips = (
        data.draw(st.lists(places, min_size=2, max_size=8, unique=True)) if len(array) > 1 else 0
    )
    changed = array.copy()
    changed[flips] *= -1
    assert differ(array, changed)


@pytest.mark.parametrize("size", SIZES)
def test_negative_zeros_are_other_zeros(size: int) -> None:
    zeros = np.zeros((size + 2, size), np.float32)
    zeros[np.arange(size), np.arange(size)] = -0.0
    zeros[size] = -0.0
    assert len(np.unique(farmhash64(zeros))) == len(np.unique(zeros.view(np.uint32), axis=0))


@given(FLOATS, st.randoms(use_true_random=False))
def test_a_permutation_is_found(array: npt.NDArray[np.float32], random: object) -> None:
    order = list(range(len(array)))
    random.shuffle(order)  # type: ignore[attr-defined]
    changed = array[order]
    assert differ(array, changed) == (changed.tobytes() != array.tobytes())


def _signs(words: Words, chosen: npt.NDArray[np.bool_]) -> Words:
    return words ^ np.where(chosen, SIGN, np.uint32(0))


def pairs_of_signs(words: Words, rng: np.random.Generator) -> Words:
    one, two = np.triu_indices(words.size, 1)
    chosen = np.zeros((len(one), words.size), bool)
    chosen[np.arange(len(one)), one] = chosen[np.arange(len(one)), two] = True
    return _signs(words, chosen)


def any_signs(words: Words, rng: np.random.Generator) -> Words:
    return _signs(words, rng.random((12000, words.size)) < rng.random((12000, 1)))


def signs_of_columns(words: Words, rng: np.random.Generator) -> Words:
    """Of a matrix with 16 columns: what exchanging a unit for its negative does to weights."""
    subsets = np.arange(2**16)[::5, None] >> np.arange(words.size) % 16 & 1
    return _signs(words, subsets.astype(bool))


def swaps(words: Words, rng: np.random.Generator) -> Words:
    one, two = np.triu_indices(words.size, 1)
    changed = np.repeat(words[None], len(one), 0)
    changed[np.arange(len(one)), one], changed[np.arange(len(one)), two] = words[two], words[one]
    return changed


def permutations(words: Words, rng: np.random.Generator) -> Words:
    return rng.permuted(np.repeat(words[None], 12000, 0), axis=1)


def blocks(words: Words, rng: np.random.Generator) -> Words:
    """Parts of 64 bytes, which the method reads at once, in other orders."""
    whole = words[: words.size // 16 * 16].reshape(-1, 16)
    return np.stack([rng.permutation(whole).ravel() for _ in range(12000)])


def last_bits(words: Words, rng: np.random.Generator) -> Words:
    """What another order of adding does to weights."""
    return words + rng.integers(0, 2, (12000, words.size), np.uint32)


def few_numbers(words: Words, rng: np.random.Generator) -> Words:
    """Zeros but for a few small whole numbers, as of labels, masks and new weights."""
    numbers = rng.integers(-2, 3, (20000, words.size)) * (rng.random((20000, words.size)) < 0.02)
    return numbers.astype(np.float32).view(np.uint32)


CHANGES = [pairs_of_signs, any_signs, signs_of_columns, swaps, permutations, blocks, last_bits,
           few_numbers]  # fmt: skip


def surplus(digests: npt.NDArray[np.uint64], shift: int) -> float:
    """Equal ones among 24 bits of each digest, beyond chance, in standard deviations."""
    digests = (digests >> np.uint64(shift)) % np.uint64(2**24)
    expected = len(digests) ** 2 / 2**25
    return (len(digests) - len(np.unique(digests)) - expected) / expected**0.5


@pytest.mark.slow
@pytest.mark.parametrize("size", [160, 257])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_meet_as_seldom_as_by_chance(
    change: Callable[[Words, np.random.Generator], Words], size: int
) -> None:
    rng = np.random.default_rng(0)
    words = rng.normal(size=size).astype(np.float32).view(np.uint32)
    changed = rng.permutation(np.unique(change(words, rng), axis=0))[:12000]
    assert len(changed) > 9000
    found = farmhash64(changed)
    assert len(np.unique(found)) == len(changed)
    assert max(surplus(found, shift) for shift in (0, 8, 16, 24, 32, 40)) < 5


def test_who_knows_the_method_can_make_two_tensors_with_one_digest() -> None:
    # The limit that its documentation tells. Bit 63 passes sums and products unmixed.
    flipped = [4, 5, 8, 9, 12, 13, 14, 15, 17, 24, 29, 30, 31, 37, 38]
    array = np.random.default_rng(0).normal(size=80).astype(np.float32)
    changed = array.copy()
    changed[[2 * place + 1 for place in flipped]] *= -1
    assert not differ(array, changed)


@pytest.mark.parametrize("shape", [(2, 0), (2,), (2, 3, 4), (2, 4096)])
@pytest.mark.parametrize("dtype", ["float16", "float64", "bool", "int8", "<U3"])
def test_it_looks_at_bytes_alone(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    content = np.frombuffer(array.tobytes(), np.uint8).reshape(2, -1 if array.size else 0)
    assert farmhash64(array).tolist() == farmhash64(content).tolist()
    assert farmhash64(array[::-1]).tolist() == farmhash64(content).tolist()[::-1]
