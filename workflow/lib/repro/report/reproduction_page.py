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

Found = Mapping[str, Any]


def _head(found: Found) -> Iterator[str]:
    yield f"# {found['experiment']}, run again: {found['verdict']}\n"
    yield f"{text(found['sentence'])}\n"
    yield f"The archive claims **{found['goal']}**. {_reached(found)}\n"
    yield answers(found)


def _reached(found: Found) -> str:
    if not found["whole"]:
        return "Of the way to it only the evaluation was run again."
    if not found["reached"]:
        return "No goal was reached."
    return f"The strongest goal that was reached: **{found['reached']}**."


def _setup(found: Found) -> Iterator[str]:
    yield "## The two setups\n"
    yield f"{text(found['scope'])}.\n"
    odd = [one for one in found["setup"] if one["effect"] != IRRELEVANT]
    if odd:
        head = ("what", "in the archive", "here", "so", "because")
        keys = ("what", "was", "now", "effect", "why")
        yield table(head, [tuple(text(one[key]) for key in keys) for one in odd])
    if left := len(found["setup"]) - len(odd):
        yield f"Besides, {counted(left, 'difference')} that no bit hangs on.\n"
    elif not odd:
        yield "Nothing that was recorded differs.\n"


def _where(found: Found) -> Iterator[str]:
    parted = [one for one in found["per_seed"] if one["divergence"]]
    if not parted:
        return
    yield "## Where they part\n"
    rows = [(one["seed"], text(place(Divergence(**one["divergence"])))) for one in parted]
    yield table(("seed", "first at"), rows)
    yield "Below, *original* is what the archive holds, and *repeat* what came out here.\n"
    yield from distances(found["differences"], "reproduction.json")


def page(found: Found) -> str:
    """The page, in Markdown, of what `repro.verdict.reproduction.reproduction` gave."""
    parts = (_head(found), _where(found), _setup(found))
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"
