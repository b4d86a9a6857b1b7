"""Diverging: where runs first diverge and how the difference grows from there, as pictures.

Synopsis:
    diverging(evidence, Path("digits.py"))      # None where they agree
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.compare.divergence import Divergence, place
from repro.core.canonical_json import decoded
from repro.core.digest import files_below, sha256_file, sha256_tree
from repro.core.parameters import Training
from repro.record.step import Step
from repro.report.tables import number
from repro.webpage.evidence import Evidence
from repro.webpage.figure import BAD, GOOD, REPEAT, figure

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

_ROWS = 12
_AROUND = 2
_LINEAR = 40
"""Of more steps the axis is logarithmic."""
_DATA = ("prepared data", "fitted preprocessing")
_AFTER = ("final weights", "predictions", "metrics")


@dataclass(frozen=True)
class Quote:
    """Lines of the user's code around one that a cause names."""

    file: str
    line: int
    lines: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Diverging:
    """The pictures, and the lines that causes name."""

    line: Markup
    growth: Sequence[Markup]
    quotes: Sequence[Quote]


def diverging(evidence: Evidence, code: Path) -> Diverging | None:
    """What a page shows of the divergence; None where no run diverges."""
    found = [entry for entry in evidence.verdict["per_seed"] if entry["divergence"]]
    if not found:
        return None
    return Diverging(
        _step_line(evidence, found),
        list(_growth(found, _length(evidence)[1])),
        list(_quotes(evidence, code)),
    )


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['run']}, seed {entry['seed']}"


def _step_line(evidence: Evidence, found: Sequence[Mapping[str, Any]]) -> Markup:
    shown = evidence.verdict["per_seed"][:_ROWS]
    epochs, steps = _length(evidence)
    told = ". ".join(
        f"{_named(entry)}: first at {place(Divergence.of(entry['divergence']))}"
        for entry in found[:_ROWS]
    )

    def draw(axes: Axes) -> None:
        first, last = -0.08 * epochs, 1.08 * epochs
        for row, entry in enumerate(shown):
            at = entry["divergence"]
            until = last if at is None else _at(at, epochs, steps)
            axes.plot([first, until], [row, row], color=GOOD, linewidth=3)
            if at is not None:
                axes.plot([until, last], [row, row], color=BAD, linewidth=3, linestyle=(0, (2, 1)))
                axes.plot([until], [row], "D", color=BAD, markersize=6)
        axes.set_yticks(range(len(shown)), [_named(entry) for entry in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(first * 1.3, last + 0.02 * epochs)
        for edge in (0, epochs):
            axes.axvline(edge, color=GOOD, linewidth=0.5, linestyle=":")
        axes.set_xlabel("data  |  epochs of training  |  predictions")
        axes.grid(visible=False)

    return figure(
        "step-line", "Where the runs first diverge", f"{told}.", draw,
        (7.2, 0.8 + 0.26 * len(shown)),
    )  # fmt: skip


def _length(evidence: Evidence) -> tuple[int, int]:
    """How many epochs the first training had, and how many steps an epoch."""
    trained = next(iter(evidence.of("train")), None)
    if trained is None:
        return 1, 1
    history = evidence.content(trained, "history.csv") or b""
    epochs = max(1, history.count(b"\n") - 1)
    return epochs, _steps(evidence, trained)


def _steps(evidence: Evidence, trained: Step) -> int:
    """The steps of an epoch; the trace need not have them."""
    prepared = next(iter(evidence.of("prepare", trained.run)), None)
    ids = evidence.content(prepared, "data/train/id.npy") if prepared else None
    if ids is None:
        return 1
    examples = len(np.load(io.BytesIO(ids), allow_pickle=False))
    return decoded(Training, trained.parameters["training"]).steps(examples)


def _at(divergence: Mapping[str, Any], epochs: int, steps: int) -> float:
    if divergence["what"] in _DATA:
        return -0.04 * epochs
    if divergence["epoch"] is None:
        return 1.04 * epochs if divergence["what"] in _AFTER else 0
    within = 1.0 if divergence["step"] is None else divergence["step"] / steps
    return divergence["epoch"] + min(1.0, within)


def _growth(found: Sequence[Mapping[str, Any]], steps: int) -> Iterator[Markup]:
    for entry in found:
        growth: Mapping[str, Any] = entry["divergence"].get("growth") or {"steps": ()}
        points = [point for point in growth["steps"] if point["relative"]]
        if points:
            yield _grows(entry, points, steps)
            return


def _grows(entry: Mapping[str, Any], points: Sequence[Mapping[str, Any]], steps: int) -> Markup:
    first, *_ = places = [point["epoch"] * steps + point["step"] for point in points]
    since = [place - first + 1 for place in places]
    values = [point["relative"] for point in points]
    plain = "{x:g}"  # not a formula

    def draw(axes: Axes) -> None:
        axes.plot(since, values, color=REPEAT, marker="o", markersize=2.5)
        axes.set_yscale("log")
        if since[-1] > _LINEAR:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(plain)
        axes.yaxis.set_major_formatter(plain)
        axes.set_xlabel("steps, from the first that differs")
        axes.set_title("largest relative difference of a weight")

    told = (
        f"{_named(entry)}: from {number(values[0])} in {points[0]['variable']}, at epoch "
        f"{points[0]['epoch']}, step {points[0]['step']}, to {number(values[-1])} in "
        f"{points[-1]['variable']}, at epoch {points[-1]['epoch']}, step {points[-1]['step']}."
    )
    return figure("growth", "How the difference grows", told, draw, (5.4, 2.6))


def _quotes(evidence: Evidence, code: Path) -> Iterator[Quote]:
    """The lines that causes name, as long as the code is what ran."""
    trained = next(iter(evidence.of("prepare")), None)
    if trained is None or not _is_what_ran(trained, code):
        return
    files = dict(files_below(code)) if code.is_dir() else {code.name: code}
    for cause in evidence.verdict["causes"]:
        file, line = cause["file"], cause["line"]
        path = files.get(file)
        if path is None or line is None:
            continue
        lines = path.read_text("utf-8", errors="replace").splitlines()
        around = range(max(1, line - _AROUND), min(len(lines), line + _AROUND) + 1)
        quote = Quote(file, line, [(n, lines[n - 1]) for n in around])
        if quote.lines:
            yield quote


def _is_what_ran(step: Step, code: Path) -> bool:
    try:
        now = sha256_tree(code) if code.is_dir() else sha256_file(code)
    except OSError:
        return False
    return step.digests.get("experiment") == now
