"""Documented: whether the experiment is recorded so that it can be executed again.

Synopsis:
    documented(case).verdict
"""

from __future__ import annotations

from collections.abc import Sequence

from repro.core.text import capital, listed, times
from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET, Answer
from repro.verdict.case import Case
from repro.verdict.sentences import extent

COMMAND = "snakemake --use-conda all"
_SHOWN = 5


def documented(case: Case) -> Answer:
    """What is found for the goal `documented`, by the gaps (`repro.verdict.completeness`).

    `not met` where something is not bound, `inconclusive` where something is unknown or the rerun
    was not tried.
    """
    name, context = case.name, case.context
    if context.missing:
        return Answer(NOT_MET, f"{name}: not fully documented. {_in_words(context.missing)}.")
    if context.unknown:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because not everything is known that decides the result. "
            f"{_in_words(context.unknown)}.",
        )
    if not case.comparisons:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because the rerun (`{COMMAND}`) was not tried "
            "(`repeat: off`); all else is documented.",
        )
    if context.programs > 1:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because what was executed again was another program: "
            f"{context.scope}. Make the original again.",
        )
    runs = times(len({c.run for c in case.comparisons}))
    return Answer(
        MET,
        f"{name}: documented. Every file is bound by a manifest to the digests of code, "
        "configuration, raw data, lock and environment, and nothing is unknown that could be "
        f"known. The rerun (`{COMMAND}`) completed {runs}, "
        f"{extent(case.comparisons, case.evaluated)}.",
    )


def _in_words(gaps: Sequence[str]) -> str:
    return capital(listed(gaps, _SHOWN))
