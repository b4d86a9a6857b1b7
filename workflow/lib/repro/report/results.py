"""Results: the part of a verdict's page that gives each metric on the test part.

Synopsis:
    "\\n".join(results(verdict))
    rows(verdict)                    # for any table
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.text import counted
from repro.report.tables import code, number, table

Verdict = Mapping[str, Any]
ORIGINAL = "original"
_CLASS = "recall of class "


@dataclass(frozen=True)
class MetricRow:
    """One metric in words: the original's value or mean, both errors, and what repeats gave."""

    name: str
    value: str
    deviation: str
    error: str
    repeats: str


def rows(verdict: Verdict, classes: bool = False) -> list[MetricRow]:
    """A row for each metric, or for the recall of each class; none in older verdicts."""
    found: Mapping[str, Any] = verdict.get("results") or {}
    return [_row(name, of) for name, of in found.items() if name.startswith(_CLASS) == classes]


def seeds(verdict: Verdict) -> list[str]:
    """The original's seeds, as text."""
    found: Mapping[str, Any] = verdict.get("results") or {}
    return list(next(iter(found.values()))["runs"][ORIGINAL]) if found else []


def _row(name: str, of: Mapping[str, Any]) -> MetricRow:
    original = of["runs"][ORIGINAL]
    value = of["mean"] if len(original) > 1 else next(iter(original.values()), None)
    repeats = {run: values for run, values in of["runs"].items() if run != ORIGINAL}
    deviation, error = (number(of[key]) for key in ("deviation", "error"))
    return MetricRow(name, _finite(value, 5), deviation, error, _repeated(original, repeats))


def _repeated(original: Mapping[str, Any], repeats: Mapping[str, Mapping[str, Any]]) -> str:
    """What the repeats gave: the same, or the farthest of them, with its seed."""
    pairs = [
        (abs((value or 0) - (original[seed] or 0)), value, seed)
        for values in repeats.values()
        for seed, value in values.items()
        if seed in original and (value != original[seed])
    ]
    if not any(repeats.values()):
        return "not evaluated"
    if not pairs:
        return "the same"
    _, value, seed = max(pairs, key=lambda pair: pair[0])
    if len(original) == 1:
        return _finite(value, 5)
    return f"farthest: {_finite(value, 5)} with seed {seed}, not {_finite(original[seed], 5)}"


def _finite(value: float | None, digits: int) -> str:
    return "not finite" if value is None else number(value, digits)


HEAD = ("metric", "original", "seed-to-seed SD", "test-set standard error", "repeat")


def words(verdict: Verdict) -> str:
    """What the table of metrics holds, in a sentence."""
    many = len(seeds(verdict))
    value = "a mean over " + counted(many, "seed") if many > 1 else "of the only seed"
    return (
        f"On the test part; the original's value is {value}. SD is the standard deviation; the "
        "standard error is that of a share of so few test examples."
    )


def results(verdict: Verdict) -> Iterator[str]:
    """The metrics, whatever the goal."""
    if found := rows(verdict):
        yield "## The results\n"
        yield table(HEAD, [(code(r.name), r.value, r.deviation, r.error, r.repeats) for r in found])
        yield f"{words(verdict)}\n"
