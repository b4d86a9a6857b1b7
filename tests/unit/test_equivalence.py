"""The judge of metrics: three answers, what they rest on, and words for whatever it is given."""

import doctest
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.errors import UserError
from repro.stats import equivalence as module
from repro.stats import family as families
from repro.stats import interim_analysis, sample_size, shift_tests
from repro.stats.equivalence import Equivalence, equivalence
from repro.stats.family import family
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET
from repro.stats.interim_analysis import looks
from repro.stats.margins import Margin, judged
from repro.stats.sample_size import SampleSizePlan, required_runs
from scipy import stats

pytestmark = pytest.mark.filterwarnings("error")

Results = dict[int, Any]


def drawn(n: int, seed: int, mean: float = 0.98, deviation: float = 0.002) -> Results:
    values = np.random.default_rng(seed).normal(mean, deviation, n)
    return dict(enumerate(map(float, values)))


def moved(results: Results, by: float, first: int = 0) -> Results:
    """The same results, shifted, of the seeds from `first` on."""
    return {first + seed: value + by for seed, value in results.items()}


def asked(original: Results, repeat: Results, margin: float = 0.005, **more: Any) -> Equivalence:
    found = equivalence("accuracy", original, repeat, Margin(margin), **more)
    json.dumps(asdict(found), allow_nan=False)
    assert found.why
    return found


ORIGINAL, REPEAT = drawn(12, 1), drawn(12, 2)


@pytest.mark.parametrize("examples", [module, families, sample_size, interim_analysis])
def test_the_examples_hold(examples: Any) -> None:
    assert doctest.testmod(examples).attempted > 0
    assert doctest.testmod(examples).failed == 0


def test_the_interval_of_pairs_is_scipys() -> None:
    found = asked(ORIGINAL, REPEAT)
    limits = stats.ttest_rel([*REPEAT.values()], [*ORIGINAL.values()]).confidence_interval(0.9)
    assert found.interval == pytest.approx((limits.low, limits.high))
    assert found.level == pytest.approx(0.9)
    assert found.n == (12, 12)


@pytest.mark.parametrize(
    ("by", "answer"), [(0.0, MET), (0.005, INCONCLUSIVE), (0.02, NOT_MET), (-0.02, NOT_MET)]
)
def test_each_answer_is_given_where_it_is_shown(by: float, answer: str) -> None:
    assert asked(ORIGINAL, moved(REPEAT, by)).answer == answer


def test_a_share_of_the_spread_is_of_the_originals_seeds_not_of_the_differences() -> None:
    # The differences hardly scatter: the shift is many times their deviation.
    repeat = {seed: ORIGINAL[seed] + 0.0002 + (REPEAT[seed] - 0.98) / 100 for seed in ORIGINAL}
    found = equivalence("accuracy", ORIGINAL, repeat, Margin(1.0, of_spread=True))
    assert found.answer == MET
    assert found.spread == pytest.approx(np.std([*ORIGINAL.values()], ddof=1))
    assert found.margin is not None
    assert found.margin[0] < found.spread < found.margin[1]


@given(st.floats(-1e3, 1e3), st.sampled_from([0.25, 3.0, 1e6]), st.integers(0, 99))
def test_a_share_of_the_spread_knows_no_unit_and_no_zero(
    zero: float, unit: float, seed: int
) -> None:
    original, repeat = drawn(8, seed, 0.0, 1.0), drawn(8, seed + 1000, 0.5, 1.0)
    margin = Margin(2.0, of_spread=True)
    plain = equivalence("loss", original, repeat, margin)
    other = equivalence(
        "loss",
        {s: unit * (v + zero) for s, v in original.items()},
        {s: unit * (v + zero) for s, v in repeat.items()},
        margin,
    )
    assert other.answer == plain.answer
    assert other.p_equivalent == pytest.approx(plain.p_equivalent, rel=1e-6, abs=1e-9)
    assert other.more_runs == plain.more_runs


RANK = {NOT_MET: 0, INCONCLUSIVE: 1, MET: 2}


@given(st.integers(0, 99), st.floats(1e-5, 0.02), st.floats(1, 5), st.booleans())
def test_a_larger_margin_never_turns_met_into_less(
    seed: int, size: float, times: float, of_spread: bool
) -> None:
    original, repeat = drawn(9, seed), drawn(9, seed + 500)
    unit = 500 if of_spread else 1
    answers = [
        equivalence("a", original, repeat, Margin(unit * s, of_spread)).answer
        for s in (size, times * size)
    ]
    assert RANK[answers[0]] <= RANK[answers[1]]


@given(st.integers(0, 99), st.sampled_from([0.0, 0.004, 0.05]))
def test_the_same_results_once_more_do_not_weaken_an_answer(seed: int, by: float) -> None:
    original, repeat = drawn(8, seed), moved(drawn(8, seed + 500), by)
    twice = [{**side, **moved(side, 0.0, 5000)} for side in (original, repeat)]
    before, after = asked(original, repeat), asked(*twice)
    assert before.answer in (INCONCLUSIVE, after.answer)


ODD: Mapping[str, tuple[Results, Results, str]] = {
    "no original": ({}, {0: 1.0}, "the original has no result"),
    "no repeat": ({0: 1.0}, {}, "the repeat has no result"),
    "nan": ({0: 1.0, 1: "nan"}, {0: 1.0, 1: 2.0}, "result is no finite number for seed 1"),
    "nan twice": ({0: "nan"}, {0: "nan"}, "no finite number for seed 0"),
    "inf": ({0: 1.0, 1: 1.0}, {0: "-inf", 1: math.inf}, "for seed 0, 1"),
    "none": ({0: None}, {0: 1.0}, "no finite number"),
    "words": ({0: "high"}, {0: 1.0}, "no finite number"),
    "too large": ({0: 1e308, 1: 1.0}, {0: 1.0, 1: 1.0}, "no finite number for seed 0"),
    "one each": ({0: 1.0}, {0: 1.0}, "1 result of the original and 1 of the repeat"),
    "one and nine": (drawn(9, 0), {0: 1.0}, "it takes 5 pairs"),
    "other seeds": (drawn(9, 0), moved(drawn(9, 1), 0.0, 1), "it takes 5 pairs"),
    "two pairs": (drawn(2, 0), drawn(2, 1), "for a margin or a test: it takes 5 pairs"),
    "four pairs, all the same": (dict.fromkeys(range(4), 1.0),) * 2 + ("it takes 5 pairs",),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_cannot_be_judged_is_inconclusive_with_a_reason(case: str) -> None:
    original, repeat, words = ODD[case]
    found = asked(original, repeat)
    assert found.answer == INCONCLUSIVE
    assert words in found.why


def test_too_few_pairs_have_a_difference_and_no_margin() -> None:
    found = asked({0: 0.5, 1: 0.75}, {0: 0.625, 1: 0.875})
    assert (found.difference, found.margin, found.p_equivalent) == (0.125, None, None)
    assert found.more_runs == 3


@pytest.mark.parametrize("span", [1.0, 2.0])
def test_a_margin_ends_where_the_metric_does_and_no_answer_changes(span: float) -> None:
    wide = drawn(6, 1, 0.5, 0.15)
    for by in (0.0, 0.1, 0.3):
        repeat = moved(drawn(6, 2, 0.5, 0.15), by)
        free, bound = (
            equivalence("auc", wide, repeat, Margin(2.0, of_spread=True, span=limit))
            for limit in (math.inf, span)
        )
        assert free.margin is not None
        assert bound.margin is not None
        assert free.margin[1] > span == bound.margin[1]
        assert (bound.margin[0], bound.answer) == (free.margin[0], free.answer)
        assert "without an upper limit" in bound.why
        assert "without an upper limit" not in free.why


@pytest.mark.parametrize("margin", [Margin(1.5, span=1.0), Margin(1e4, of_spread=True, span=1.0)])
def test_a_margin_that_leaves_nothing_out_says_nothing(margin: Margin) -> None:
    found = equivalence("accuracy", ORIGINAL, REPEAT, margin)
    assert (found.answer, found.more_runs) == (INCONCLUSIVE, None)
    assert found.why.endswith("and so says nothing; give a smaller one")


def test_without_a_spread_there_is_no_share_of_it() -> None:
    original = dict.fromkeys(range(9), 0.9)
    repeat = {seed: 0.9 + seed / 100 for seed in range(6)}
    found = equivalence("accuracy", original, repeat, Margin(1.0, of_spread=True))
    json.dumps(asdict(found), allow_nan=False)
    assert (found.answer, found.more_runs) == (INCONCLUSIVE, None)
    assert "spread" in found.why


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1.0, 1e9, 1e149])
def test_any_size_of_number_is_judged(size: float) -> None:
    original = {seed: size * value for seed, value in ORIGINAL.items()}
    repeat = {seed: size * REPEAT[seed] for seed in original}
    found = equivalence("loss", original, repeat, Margin(0.5 * size))
    json.dumps(asdict(found), allow_nan=False)
    assert found.answer == MET


@pytest.mark.parametrize("size", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_is_above_zero(size: float) -> None:
    with pytest.raises(UserError, match="Expected a margin above 0"):
        Margin(size)


def test_runs_that_all_give_the_same_are_enough_from_five_pairs_on() -> None:
    same = dict.fromkeys(range(5), 0.9)
    assert asked(same, same).answer == MET
    assert asked(same, moved(same, 0.003)).answer == MET
    assert asked(same, moved(same, 0.03)).answer == INCONCLUSIVE
    six = dict.fromkeys(range(6), 0.9)
    assert asked(six, moved(six, 0.03)).answer == NOT_MET


def test_more_runs_would_have_the_power_that_is_planned() -> None:
    generator, repetitions = np.random.default_rng(0), 1000
    for margin in (Margin(0.8), Margin(2.0, of_spread=True)):
        plan = SampleSizePlan(deviation=2**0.5, spread=1.0, seeds=5, margin=margin)
        runs = required_runs(plan, 0.0)
        assert runs is not None
        original, repeat = generator.standard_normal((2, repetitions, runs))
        shift, own = shift_tests.pairs(original, repeat), original.std(axis=-1, ddof=1)
        power = np.mean(judged(shift, margin, own, runs).within <= 0.05)
        assert 0.72 < power < 0.95
        far = required_runs(plan, 2.5 * margin.size)
        assert far is not None
        original, repeat = generator.standard_normal((2, repetitions, far))
        shift, own = (
            shift_tests.pairs(original, repeat + 2.5 * margin.size),
            original.std(-1, ddof=1),
        )
        power = np.mean(judged(shift, margin, own, far).beyond <= 0.05)
        assert 0.72 < power <= 1


def test_more_runs_are_those_that_are_missing() -> None:
    found = asked(drawn(6, 1), drawn(6, 2), 0.002)
    assert found.answer == INCONCLUSIVE
    apart = np.array([drawn(6, 2)[seed] - value for seed, value in drawn(6, 1).items()])
    plan = SampleSizePlan(float(apart.std(ddof=1)), 1.0, 6, Margin(0.002))
    assert found.more_runs == required_runs(plan, 0.0) - 6
    assert found.more_runs > 1
    even = {seed: value + 0.002 * (-1) ** seed for seed, value in drawn(6, 1).items()}
    assert asked(drawn(6, 1), even, 1e-6).more_runs is None
    assert asked({0: 1.0}, {0: 1.0}).more_runs == 4


def test_however_little_runs_scatter_it_takes_the_least_that_ranks_need() -> None:
    assert required_runs(SampleSizePlan(1e-9, 1.0, 5, Margin(1.0)), 0.0) == 5
    assert required_runs(SampleSizePlan(1e-9, 1.0, 5, Margin(1.0)), 2.0) == 6


def test_more_metrics_ask_for_more_runs() -> None:
    plans = [SampleSizePlan(1.0, 1.0, 5, Margin(1.0), family=size) for size in (1, 20)]
    alone, among = (required_runs(plan, 3.0) for plan in plans)
    assert alone is not None
    assert among is not None
    assert alone < among


METRICS = ("accuracy", "loss", "recall of class 0")


def metrics(**by: float) -> dict[str, Results]:
    return {name: moved(REPEAT, by.get(name.split()[0], 0.0)) for name in METRICS}


def test_all_metrics_within_are_met() -> None:
    found = family(dict.fromkeys(METRICS, ORIGINAL), metrics(), Margin(0.005))
    assert (found.answer, found.differing, found.undecided) == (MET, (), ())
    assert found.why == "each of 3 metrics is shown to lie within its margin"
    json.dumps(asdict(found), allow_nan=False)


def test_one_metric_that_differs_is_named() -> None:
    found = family(dict.fromkeys(METRICS, ORIGINAL), metrics(loss=0.02), Margin(0.005))
    assert (found.answer, found.differing) == (NOT_MET, ("loss",))
    alone = equivalence("loss", ORIGINAL, moved(REPEAT, 0.02), Margin(0.005))
    assert found.tests[1].p_different == pytest.approx(3 * alone.p_different)
    assert found.why.startswith("1 of 3 metrics differ; loss: the repeat lies +0.0")


def test_one_undecided_metric_leaves_all_undecided() -> None:
    found = family(dict.fromkeys(METRICS, ORIGINAL), metrics(recall=0.005), Margin(0.005))
    assert (found.answer, found.undecided) == (INCONCLUSIVE, ("recall of class 0",))
    assert found.more_runs == found.tests[2].more_runs


def test_a_metric_of_one_side_only_is_undecided() -> None:
    found = family({"accuracy": ORIGINAL}, {"accuracy": REPEAT, "f1": REPEAT}, Margin(0.005))
    assert (found.answer, found.undecided) == (INCONCLUSIVE, ("f1",))
    assert family({}, {}, Margin(1.0)).answer == INCONCLUSIVE


def test_each_metric_may_have_its_own_margin() -> None:
    given = {"accuracy": Margin(0.005), "loss": Margin(1e-6)}
    sides = (dict.fromkeys(given, side) for side in (ORIGINAL, REPEAT))
    assert [test.answer for test in family(*sides, given).tests] == [MET, INCONCLUSIVE]
    with pytest.raises(UserError, match="none for loss"):
        family({"loss": ORIGINAL}, {}, {"accuracy": Margin(1.0)})


@pytest.mark.parametrize("budget", [5, 8, 16, 20, 32, 100])
def test_the_alphas_of_all_looks_sum_to_alpha(budget: int) -> None:
    plan = looks(budget)
    assert sum(look.alpha for look in plan) == pytest.approx(0.05)
    assert plan[-1].runs == budget
    assert [look.runs for look in plan] == sorted({look.runs for look in plan})


def test_too_small_a_budget_is_refused() -> None:
    with pytest.raises(UserError, match="at least 5 seeds"):
        looks(4)


def test_a_look_is_stricter_than_a_single_test() -> None:
    # One of eight lies beyond the margin: ranks give 2 / 2**8, the first look has 0.05 / 7.
    values = drawn(8, 1)
    apart = [-0.0056, 0.0005, -0.0005, 0.0002, 0.0008, -0.001, 0.0001, 0.0003]
    repeat = {seed: values[seed] + by for seed, by in enumerate(apart)}
    assert asked(values, repeat).answer == MET
    first = looks(32)[0]
    found = family({"loss": values}, {"loss": repeat}, Margin(0.005), first.alpha)
    assert (first.runs, found.answer) == (8, INCONCLUSIVE)
