"""Differences: the part of a verdict's page that tells how far apart two runs are.

Synopsis:
    "\\n".join(distances(verdict["differences"]))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repro.core.text import counted, listed
from repro.report.tables import code, number, percent, table

SHOWN = 10
"""Rows of a table; all of them are in verdict.json."""
_RUNS = 3

Difference = Mapping[str, Any]


def _of(differ: int, elements: int, share: float, things: str = "") -> str:
    return f"{differ:,} of {elements:,}{things} ({percent(share)})"


def _how(difference: Difference) -> str:
    """What two arrays share so little that no number says how far apart they are."""
    if "shapes" in difference:
        left, right = (
            " × ".join(map(str, shape)) or "one number" for shape in difference["shapes"]
        )
        return f"another shape: {left}, then {right}"
    if "types" in difference:
        return f"another type: {difference['types'][0]}, then {difference['types'][1]}"
    if "only_in" in difference:
        return f"only in the {difference['only_in']}"
    return _of(difference["differ"], difference["elements"], difference["share"])


def _arrays(title: str, arrays: Mapping[str, Difference]) -> Iterator[str]:
    head = (title, "differ", "largest difference", "largest relative difference", "mean difference")
    keys = ("largest_absolute", "largest_relative", "mean_absolute")
    rows = [
        (code(name), _how(difference), *(number(difference.get(key)) for key in keys))
        for name, difference in arrays.items()
    ]
    yield table(head, rows[:SHOWN])
    yield from _more(rows, title)


def _more(rows: Sequence[Any], title: str) -> Iterator[str]:
    if len(rows) > SHOWN:
        yield f"And {len(rows) - SHOWN} more ({title}), all of them in verdict.json.\n"


def _weights(differences: Difference) -> Iterator[str]:
    if weights := differences.get("weights"):
        share, count = percent(differences["weights_share"]), counted(len(weights), "variable")
        yield f"After training {share} of all weights differ, in {count}:\n"
        yield from _arrays("weights", weights)


def _history(differences: Difference) -> Iterator[str]:
    if history := differences.get("history"):
        rows = [(code(n), h["epoch"], h["original"], h["repeat"]) for n, h in history.items()]
        yield table(("logged", "differs from epoch", "original", "repeat"), rows[:SHOWN])
        yield from _more(rows, "logged")


def _metrics(differences: Difference) -> Iterator[str]:
    if metrics := differences.get("metrics"):
        rows = [
            (
                code(name),
                *(_value(m[run]) for run in ("original", "repeat")),
                _value(m["difference"], 3),
            )
            for name, m in metrics.items()
        ]
        yield table(("metric on the test part", "original", "repeat", "difference"), rows[:SHOWN])
        yield from _more(rows, "metrics")


def _value(value: float | str | None, digits: int = 9) -> str:
    return value if isinstance(value, str) else number(value, digits)


def _churn(differences: Difference) -> Iterator[str]:
    for name, churn in differences.get("churn", {}).items():
        output = "" if name == "y" else f" in the output {code(name)}"
        many = _of(churn["changed"], churn["examples"], churn["share"], " test examples")
        yield f"Predicted class{output}: {many} got another one.\n"
        moved = [entry for entry in churn["per_class"] if entry["changed"]]
        rows = [(e["class"], e["examples"], e["changed"], percent(e["share"])) for e in moved]
        if rows:
            head = ("true class", "test examples", "of these got another class", "share")
            yield table(head, rows[:SHOWN])
            yield from _more(rows, "classes")


def _predictions(differences: Difference) -> Iterator[str]:
    predictions = dict(differences.get("predictions", {}))
    if ids := predictions.pop("id", None):
        left = ids["elements"] - ids["differ"]
        rest = "predictions are compared on these" if left else "no prediction can be compared"
        yield (
            f"The repeat has {left:,} of the original's {ids['elements']:,} test examples, since "
            f"its data was split or made in another way; {rest}.\n"
        )
    yield from _churn(differences)
    if predictions:
        yield from _arrays("predictions", predictions)


def distances(differences: Mapping[str, Difference], file: str = "verdict.json") -> Iterator[str]:
    """How far apart the runs are: headings, sentences and tables of Markdown, or nothing.

    `differences` are of a verdict, by run and seed; `file` is where all of them are.
    """
    for place, of_seed in list(differences.items())[:_RUNS]:
        run, seed = place.split("/")
        yield f"## How far apart: original and {run}, {seed.replace('-', ' ')}\n"
        for part in (_metrics, _predictions, _weights, _history):
            yield from part(of_seed)
    if others := list(differences)[_RUNS:]:
        yield f"The differences of {listed(others)} are in {file}.\n"
