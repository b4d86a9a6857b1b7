"""Overhead: what a training costs, as a part of a verdict's page and in a few sentences.

Synopsis:
    lines = section(verdict)
    print("\\n".join(page(value)), summary(value))       # value: what cost.json holds
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repro.core.text import counted
from repro.overhead.breakdown import ALL, MEASURES, Figure
from repro.overhead.timed_training import VARIANTS
from repro.report.tables import table, text

_BUSY = 1.0
_WORDS = {
    "plain": "plain `fit`, as one would write it",
    "threads": "the recipe's numbers of threads",
    "loop": "this project's loop",
    "determinism": "determinism",
    "trace": "the trace",
    "checkpoints": "a checkpoint after every epoch",
    ALL: "all but checkpoints, beside plain `fit`",
}
_TOLD = ("determinism", "trace", "checkpoints", ALL)
_ODD = "not measurable here"


def _ratio_in_words(figure: Mapping[str, float], rounds: int) -> str:
    """A ratio, its range, and whether it says anything."""
    ratio = Figure(**figure)
    middle, least, most = (f"{value:.2f}" for value in (ratio.median, ratio.least, ratio.most))
    if rounds == 1:
        return f"{middle} (once)"
    words = f"{middle} ({least} to {most})"
    # Where nothing differs, nothing is hidden.
    return words if ratio.shows() or least == most else f"{words}, {_ODD}"


def _milliseconds(variant: Mapping[str, Any]) -> str:
    if "unknown" in variant:
        return "unknown"
    step = 1000 * variant["wall_s"]["median"]
    return f"{step:.3g}" if step < 100 else f"{step:,.0f}"


def _rows(value: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    rounds = value["rounds"]
    for name in (*VARIANTS, ALL):
        variant, price = value["variants"].get(name), value["prices"].get(name)
        step = "–" if variant is None else _milliseconds(variant)
        ratios = [_ratio_in_words(price[m], rounds) if price else "–" for m in MEASURES]
        yield (_WORDS[name], step, *(["1"] * 3 if name == next(iter(VARIANTS)) else ratios))


def page(value: Mapping[str, Any]) -> Iterator[str]:
    """The measurement (cost.json) in Markdown, line by line: how it was made, and a table."""
    yield (
        f"Measured by `./run cost {value['experiment']}` on {text(value['machine'])}, beside a "
        f"load of {value['load']:.1f}: this training, from the end of its first epoch on, for "
        f"{value['seconds']:g} s or as long as it lasts, validation and callbacks included; "
        f"`trace: {value['trace']}`. Each row does what the row above does, and what its name "
        "says. × is the ratio of the medians to the row above, in brackets the least and the most "
        f"of the rounds' own ratios; {counted(value['rounds'], 'round')}, in each of which each "
        "row ran once, in a process of its own. Memory is main memory, TensorFlow's own "
        "included.\n"
    )
    measures = [f"× {words.lower()}" for words in MEASURES.values()]
    yield table(("added, one by one", "a step, ms", *measures), _rows(value))
    for name, variant in value["variants"].items():
        if "unknown" in variant:
            yield f"- {_WORDS[name]}: unknown. {text(variant['unknown'])}\n"
    if value["rounds"] == 1:
        yield "One round does not show how far a second one would be from it.\n"
    elif any(_ODD in row for rows in _rows(value) for row in rows):
        yield f"{_ODD.capitalize()}: the rounds are further apart than the ratio is from 1.\n"
    yield from _one_checkpoint(value)
    if value["load"] >= _BUSY:
        yield "Other work ran beside it: the same says more on an idle machine.\n"


def _one_checkpoint(value: Mapping[str, Any]) -> Iterator[str]:
    """How long one takes, where that can be told."""
    price = value["prices"]["checkpoints"]
    if price and Figure(**price["wall_s"]).shows() and value["rounds"] > 1:
        with_checkpoints, without = value["variants"]["checkpoints"], value["variants"]["trace"]
        longer = with_checkpoints["steps"] * (
            with_checkpoints["wall_s"]["median"] - without["wall_s"]["median"]
        )
        yield (
            f"A checkpoint takes {1000 * longer:.3g} ms. By `training.checkpoint` one is written "
            "after every so many seconds at most, 60 if nothing else is said.\n"
        )


def section(verdict: Mapping[str, Any]) -> Iterator[str]:
    """What the page of a verdict says of the price; nothing where none was measured."""
    if value := verdict.get("cost"):
        yield "## What it costs\n"
        yield from page(value)


def summary(value: Mapping[str, Any]) -> str:
    """What determinism, trace, checkpoints and all but these cost, in a few sentences."""
    prices, rounds = value["prices"], value["rounds"]

    def in_words(name: str, measure: str) -> str:
        price = prices[name]
        return f"{_WORDS[name]} {_ratio_in_words(price[measure], rounds) if price else 'unknown'}"

    every = [
        f"{words}: {'; '.join(in_words(name, measure) for name in _TOLD)}."
        for measure, words in MEASURES.items()
    ]
    return (
        f"{value['experiment']}: what is taken with each, as a multiple of what is taken without. "
        f"{' '.join(every)} Medians of {counted(rounds, 'round')}, least to most."
    )
