"""Equivalence: whether a metric of the repeat is that of the original, up to a margin.

Synopsis:
    test = equivalence("accuracy", {0: 0.981, 1: 0.978}, {0: 0.980, 1: 0.979}, Margin(0.005))
    test.answer                     # met, not met, inconclusive
    test.why                        # in words
    test.more_runs                  # that would decide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from repro.core.text import counted
from repro.stats import shift_tests
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET
from repro.stats.margins import ALPHA, Judged, Margin, judged
from repro.stats.sample_size import SampleSizePlan, required_runs
from repro.stats.seed_variance import Value, finite, std, unusable
from repro.stats.shift_tests import Array, TestStatistic

Results = Mapping[int, Value]
"""One metric: the result of each root seed."""

LEAST = 5
"""Pairs that an answer takes at least: four lie on one side by chance in 1/16."""
METHOD = "paired by seed: the greater p of Student's t and Wilcoxon's signed ranks"
_SHARE = "; margin from the limits of the original's spread (Berger and Boos)"


@dataclass(frozen=True)
class Equivalence:
    """What was found for one metric; numbers are in its unit, and None where there are none.

    `difference`: repeat minus original, of means. `interval`: of the true difference, with the
    confidence `level` that goes with the test. `margin`: how far it may reach, as known from
    below and from above. `spread`: between the original's seeds. `p_equivalent`, `p_different`:
    to be held against `alpha`; the latter is corrected for the family of metrics. `n`: results of
    original and repeat. `more_runs`: of the repeat, and as many of the original as it then lacks.
    """

    metric: str
    n: tuple[int, int]
    difference: float | None
    interval: tuple[float, float] | None
    level: float | None
    margin: tuple[float, float] | None
    spread: float | None
    p_equivalent: float | None
    p_different: float | None
    alpha: float
    answer: str
    more_runs: int | None
    method: str | None
    why: str


def _undecided(
    metric: str, original: Results, repeat: Results, alpha: float, why: str
) -> Equivalence:
    n, seeds = (len(original), len(repeat)), sorted(original.keys() & repeat.keys())
    empty = Equivalence(
        metric, n, None, None, None, None, None, None, None, alpha, INCONCLUSIVE, None, None, why
    )
    if not seeds or unusable(original) or unusable(repeat):
        return empty
    difference = float((_row(repeat, seeds) - _row(original, seeds)).mean())
    more = LEAST - n[1] if n[1] < LEAST else None
    return replace(empty, difference=difference, more_runs=more)


def _row(results: Results, seeds: list[int]) -> Array:
    return np.array([finite(results[seed]) for seed in seeds], dtype=float)


def shift(original: Results, repeat: Results) -> TestStatistic | str:
    """The shift between two groups of results, matched by seed; where there is none, why.

    Each seed of one side must be one of the other's as well, and there must be enough of them for
    an answer.
    """
    for side, results in (("original", original), ("repeat", repeat)):
        if not results:
            return f"the {side} has no result"
        if odd := unusable(results):
            return f"the {side}'s result is no finite number for seed {', '.join(map(str, odd))}"
    common = sorted(original.keys() & repeat.keys())
    if not min(len(original), len(repeat)) == len(common) >= LEAST:
        return (
            f"{counted(len(original), 'result')} of the original and {len(repeat)} of the repeat "
            "show too little of how they scatter for a margin or a test: it takes "
            f"{LEAST} pairs, each of one seed"
        )
    return shift_tests.pairs(_row(original, common), _row(repeat, common))


def _interval(moved: TestStatistic, alpha: float) -> tuple[tuple[float, float], float]:
    from scipy.stats import t

    reach = float(t.isf(alpha, moved.freedom) * moved.error)
    middle = float(moved.estimate)
    return (middle - reach, middle + reach), 1 - 2 * alpha


def _answer(p_values: Judged, alpha: float) -> str:
    # Both at once needs a shift below and above the margin; the p-values exclude it.
    return (
        MET if p_values.within <= alpha else NOT_MET if p_values.beyond <= alpha else INCONCLUSIVE
    )


def _why(
    answer: str, moved: TestStatistic, judgement: Judged, margin: Margin, spread: float
) -> str:
    start = f"the repeat lies {float(moved.estimate):+.3g} from the original"
    if float(judgement.low) >= margin.span:
        return (
            f"{start}; the margin is as far as two values can lie apart, {margin.span:g}, and so "
            "says nothing; give a smaller one"
        )
    share = f" ({margin.size:g} times the original's spread)" if margin.of_spread else ""
    low, high = (f"±{float(limit):.3g}{share}" for limit in (judgement.low, judgement.high))
    if margin.of_spread and spread == 0:
        return (
            f"{start}; the original's seeds all gave the same, so that there is no spread to take "
            "a share of; give a margin in the metric's unit"
        )
    if answer == MET:
        return (
            f"{start}; a true shift beyond {low} is ruled out (p = {float(judgement.within):.2g})"
        )
    if answer == NOT_MET:
        return (
            f"{start}; a true shift within {high} is ruled out (p = {float(judgement.beyond):.2g})"
        )
    undecided = (
        f"{start}; a true shift beyond {low} is not ruled out (p = {float(judgement.within):.2g})"
    )
    if float(judgement.high) >= margin.span:
        return f"{undecided}, and so few seeds leave the margin without an upper limit"
    return f"{undecided}, nor is one within {high} (p = {float(judgement.beyond):.2g})"


def equivalence(
    metric: str, original: Results, repeat: Results, margin: Margin,
    alpha: float = ALPHA, family: int = 1,
) -> Equivalence:  # fmt: skip
    """Whether one metric's true shift is shown to be within its margin, or beyond it.

    Tests and their sources: `repro.stats.shift_tests`; a margin as a share of the spread:
    `repro.stats.margins`. `met` is wrong in a share alpha of cases at most where the true shift
    reaches the margin, `not met` where it does not go beyond. `family`: how many metrics are tested
    together.

    Example:
        >>> original = {seed: 0.98 + seed / 1000 for seed in range(6)}
        >>> repeat = {seed: value + 0.0001 for seed, value in original.items()}
        >>> equivalence("accuracy", original, repeat, Margin(0.01)).answer
        'met'
    """
    n = len(original), len(repeat)
    moved = shift(original, repeat)
    if isinstance(moved, str):
        return _undecided(metric, original, repeat, alpha, moved)
    spread = float(std(_row(original, sorted(original))))
    judgement = judged(moved, margin, spread, n[0], alpha, family)
    idle = float(judgement.low) >= margin.span
    answer = INCONCLUSIVE if idle else _answer(judgement, alpha)
    estimate, more = float(moved.estimate), None
    if answer == INCONCLUSIVE and not idle and not (margin.of_spread and spread == 0):
        plan = SampleSizePlan(float(moved.deviation), spread, n[0], margin, alpha, family)
        runs = required_runs(plan, estimate)
        more = None if runs is None else max(1, runs - n[1])
    interval, level = _interval(moved, alpha)
    return Equivalence(
        metric, n, estimate, interval, level, (float(judgement.low), float(judgement.high)),
        spread, float(judgement.within), float(judgement.beyond), alpha, answer, more,
        METHOD + (_SHARE if margin.of_spread else ""),
        _why(answer, moved, judgement, margin, spread),
    )  # fmt: skip
