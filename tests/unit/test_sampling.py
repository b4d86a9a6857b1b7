"""Spread between seeds and error of the test split: apart, and known or explained."""

import doctest
import json
from dataclasses import asdict

import numpy as np
import pytest
from repro.stats import sampling_error
from repro.stats.sampling_error import sampled, unsampled
from repro.stats.seed_variance import Value, spread
from scipy import stats

pytestmark = pytest.mark.filterwarnings("error")


def test_the_examples_hold() -> None:
    assert doctest.testmod(sampling_error).attempted > 0
    assert doctest.testmod(sampling_error).failed == 0


def test_the_interval_of_a_share_is_wilsons() -> None:
    found = sampled("accuracy", np.arange(180) < 175)
    z, n, p = stats.norm.ppf(0.975), 180, 175 / 180
    middle, reach = p + z * z / 2 / n, z * (p * (1 - p) / n + z * z / 4 / n**2) ** 0.5
    expected = ((middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n))
    assert found.interval == pytest.approx(expected)
    assert found.error == pytest.approx((p * (1 - p) / n) ** 0.5)


def test_right_answers_alone_still_leave_an_error() -> None:
    found = sampled("accuracy", np.ones(20, bool))
    assert found.value == 1.0
    assert found.interval == (pytest.approx(0.839, abs=1e-3), pytest.approx(1.0))


def test_a_share_of_no_example_says_so() -> None:
    assert sampled("recall of class 1", np.ones(0, bool)).why == (
        "no example counts for recall of class 1"
    )


def test_what_has_no_sampling_error_says_why() -> None:
    found = unsampled("loss", 180)
    assert (found.error, found.interval, found.examples) == (None, None, 180)
    assert found.why is not None
    assert "loss is no share of right answers" in found.why


def test_the_spread_is_that_between_seeds() -> None:
    values = [0.98, 0.975, 0.99, 0.981]
    found = spread("accuracy", dict(enumerate(values)))
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    # Where one more result is expected: the classical prediction interval.
    reach = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * (5 / 4) ** 0.5
    assert found.expected == pytest.approx((np.mean(values) - reach, np.mean(values) + reach))
    assert found.low is not None
    assert found.high is not None
    assert found.low < np.std(values, ddof=1) < found.high


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "it takes two"),
        ({0: 1.0}, "it takes two"),
        ({0: 1.0, 4: "nan"}, "no finite number for seed 4"),
        ({0: 1e200, 1: 1.0}, "no finite number for seed 0"),
        (dict.fromkeys(range(7), 0.1), "all 7 seeds gave the same"),
    ],
)
def test_a_spread_that_is_not_known_says_why(values: dict[int, Value], words: str) -> None:
    found = spread("loss", values)
    json.dumps(asdict(found), allow_nan=False)
    assert found.why is not None
    assert words in found.why
    assert not found.deviation
    assert found.expected is None
