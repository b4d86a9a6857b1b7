"""Verdict page: a verdict as a page for people who have never seen the code.

Synopsis:
    markdown(verdict)

In this order: the sentence; the results; where the runs first diverge; why; how the difference
grows; how far apart; the metrics, which come first where they are claimed; warnings; what each goal
rests on; what was done; the overhead; where the promises end; what to bear in mind; a paragraph for
a paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any

from repro.compare.divergence import WORDS
from repro.core.text import capital, counted, listed
from repro.report.differences import distances
from repro.report.goals import goals, inference, limits, methods, metrics
from repro.report.growth import growth
from repro.report.results import results
from repro.report.tables import code, fenced, table, text

MEANING = {
    "bitwise": "every weight, metric and prediction has the same bits when it is run again",
    "metrics": "the metrics agree when it is run again",
    "documented": "everything that is needed to run it again is recorded",
}
_STEPS = {"prepare": "preparing the data", "train": "training", "evaluate": "evaluating"}

Verdict = Mapping[str, Any]


def head(verdict: Verdict) -> Iterator[str]:
    warned = ", with a warning" if verdict["mistakes"] else ""
    yield f"# {verdict['experiment']}: {verdict['verdict']}{warned}\n"
    yield f"{text(verdict['sentence'])}\n"
    yield f"Claimed goal: **{verdict['goal']}**, that is, {MEANING[verdict['goal']]}.\n"


def where(verdict: Verdict) -> Iterator[str]:
    diverged = [(entry, at) for entry in verdict["per_seed"] if (at := entry["divergence"])]
    if not diverged:
        return
    yield "## Where the runs first diverge\n"
    yield table(
        ("run", "seed", "epoch", "step", "where", "which"),
        [
            (
                entry["run"], entry["seed"], at["epoch"], at["step"],
                WORDS.get(at["what"], at["what"]), code(at["variable"]) if at["variable"] else None,
            )
            for entry, at in diverged
        ],
    )  # fmt: skip
    if any(at["epoch"] is not None for _, at in diverged):
        yield "Epochs and steps count from 0; a line without a step speaks of the epoch's end.\n"
    if any(at["what"] not in ("prepared data", "fitted preprocessing") for _, at in diverged):
        yield "Everything that comes before these places was the same, bit for bit.\n"
    if agreed := len(verdict["per_seed"]) - len(diverged):
        whole = len(verdict["per_seed"])
        yield f"In {agreed} of {counted(whole, 'comparison')} no bit differs.\n"


def why(verdict: Verdict) -> Iterator[str]:
    if not verdict["causes"]:
        return
    yield "## Why\n"
    for rank, cause in enumerate(verdict["causes"], 1):
        many = counted(cause["trials"], "trial")
        how = f"tested in {many}" if cause["tested"] else "likely, not tested"
        yield f"{rank}. **{capital(cause['cause'])}** ({how})"
        yield f"   - Where: {text(cause['where'])}"
        if cause["file"]:
            line = f", line {cause['line']}" if cause["line"] else ""
            yield f"   - In your code: {code(cause['file'])}{line}"
        yield f"   - Evidence: {text(cause['evidence'])}"
        yield f"   - What to do: {text(cause['remedy'])}"
        if patch := cause.get("patch"):
            yield f"   - A patch, tried out: {text(patch['sentence'])}\n"
            yield f"{indent(fenced(patch['diff'], 'diff'), '     ')}\n"
    yield ""
    yield from _trials(verdict)


def _trials(verdict: Verdict) -> Iterator[str]:
    """What was tried out to find the cause."""
    if not (trials := verdict["search"]):
        yield "No trial was run to test a cause.\n"
        return
    attempts = Counter((t["step"], tuple(t["factors"])) for t in trials)
    agreed = Counter((t["step"], tuple(t["factors"])) for t in trials if t["same"])
    yield (
        f"To test causes, a part of the work was run again in {counted(len(trials), 'trial')}, "
        "from the original's inputs and outside the results:\n"
    )
    varied = [f["factor"] for f in verdict["factors"] if f["varied"]]
    rows = [
        (_STEPS[step], _chosen(factors, varied), f"{agreed[step, factors]} of {count}")
        for (step, factors), count in attempts.items()
    ]
    yield table(("run again", "varied", "gave the original's bits"), rows)


def _chosen(factors: Sequence[str], varied: Sequence[str]) -> str:
    """The factors of a trial, as they are or as those of the repeat but some."""
    left = [factor for factor in varied if factor not in factors]
    if not factors or len(left) >= len(factors):
        return listed(factors) or "nothing"
    return f"all that the repeat varied{f' but {listed(left)}' if left else ''}"


def mistakes(verdict: Verdict) -> Iterator[str]:
    if not verdict["mistakes"]:
        return
    yield "## Warnings\n"
    yield "No comparison of bits finds these: original and repeat agree, and may both be wrong.\n"
    for mistake in verdict["mistakes"]:
        yield f"- **{capital(mistake['mistake'])}.** {text(mistake['evidence'])}"
        yield f"  What to do: {text(mistake['remedy'])}"
    yield ""


def done(verdict: Verdict) -> Iterator[str]:
    yield "## What was done\n"
    if verdict["repeats"]:
        verb = "was" if verdict["repeats"] == 1 else "were"
        yield (
            f"Besides the original, {counted(verdict['repeats'], 'repeat')} {verb} made from the "
            "raw data on; preparing, training and evaluating each in a process of its own.\n"
        )
    else:
        yield "Only the original was made, from the raw data on.\n"
    varied = [(f["factor"], f.get("how")) for f in verdict["factors"] if f["varied"]]
    unvaried = [(f["factor"], f.get("why")) for f in verdict["factors"] if not f["varied"]]
    if varied:
        yield table(("varied in the repeat, since it must not matter", "how"), varied)
    if unvaried:
        yield table(("not varied", "why"), unvaried)
    yield from inference(verdict)
    yield f"- Where: {text(verdict['scope'])}.\n"


def mind(verdict: Verdict) -> Iterator[str]:
    if verdict["warnings"]:
        yield "## What to bear in mind\n"
        yield from (f"- {text(warning)}" for warning in verdict["warnings"])
        yield ""


def markdown(verdict: Verdict) -> str:
    """The page, in Markdown, of a verdict that `repro.verdict.assemble.judge` gave."""
    from repro.report.overhead import section  # it imports what trains, which no web page needs

    grows = growth(verdict["per_seed"])
    apart = (where(verdict), why(verdict), grows, distances(verdict["differences"]))
    moved = metrics(verdict)
    parts = (
        head(verdict), results(verdict),
        *((moved, *apart) if verdict["goal"] == "metrics" else (*apart, moved)),
        mistakes(verdict), goals(verdict), done(verdict),
        section(verdict), limits(verdict), mind(verdict), methods(verdict),
    )  # fmt: skip
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"
