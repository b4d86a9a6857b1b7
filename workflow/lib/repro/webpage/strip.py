"""Strip: each tested metric's difference, seed by seed, beside its margin.

Synopsis:
    strips(verdict)         # a picture for each metric; none where nothing was tested
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.core.text import counted
from repro.report.tables import number
from repro.webpage.figure import GOOD, INK, LINE, REPEAT, figure, short

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

_PICTURES = 6


def strips(verdict: Mapping[str, Any]) -> list[Markup]:
    """A picture for each metric that the answer rests on, as far as seeds were repeated."""
    found: Mapping[str, Any] = verdict["metrics"] or {}
    family: Mapping[str, Any] = found.get("metrics") or {"tests": ()}
    results: Mapping[str, Any] = verdict.get("results") or {}
    pictures: list[Markup] = []
    for test in family["tests"]:
        differences = _differences(results.get(test["metric"]))
        if differences and len(pictures) < _PICTURES:
            pictures.append(_picture(len(pictures), test, differences))
    return pictures


def _differences(of: Mapping[str, Any] | None) -> list[float]:
    runs: Mapping[str, Mapping[str, float | None]] = of["runs"] if of else {}
    original, repeat = runs.get("original", {}), runs.get("repeat", {})
    pairs = [(original[seed], value) for seed, value in repeat.items() if seed in original]
    return [right - left for left, right in pairs if left is not None and right is not None]


def _picture(place: int, test: Mapping[str, Any], differences: Sequence[float]) -> Markup:
    name, margin, mean = test["metric"], test["margin"] or (), test["difference"]

    def draw(axes: Axes) -> None:
        for reach in dict.fromkeys(margin):
            axes.axvspan(-reach, reach, color=GOOD, alpha=0.12, linewidth=0)
        axes.axvline(0, color=LINE)
        heights = [(seed % 5 - 2) / 8 for seed in range(len(differences))]
        axes.plot(differences, heights, "o", color=REPEAT, markersize=4, alpha=0.75)
        if interval := test["interval"]:
            axes.plot(interval, [0, 0], color=INK, linewidth=1.6)
        if mean is not None:
            axes.plot([mean], [0], "D", color=INK, markersize=5)
        axes.set_ylim(-0.6, 0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_title(short(name))
        axes.set_xlabel("repeat − original")
        axes.locator_params(axis="x", nbins=5)

    ends = " to ".join(number(end) for end in dict.fromkeys(margin))
    reach = f"; the margin is {ends} to either side" if ends else ""
    told = (
        f"{counted(len(differences), 'seed')}: the differences lie between "
        f"{number(min(differences))} and {number(max(differences))}, their mean is "
        f"{number(mean)}{reach}. Found: {test['answer']}."
    )
    return figure(
        f"strip-{place}", f"{name}: repeat minus original, by seed", told, draw, (3.9, 1.5)
    )
