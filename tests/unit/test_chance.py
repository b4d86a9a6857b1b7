"""What n repeats can see of a rare race, held against every outcome that there is."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.stats.detection_power import CONFIDENCE, limits, rarest, seen

REPEATS = st.integers(1, 99)


def enumerated(share: float, repeats: int) -> float:
    """The probability that runs differ, summed over every way in which n + 1 runs may go."""
    ways = itertools.product((share, 1 - share), repeat=repeats + 1)
    return sum(math.prod(way) for way in ways if len(set(way)) > 1)


@pytest.mark.parametrize("repeats", range(1, 11))
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.4])
def test_the_probability_is_that_of_all_outcomes(share: float, repeats: int) -> None:
    assert seen(share, repeats) == pytest.approx(enumerated(share, repeats), abs=1e-12)


def test_the_probability_is_what_a_simulation_finds() -> None:
    draw, times = random.Random(0), 40_000
    share, repeats = 0.3, 4
    found = sum(len({draw.random() < share for _ in range(repeats + 1)}) > 1 for _ in range(times))
    assert found / times == pytest.approx(seen(share, repeats), abs=4 * 0.5 / math.sqrt(times))


@given(REPEATS)
def test_the_rarest_share_is_the_smallest_that_is_seen_with_95_percent(repeats: int) -> None:
    share = rarest(repeats)
    if share is None:
        assert max(seen(k / 1000, repeats) for k in range(1001)) < CONFIDENCE
    else:
        assert seen(share, repeats) >= CONFIDENCE > seen(share - 0.0001, repeats)


def test_fewer_than_five_repeats_see_no_race_with_95_percent() -> None:
    assert [rarest(n) for n in (1, 2, 3, 4)] == [None] * 4
    assert rarest(5) == pytest.approx(0.4019)


@given(REPEATS)
def test_more_repeats_see_rarer_races(repeats: int) -> None:
    assert (rarest(repeats + 1) or 1) <= (rarest(repeats) or 1)


@pytest.mark.parametrize(
    ("repeats", "words"),
    [
        (1, "1 repeat cannot rule out a rare race"),
        (1, "2 runs show it with a probability of 50 % at most; 95 % takes `repeats: 5`."),
        (3, "4 runs show it with a probability of 87.5 % at most; 95 % takes `repeats: 5`."),
        (5, "seen with 95 % where the rarer of its outcomes comes up in 40.19 % of runs or more"),
        (99, "2.96 % of runs or more"),
    ],
)
def test_the_words_tell_the_number_of_repeats_and_what_they_show(repeats: int, words: str) -> None:
    assert words in limits(repeats)
