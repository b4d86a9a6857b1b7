"""Render: a verdict as a page for people.

Synopsis:
    markdown(verdict)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_MEANING = {
    "bitwise": "every weight, metric and prediction has the same bits when it is run again",
    "metrics": "the metrics agree when it is run again",
    "documented": "everything that is needed to run it again is recorded",
}


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    cells = [head, ["---"] * len(head), *(map(_cell, row) for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def _divergences(verdict: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (entry["run"], entry["seed"], at["epoch"], at["step"], at["what"], at["variable"])
        for entry in verdict["per_seed"]
        if (at := entry["divergence"])
    ]
    if rows:
        yield "## Where the runs part\n"
        yield _table(("run", "seed", "epoch", "step", "in", "variable"), rows)
        yield "Epochs and steps count from 0. What came before was the same, bit for bit.\n"


def _causes(verdict: Mapping[str, Any]) -> Iterator[str]:
    if verdict["causes"]:
        yield "## Likely cause\n"
    for number, cause in enumerate(verdict["causes"], 1):
        how = "tested" if cause["tested"] else "likely, not tested"
        yield f"{number}. **{cause['cause']}** ({how}): {cause['evidence']}. {cause['remedy']}"
    if verdict["causes"]:
        yield ""


def _differences(verdict: Mapping[str, Any]) -> Iterator[str]:
    for seed, kinds in verdict["differences"].items():
        yield f"## How far apart, {seed}\n"
        for kind in ("weights", "predictions"):
            if parts := kinds.get(kind):
                keys = ("share", "largest_absolute", "largest_relative")
                rows = [(name, *(d.get(key) for key in keys)) for name, d in parts.items()]
                head = (kind, "share that differs", "largest absolute", "largest relative")
                yield _table(head, rows)
        if metrics := kinds.get("metrics"):
            rows = [(name, *pair) for name, pair in metrics.items()]
            yield _table(("metric on the test part", "original", "repeat"), rows)


def _evidence(verdict: Mapping[str, Any]) -> Iterator[str]:
    yield "## What was done\n"
    yield f"- Repeats: {verdict['repeats']}, each in a process of its own, from the raw data on."
    varied = [f["factor"] for f in verdict["factors"] if f["varied"]]
    fixed = [f["factor"] for f in verdict["factors"] if not f["varied"]]
    if varied:
        yield f"- Varied in the repeat, since it must not matter: {', '.join(varied)}."
    if fixed:
        yield f"- Not varied: {', '.join(fixed)}."
    for entry in verdict["inference"]:
        result = "the same bits" if entry["same"] else "other bits"
        whose = f"the weights of seed {entry['seed']} ({entry['run']})"
        yield f"- Inference, apart from training: {whose}, evaluated twice, gave {result}."
    yield f"- Where: {verdict['scope']}."
    for warning in verdict["warnings"]:
        yield f"- {warning}"


def markdown(verdict: Mapping[str, Any]) -> str:
    """The page of a verdict, in Markdown.

    Args:
        verdict: what `repro.judge.verdict.judge` gave.

    Returns:
        Text that ends with a newline.
    """
    head = [
        f"# {verdict['experiment']}: {verdict['verdict']}\n",
        f"{verdict['sentence']}\n",
        f"Claimed goal: **{verdict['goal']}** – {_MEANING[verdict['goal']]}.\n",
    ]
    parts = (_divergences(verdict), _causes(verdict), _differences(verdict), _evidence(verdict))
    return "\n".join([*head, *(line for part in parts for line in part)]) + "\n"
