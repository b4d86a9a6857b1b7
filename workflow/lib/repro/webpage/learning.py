"""Learning: the curves of every training, original and repeats, with validation.

Synopsis:
    curves = learned(evidence)
    pictures(curves, ["loss", "accuracy"])
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.core.text import capital
from repro.report.tables import number
from repro.webpage.evidence import Evidence
from repro.webpage.figure import ORIGINAL, REPEAT, figure, short

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

_POINTS = 1200
"""Of all lines of one picture: enough for the eye, and few enough for a page."""
_PICTURES = 4
_FEW = 4
SHOWN = 20
"""Trainings in one picture, the originals first."""
VALIDATION = "val_"


@dataclass(frozen=True)
class Learning:
    """What one training logged, epoch by epoch, by name."""

    run: str
    seed: int
    columns: Mapping[str, Sequence[float]]


def learned(evidence: Evidence) -> list[Learning]:
    """The history of every training, the original's first."""
    found: list[Learning] = []
    for step in evidence.of("train"):
        content = evidence.content(step, "history.csv")
        rows = list(csv.reader(io.StringIO((content or b"").decode("utf-8"))))
        names = rows[0] if rows else []
        columns = {
            name: [_value(row[place]) for row in rows[1:]]
            for place, name in enumerate(names)
            if name != "epoch"
        }
        found.append(Learning(step.run, step.seed or 0, columns))
    return found


def _value(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def logged(curves: Sequence[Learning], metrics: Sequence[str]) -> list[str]:
    """What is worth a picture: the loss and the metrics, as far as trainings logged them."""
    names = dict.fromkeys(name for curve in curves for name in curve.columns)
    wanted = dict.fromkeys(["loss", *metrics, *(n for n in names if f"{VALIDATION}{n}" in names)])
    return [name for name in wanted if name in names][:_PICTURES]


def pictures(curves: Sequence[Learning], names: Sequence[str]) -> list[Markup]:
    """A picture for each name that was logged."""
    return [
        figure(f"learning-{place}", f"{capital(name)} by epoch", _told(name, curves), _drawn(
            name, curves)) for place, name in enumerate(names)
    ]  # fmt: skip


def repeats_differ(curves: Sequence[Learning]) -> bool:
    """Whether any repeat logged something else than its original."""
    return any(True for _ in _odd(curves))


def _odd(curves: Sequence[Learning]) -> Iterator[Learning]:
    first = curves[0].run if curves else ""
    original = {c.seed: repr(c.columns) for c in curves if c.run == first}
    yield from (c for c in curves if c.run != first and repr(c.columns) != original.get(c.seed))


def _told(name: str, curves: Sequence[Learning]) -> str:
    parts: list[str] = []
    for part, key in (("training", name), ("validation", f"{VALIDATION}{name}")):
        first = next((curve for curve in curves if curve.columns.get(key)), None)
        if first:
            values = first.columns[key]
            ends = f"from {number(values[0])} to {number(values[-1])} in epoch {len(values) - 1}"
            parts.append(f"{part}, seed {first.seed}, {first.run}: {ends}")
    differ = "Repeats differ." if repeats_differ(curves) else "All repeats lie on their originals."
    alone = len({curve.run for curve in curves}) < 2
    return f"{capital('; '.join(parts))}.{'' if alone else f' {differ}'}"


def _chosen(count: int, most: int) -> list[int]:
    """About so many places of a line, the last among them."""
    every = max(1, -(-count // most))
    return sorted({*range(0, count, every), *range(count)[-1:]})


def _drawn(name: str, curves: Sequence[Learning]) -> Callable[[Axes], None]:
    odd = {id(curve) for curve in _odd(curves)}
    first = curves[0].run
    shown = [curve for curve in curves if curve.run == first or id(curve) in odd][:SHOWN]
    keys = ((name, "-"), (f"{VALIDATION}{name}", "--"))
    most = max(12, _POINTS // max(1, 2 * len(shown)))

    def draw(axes: Axes) -> None:
        for curve in shown:
            colour = ORIGINAL if curve.run == first else REPEAT
            for key, line in keys:
                values = curve.columns.get(key, ())
                places = _chosen(len(values), most)
                axes.plot(
                    places, [values[place] for place in places], line, color=colour,
                    alpha=1 if len(shown) <= _FEW else 0.5,
                    linewidth=1.3 if len(shown) <= _FEW else 0.7,
                    marker="." if len(values) == 1 else "",
                )  # fmt: skip
        axes.set_title(short(name))
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)

    return draw
