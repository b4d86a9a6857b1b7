"""Family: one answer for several metrics, or for a metric of several classes.

Synopsis:
    found = family(original, repeat, Margin(0.01))     # metric -> seed -> result, twice
    found.answer, found.differing, found.undecided
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.errors import UserError
from repro.stats.equivalence import Equivalence, Results, equivalence
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET
from repro.stats.margins import ALPHA, Margin


@dataclass(frozen=True)
class Family:
    """The answer, the tests it rests on, and the metrics that differ or are left undecided.

    `more_runs` would decide all that is undecided; None where nothing is, or no number is known.
    """

    answer: str
    alpha: float
    tests: tuple[Equivalence, ...]
    differing: tuple[str, ...]
    undecided: tuple[str, ...]
    more_runs: int | None
    why: str


def _more(undecided: list[Equivalence]) -> int | None:
    runs = [test.more_runs for test in undecided]
    known = [number for number in runs if number is not None]
    return max(known) if known and len(known) == len(runs) else None


def _why(answer: str, tests: tuple[Equivalence, ...], named: list[Equivalence]) -> str:
    if not tests:
        return "there is no metric to compare"
    if answer == MET and len(tests) == 1:
        return f"{tests[0].metric}: {tests[0].why}"
    if answer == MET:
        return f"each of {len(tests)} metrics is shown to lie within its margin"
    first = f"{named[0].metric}: {named[0].why}"
    what = "differ" if answer == NOT_MET else "are undecided"
    return first if len(tests) == 1 else f"{len(named)} of {len(tests)} metrics {what}; {first}"


def family(
    original: Mapping[str, Results],
    repeat: Mapping[str, Results],
    margins: Margin | Mapping[str, Margin],
    alpha: float = ALPHA,
) -> Family:
    """Whether all metrics are within their margins, or some metric is beyond its.

    All: each is tested with alpha, and all must pass; no correction is needed (the
    intersection-union test: Berger 1982, "Multiparameter hypothesis testing and acceptance
    sampling"). Some: each is tested with alpha over the number of metrics (Bonferroni), so that a
    wrong `not met` comes up in a share alpha of cases at most, whatever metrics have in common.

    `not met` where some metric differs; `met` where there are metrics, and all are equivalent; else
    `inconclusive`.

    Raises:
        UserError: a metric has no margin.

    Example:
        >>> family({"loss": {0: 0.5}}, {"loss": {0: 0.5}}, Margin(0.1)).answer
        'inconclusive'
    """
    names = list({**original, **repeat})
    if isinstance(margins, Margin):
        margins = dict.fromkeys(names, margins)
    if missing := [name for name in names if name not in margins]:
        raise UserError(
            f"Expected a margin for each metric. Received none for {', '.join(missing)}. Give one "
            "for it, or one for all."
        )
    tests = tuple(
        equivalence(
            name, original.get(name, {}), repeat.get(name, {}), margins[name], alpha, len(names)
        )
        for name in names
    )
    differing = [test for test in tests if test.answer == NOT_MET]
    undecided = [test for test in tests if test.answer == INCONCLUSIVE]
    answer = NOT_MET if differing else INCONCLUSIVE if undecided or not tests else MET
    return Family(
        answer, alpha, tests,
        tuple(test.metric for test in differing), tuple(test.metric for test in undecided),
        _more(undecided) if answer == INCONCLUSIVE else None,
        _why(answer, tests, differing or undecided),
    )  # fmt: skip
