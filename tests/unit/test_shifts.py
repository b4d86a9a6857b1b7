"""P-values of shifts: held against SciPy's own tests, and right as often as they say."""

import doctest
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from repro.stats import margins, seed_variance, shift_tests
from repro.stats.margins import Margin, judged
from repro.stats.seed_variance import bounds, std
from repro.stats.shift_tests import p_difference, p_equivalence, pairs
from scipy import stats

rng = np.random.default_rng(0)
ORIGINAL, REPEAT = rng.normal(0.98, 0.003, (2, 12))
MARGINS = [0.0005, 0.002, 0.004, 0.02]


@pytest.mark.parametrize("module", [shift_tests, margins, seed_variance])
def test_the_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).attempted > 0
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("side", ["less", "greater"])
def test_pairs_are_judged_as_by_students_and_wilcoxons_tests(margin: float, side: Any) -> None:
    apart = REPEAT - ORIGINAL
    t = stats.ttest_1samp(apart, margin, alternative=side).pvalue
    ranks = stats.wilcoxon(apart - margin, alternative=side, method="exact").pvalue
    found = pairs(ORIGINAL, REPEAT).tail(margin, side)
    assert float(found) == pytest.approx(max(t, ranks), rel=1e-9)


@pytest.mark.parametrize("margin", MARGINS)
def test_within_is_the_greater_and_beyond_twice_the_smaller_of_two_tests(margin: float) -> None:
    shift = pairs(ORIGINAL, REPEAT)
    tails = [
        float(shift.tail(sign * margin, side)) for sign, side in ((1, "less"), (-1, "greater"))
    ]
    assert float(p_equivalence(shift, margin)) == max(tails)
    others = [
        float(shift.tail(sign * margin, side)) for sign, side in ((1, "greater"), (-1, "less"))
    ]
    assert float(p_difference(shift, margin)) == min(1.0, 2 * min(others))


def test_four_pairs_show_nothing_and_five_do() -> None:
    still = np.zeros(5)
    assert float(p_equivalence(pairs(still[:4], still[:4]), 1.0)) == 1 / 16
    assert float(p_equivalence(pairs(still, still), 1.0)) == 1 / 32


def test_a_shift_of_just_the_margin_is_neither_within_nor_beyond() -> None:
    # 0.98 - 0.97 is not 0.01 in floating point.
    shift = pairs(np.full(9, 0.98), np.full(9, 0.97))
    assert float(p_equivalence(shift, 0.01)) > 0.4
    assert float(p_difference(shift, 0.01)) > 0.4


def test_ranks_take_what_rounding_parts_as_equal() -> None:
    # 0.2 + 0.1 is not 0.3 in floating point.
    shift = pairs(np.full(9, 0.3), np.full(9, 0.2))
    for side in ("less", "greater"):
        assert float(shift.ranks(-0.1, side)) > 0.4


def test_rows_are_experiments_of_their_own() -> None:
    many = pairs(np.stack([ORIGINAL, REPEAT]), np.stack([REPEAT, REPEAT + 1]))
    assert p_equivalence(many, 0.004)[0] == p_equivalence(pairs(ORIGINAL, REPEAT), 0.004)


VALUES = arrays.arrays(
    float, 8, elements=st.integers(-1000, 1000).map(lambda whole: whole / 8), fill=st.nothing()
)


@given(VALUES, VALUES, st.integers(1, 4000))
def test_swapping_the_sides_changes_nothing(one: Any, other: Any, eighths: int) -> None:
    for ask in (p_equivalence, p_difference):
        there = ask(pairs(one, other), eighths / 8)
        back = ask(pairs(other, one), eighths / 8)
        assert float(there) == pytest.approx(float(back))


@given(VALUES, VALUES, st.integers(1, 4000), st.sampled_from([0.25, 2.0, 1024.0, 1 / 180]))
def test_the_unit_of_a_metric_does_not_matter(
    one: Any, other: Any, eighths: int, unit: float
) -> None:
    own, moved = pairs(one, other), pairs(unit * one, unit * other)
    for ask in (p_equivalence, p_difference):
        found = ask(moved, unit * eighths / 8)
        assert float(found) == pytest.approx(float(ask(own, eighths / 8)))


@given(VALUES, VALUES, st.integers(1, 4000), st.integers(1, 4000))
def test_a_larger_margin_is_kept_more_surely(one: Any, other: Any, first: int, more: int) -> None:
    shift = pairs(one, other)
    assert p_equivalence(shift, (first + more) / 8) <= p_equivalence(shift, first / 8) + 1e-12
    assert p_difference(shift, (first + more) / 8) >= p_difference(shift, first / 8) - 1e-12


@pytest.mark.parametrize("n", [2, 5, 20])
def test_limits_of_a_spread_are_those_of_the_textbook_for_a_normal_kurtosis(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed_variance, "KURTOSIS", 3.0 + 1e-12)
    low, high = bounds(2.0, n, 0.025)
    # With κ = 3 the variance of s² is 2σ⁴/(n - 1), and the limits the chi-squared ones.
    assert float(low) == pytest.approx(2 * ((n - 1) / stats.chi2.ppf(0.975, n - 1)) ** 0.5)
    assert float(high) == pytest.approx(2 * ((n - 1) / stats.chi2.ppf(0.025, n - 1)) ** 0.5)


def _normal(generator: Any, size: Any) -> Any:
    return generator.standard_normal(size)


def _exponential(generator: Any, size: Any) -> Any:
    return generator.exponential(size=size) - 1


def _two_values(generator: Any, size: Any) -> Any:
    return generator.choice((-1.0, 1.0), size)


REPETITIONS = 2000
# The largest count that 5 % gives with 99.9 %; an alpha of 10 % would give more than it.
MOST = int(stats.binom.ppf(0.999, REPETITIONS, 0.05))


@pytest.mark.parametrize("shape", [_normal, _exponential, _two_values])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_answers_are_wrong_in_five_percent_at_most(shape: Any, n: int) -> None:
    generator = np.random.default_rng(1)
    original, repeat = shape(generator, (REPETITIONS, n)), shape(generator, (REPETITIONS, n))
    margin = 4.0
    for shifted in (repeat + margin, repeat - margin):
        found = judged(pairs(original, shifted), Margin(margin), std(original), n)
        assert np.count_nonzero(found.within <= 0.05) <= MOST
        assert np.count_nonzero(found.beyond <= 0.05) <= MOST


def test_twice_the_alpha_would_be_seen() -> None:
    generator = np.random.default_rng(1)
    original, repeat = _normal(generator, (2, REPETITIONS, 20))
    found = judged(pairs(original, repeat + 4), Margin(4.0), std(original), 20)
    assert np.count_nonzero(found.within <= 0.1) > MOST
    assert np.count_nonzero(found.beyond <= 0.2) > MOST


def test_a_share_of_the_spread_pays_for_what_is_not_known_of_it() -> None:
    shift, own = pairs(ORIGINAL, REPEAT), float(std(ORIGINAL))
    found = judged(shift, Margin(3.0, of_spread=True), own, 12)
    low, high = bounds(own, 12, 0.025)
    assert (float(found.low), float(found.high)) == pytest.approx((3 * low, 3 * high))
    assert float(found.within) == pytest.approx(float(p_equivalence(shift, 3 * low)) + 0.025)
    far = pairs(ORIGINAL, REPEAT + 1)
    found = judged(far, Margin(3.0, of_spread=True), own, 12)
    assert float(found.beyond) == pytest.approx(float(p_difference(far, 3 * high)) + 0.025)


@pytest.mark.parametrize("shape", [_normal, _exponential])
@pytest.mark.parametrize("n", [10, 30])
def test_the_spread_s_own_error_is_carried_through(shape: Any, n: int) -> None:
    generator = np.random.default_rng(2)
    original, noise = shape(generator, (REPETITIONS, n)), shape(generator, (REPETITIONS, n))
    # A shift of three true deviations; the deviation that is seen is often larger than that.
    repeat, margin = original + 0.1 * noise + 3, Margin(3.0, of_spread=True)
    own, shift = std(original), pairs(original, repeat)
    assert np.count_nonzero(judged(shift, margin, own, n).within <= 0.05) <= MOST
    assert np.count_nonzero(p_equivalence(shift, 3 * own) <= 0.05) > 2 * MOST


def test_one_of_many_metrics_beyond_its_margin_is_corrected_for() -> None:
    shift, own = pairs(ORIGINAL, REPEAT + 0.02), float(std(ORIGINAL))
    alone, among = (judged(shift, Margin(0.005), own, 12, family=size) for size in (1, 7))
    assert float(among.beyond) == pytest.approx(7 * float(alone.beyond))
    assert float(among.within) == float(alone.within)
