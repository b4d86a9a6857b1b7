"""Page: a comparison as a short table for people, and as plain values.

Synopsis:
    print(text(found), end="")
    print(pretty(values(found)), end="")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from repro.compare.divergence import place
from repro.content.kinds import METRICS
from repro.content.summary import summarised
from repro.core.text import counted, shortened
from repro.drift.effects import IRRELEVANT
from repro.formats.findings import FileComparison
from repro.side_by_side.comparison import SeedComparison, SideBySide
from repro.side_by_side.origins import Origins

_SHOWN = 10
_FILES = 6


def text(found: SideBySide) -> str:
    """All that differs, in a few lines."""
    lines = [*_head(found)]
    for seed in found.seeds:
        lines += ["", *_seed(seed)]
    for number in found.unpaired:
        lines.append(f"Seed {number}: only one of them has it.")
    lines += ["", *_origins(found.origins)]
    return "\n".join(lines) + "\n"


def _head(found: SideBySide) -> Iterator[str]:
    for letter, side in zip("AB", (found.left, found.right), strict=True):
        seed = "" if side.seed is None else f", seed {side.seed}"
        yield f"{letter}: {side.experiment}{seed} ({side.name})"
    yield "The same results, bit for bit." if found.same else "Not the same results."


def _seed(seed: SeedComparison) -> Iterator[str]:
    names = " and ".join(map(str, dict.fromkeys(seed.seeds)))
    if seed.divergence is None:
        yield f"Seed {names}: all that both have is the same, bit for bit."
    else:
        yield f"Seed {names}: first divergence at {place(seed.divergence)}."
    yield from (f"{what}." for what in seed.lacking)
    rows = [(name, *map(_number, pair), _difference(*pair)) for name, pair in seed.metrics.items()]
    if rows:
        yield from _table(("metric on the test part", "A", "B", "B - A"), rows)
    yield from _files(seed.files)


def _files(files: Sequence[FileComparison]) -> Iterator[str]:
    weights = next((f for f in files if f.name == "weights.safetensors"), None)
    if weights is None:
        yield "Weights: the same."
    yield from summarised(
        [f for f in files if f.role != METRICS and f.name != "metrics.json"]
    ).sentences


def _origins(found: Origins) -> Iterator[str]:
    if found.same:
        yield "Nothing differs in how they were made."
        return
    yield "What differs in how they were made:"
    rows = [(key, *_cut(pair)) for key, pair in found.configuration.items()]
    if rows:
        yield from _table(("configuration", "A", "B"), rows)
    code = [
        "the experiment's code" if n == "experiment" else n.partition("/")[2] for n in found.code
    ]
    for what, names in (
        ("experiment's code", code), ("raw data", found.data),
        ("weights from elsewhere", found.pretrained), ("workflow's files", found.workflow),
    ):  # fmt: skip
        if names:
            yield f"  {what}: {shortened(list(names), _FILES)}"
    telling = [d for d in found.setup if d.effect != IRRELEVANT]
    setup = [(d.what, d.was, d.now, d.effect) for d in telling]
    if setup:
        yield from _table(("packages and machine", "A", "B", "what it may do"), setup)
    if others := len(found.setup) - len(telling):
        yield f"  {counted(others, 'other difference')} of the machine that changes no result"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [head, *rows[:_SHOWN]]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells).rstrip()}"
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN} more, all of them with --json"


def _number(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else "none" if value is None else str(value)


def _difference(left: object, right: object) -> str:
    if isinstance(left, float) and isinstance(right, float):
        return "same" if repr(left) == repr(right) else f"{right - left:+.3g}"
    return "same" if left == right else ""


def _cut(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(t if len(t) <= 40 else f"{t[:39]}…" for t in texts)


def values(found: SideBySide) -> Mapping[str, Any]:
    """All that was found, as plain values."""
    sides = (found.left, found.right)
    return {
        "same": found.same,
        "sides": [
            {"name": side.name, "experiment": side.experiment, "seeds": [*side.seeds]}
            for side in sides
        ],
        "seeds": [_values(seed) for seed in found.seeds],
        "unpaired": [*found.unpaired],
        "origins": asdict(found.origins),
    }


def _values(seed: SeedComparison) -> Mapping[str, Any]:
    return {
        "seeds": [*seed.seeds],
        "same": seed.same,
        "divergence": asdict(seed.divergence) if seed.divergence else None,
        "metrics": {name: [*pair] for name, pair in seed.metrics.items()},
        "files": [asdict(file) for file in seed.files],
        "lacking": [*seed.lacking],
    }
