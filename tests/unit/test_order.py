"""The order of examples: a permutation, fresh in every epoch."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.data.order import order

SEEDS = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize("size", [*range(1, 70), 127, 128, 129, 255, 256, 257, 1437, 65537])
def test_every_example_comes_once(size: int) -> None:
    assert np.sort(order(0, 0, size)).tolist() == list(range(size))


@given(SEEDS, st.integers(0, 10**6), st.integers(1, 500))
def test_every_example_comes_once_whatever_seed_and_epoch(seed: int, epoch: int, size: int) -> None:
    assert np.sort(order(seed, epoch, size)).tolist() == list(range(size))


def test_epochs_seeds_and_sizes_have_orders_of_their_own() -> None:
    found = [order(seed, epoch, 200).tolist() for seed in range(5) for epoch in range(20)]
    assert len({tuple(one) for one in found}) == 100
    assert order(0, 0, 200).tolist() != [n for n in order(0, 0, 201).tolist() if n < 200]
    # Two random orders agree in one place on average; a dull cipher would in many.
    same = [np.equal(found[0], other).sum() for other in found[1:]]
    assert np.mean(same) < 2
    assert max(same) < 10


def test_no_order_is_the_one_on_disk() -> None:
    assert not any(order(0, epoch, 50).tolist() == list(range(50)) for epoch in range(200))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_all_orders_of_few_examples_come_equally_often(size: int) -> None:
    names = {p: n for n, p in enumerate(permutations(range(size)))}
    expected = 12
    draws = expected * len(names)
    found = (names[tuple(order(1, epoch, size).tolist())] for epoch in range(draws))
    counts = np.bincount(list(found), minlength=len(names))
    free = len(names) - 1
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert chi2 < free + 6 * np.sqrt(2 * free) + 10  # far in the tail of chi-square


@pytest.mark.parametrize("size", [16, 17, 40])
def test_each_example_comes_to_each_place_equally_often(size: int) -> None:
    expected = 12
    counts = np.zeros((size, size))
    for epoch in range(expected * size):
        counts[np.arange(size), order(2, epoch, size)] += 1
    free = (size - 1) ** 2
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert chi2 < free + 6 * np.sqrt(2 * free)


def test_neighbours_are_torn_apart() -> None:
    size = 512
    steps = [np.diff(order(0, epoch, size)) for epoch in range(50)]
    beside = sum(int((np.abs(step) == 1).sum()) for step in steps)
    assert 50 < beside < 160  # 2 in each order on average: 100
