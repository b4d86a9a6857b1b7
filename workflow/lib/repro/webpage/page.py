"""Page: one experiment on one page, in the order in which a reviewer asks.

Synopsis:
    page(read(Path("results/digits")), Path("digits.py"))        # the text of report.html

The claim; the results; each claim with its command, time, expectation, finding and tolerance; what
was varied; where the runs diverge and why; the metrics by seed; the environment; digests; what all
this does not show. Sentences and tables are those of the page in Markdown (`report`).
"""

from __future__ import annotations

from pathlib import Path

from repro.report import goals, results, verdict_page
from repro.report.badge import badge
from repro.report.differences import distances
from repro.report.growth import growth
from repro.report.results import HEAD
from repro.webpage import learning
from repro.webpage.claims import claims
from repro.webpage.diverging import diverging
from repro.webpage.evidence import Evidence, Verdict
from repro.webpage.predicted import predicted
from repro.webpage.setting import digests, setting
from repro.webpage.strip import strips
from repro.webpage.templates import filled


def page(evidence: Evidence, code: Path) -> str:
    """The text of a page; the same whenever it is made from the same files.

    Args:
        evidence: a verdict and what it rests on.
        code: the experiment's file or folder, of which lines are quoted.
    """
    verdict = evidence.verdict
    curves = learning.learned(evidence)
    rows = results.rows(verdict)
    metrics = learning.logged(curves, [row.name for row in rows])
    return filled(
        "report.html",
        verdict=verdict,
        answer=badge(verdict),
        meaning=verdict_page.MEANING[verdict["goal"]],
        heads=HEAD, rows_of_metrics=rows, words=results.words(verdict) if rows else "",
        curves=learning.pictures(curves, metrics),
        several=len({curve.run for curve in curves}) > 1,
        many=len(curves) > learning.SHOWN,
        repeats_differ=learning.repeats_differ(curves),
        predicted=predicted(evidence),
        claims=claims(evidence),
        done=verdict_page.done(verdict),
        where=verdict_page.where(verdict),
        diverging=diverging(evidence, code),
        why=verdict_page.why(verdict),
        growth=growth(verdict["per_seed"]),
        distances=list(distances(verdict["differences"])),
        metrics=goals.metrics(verdict),
        strips=strips(verdict),
        mistakes=verdict_page.mistakes(verdict),
        goals=goals.goals(verdict),
        cost=_cost(verdict),
        setting=setting(evidence), digests=digests(evidence),
        methods=goals.methods(verdict),
        limits=goals.limits(verdict), mind=verdict_page.mind(verdict),
    )  # fmt: skip


def _cost(verdict: Verdict) -> list[str]:
    if not verdict["cost"]:
        return []
    from repro.report.overhead import section  # it imports what trains

    return list(section(verdict))
