"""Render: a verdict as a page for people.

Synopsis:
    markdown(verdict)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MEANING = {
    "bitwise": "every weight, metric and prediction has the same bits when the experiment is run again",
    "metrics": "the metrics agree when the experiment is run again",
    "documented": "everything that is needed to run the experiment again is recorded",
}


def _divergences(verdict: Mapping[str, Any]) -> Iterator[str]:
    parted = [entry for entry in verdict["per_seed"] if entry["divergence"]]
    if not parted:
        return
    yield "## Where the runs part\n"
    yield "| seed | epoch | step | in | variable |\n|---|---|---|---|---|"
    for entry in parted:
        at = entry["divergence"]
        cells = (at["epoch"], at["step"], at["what"], at["variable"])
        yield f"| {entry['seed']} | " + " | ".join("–" if c is None else str(c) for c in cells) + " |"
    yield "\nEpochs and steps count from 0. Everything before that place was the same, bit for bit.\n"


def _causes(verdict: Mapping[str, Any]) -> Iterator[str]:
    if verdict["causes"]:
        yield "## Likely cause\n"
    for number, cause in enumerate(verdict["causes"], 1):
        how = "tested" if cause["tested"] else "likely, not tested"
        yield f"{number}. **{cause['cause']}** ({how}): {cause['evidence']}. {cause['remedy']}"
    if verdict["causes"]:
        yield ""


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "–" if value is None else str(value)


def _differences(verdict: Mapping[str, Any]) -> Iterator[str]:
    for seed, kinds in verdict["differences"].items():
        yield f"## How far apart, {seed}\n"
        for kind in ("weights", "predictions"):
            if kind in kinds:
                yield f"| {kind} | share that differs | largest absolute | largest relative |\n|---|---|---|---|"
                for name, d in kinds[kind].items():
                    parts = (d["share"], d.get("largest_absolute"), d.get("largest_relative"))
                    yield f"| {name} | " + " | ".join(map(_number, parts)) + " |"
                yield ""
        if "metrics" in kinds:
            yield "| metric on the test part | original | repeat |\n|---|---|---|"
            for name, (mine, its) in kinds["metrics"].items():
                yield f"| {name} | {_number(mine)} | {_number(its)} |"
            yield ""


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
        yield (
            f"- Inference, apart from training: the weights of seed {entry['seed']} ({entry['run']}), "
            f"evaluated {entry['passes']} times, gave {result}."
        )
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
