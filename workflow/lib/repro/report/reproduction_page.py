"""Reproduction page: what came of running an archive again, for people who have never seen it.

Synopsis:
    page(reproduction)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repro.compare.divergence import Divergence, place
from repro.core.text import counted
from repro.drift.effects import IRRELEVANT
from repro.report.differences import distances
from repro.report.goals import answers
from repro.report.tables import table, text

Reproduction = Mapping[str, Any]


def _head(reproduction: Reproduction) -> Iterator[str]:
    yield f"# {reproduction['experiment']}, rerun: {reproduction['verdict']}\n"
    yield f"{text(reproduction['sentence'])}\n"
    yield f"The archive claims **{reproduction['goal']}**. {_reached(reproduction)}\n"
    yield answers(reproduction)


def _reached(reproduction: Reproduction) -> str:
    if not reproduction["whole"]:
        return "Only the evaluation was rerun."
    if not reproduction["reached"]:
        return "No goal was reached."
    return f"The strongest goal that was reached: **{reproduction['reached']}**."


def _setup(reproduction: Reproduction) -> Iterator[str]:
    yield "## The two setups\n"
    yield f"{text(reproduction['scope'])}.\n"
    odd = [difference for difference in reproduction["setup"] if difference["effect"] != IRRELEVANT]
    if odd:
        head = ("what", "in the archive", "here", "so", "because")
        keys = ("what", "was", "now", "effect", "why")
        yield table(head, [tuple(text(difference[key]) for key in keys) for difference in odd])
    if left := len(reproduction["setup"]) - len(odd):
        yield f"Besides, {counted(left, 'difference')} that no bit depends on.\n"
    elif not odd:
        yield "Nothing that was recorded differs.\n"


def _where(reproduction: Reproduction) -> Iterator[str]:
    diverged = [entry for entry in reproduction["per_seed"] if entry["divergence"]]
    if not diverged:
        return
    yield "## Where they first diverge\n"
    rows = [(entry["seed"], text(place(Divergence.of(entry["divergence"])))) for entry in diverged]
    yield table(("seed", "first at"), rows)
    yield "Below, *original* is what the archive holds, and *repeat* what came out here.\n"
    yield from distances(reproduction["differences"], "reproduction.json")


def page(reproduction: Reproduction) -> str:
    """The page, in Markdown, of what `repro.verdict.reproduction.reproduction` gave."""
    parts = (_head(reproduction), _where(reproduction), _setup(reproduction))
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"
