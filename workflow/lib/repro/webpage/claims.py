"""Claims: what is claimed, how to check it, how long that takes, what is expected and was found.

Synopsis:
    claims(evidence)        # a row for each
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.text import counted
from repro.report.tables import number
from repro.webpage.evidence import Evidence, seconds

_SECONDS, _MINUTES = 90, 90


@dataclass(frozen=True)
class ClaimRow:
    """One claim: a command, how long it took here, and three short texts."""

    claim: str
    command: str
    took: str
    expected: str
    found: str
    tolerance: str


def claims(evidence: Evidence) -> list[ClaimRow]:
    """All claims of an experiment, the strongest first."""
    return [*_bits(evidence), *_metrics(evidence), _documented(evidence)]


def took(span: float) -> str:
    """How long, in the unit that one reads easily."""
    if span < _SECONDS:
        return f"{span:.0f} s"
    minutes = span / 60
    return f"{minutes:.0f} min" if minutes < _MINUTES else f"{minutes / 60:.1f} h"


def _whole(evidence: Evidence) -> str:
    return took(sum(map(seconds, (*evidence.steps, evidence.judged))))


def _bits(evidence: Evidence) -> Iterator[ClaimRow]:
    compared = evidence.verdict["per_seed"]
    if not compared:
        return
    same = sum(entry["divergence"] is None for entry in compared)
    yield ClaimRow(
        "Every weight, metric and prediction has the same bits when it is run again.",
        "./run all", _whole(evidence), f"the same bits in {counted(len(compared), 'comparison')}",
        f"the same in {same} of {len(compared)}", "none",
    )  # fmt: skip


def _metrics(evidence: Evidence) -> Iterator[ClaimRow]:
    verdict = evidence.verdict
    results: Mapping[str, Any] = verdict["results"] or {}
    found: Mapping[str, Any] = verdict["metrics"] or {}
    family: Mapping[str, Any] = found.get("metrics") or {"tests": ()}
    tests: dict[str, Mapping[str, Any]] = {test["metric"]: test for test in family["tests"]}
    for name, of in results.items():
        if name.startswith("recall of class ") and name not in tests:
            continue
        repeated = [
            v for run, seeds in of["runs"].items() if run != "original" for v in seeds.values()
        ]
        if not repeated:
            continue
        known = [value for value in repeated if value is not None]
        test = tests.get(name)
        ends = [number(end) for end in dict.fromkeys(test["margin"] or ())] if test else []
        yield ClaimRow(
            f"`{name}` on the test part", "./run all", _whole(evidence), number(of["mean"], 5),
            number(sum(known) / len(known), 5) if known else "not finite",
            " to ".join(ends) or "none (the same bits)",
        )  # fmt: skip


def _documented(evidence: Evidence) -> ClaimRow:
    answer = evidence.verdict["goals"]["documented"]["verdict"]
    return ClaimRow(
        "All that is needed to run it again is recorded.", "./run verify", "seconds",
        "every file is as its manifest says", answer, "none",
    )  # fmt: skip
