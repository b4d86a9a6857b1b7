"""Figure: what Matplotlib draws, as SVG that is a part of a page: its colours, its font.

Synopsis:
    figure("loss", "The loss by epoch", "It falls from 2.2 to 0.06.", draw)

The same picture gives the same bytes. Colours are roles, which the page's style fills in, for light
and dark; text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

INK, LINE, ORIGINAL, REPEAT, BAD, GOOD = (f"#01020{number}" for number in range(3, 9))
"""Roles: colours that no figure has, in whose place the page's own stand."""
_LONGEST = 40
_ROLES = {
    INK: "currentColor", LINE: "var(--line)", ORIGINAL: "var(--original)",
    REPEAT: "var(--repeat)", BAD: "var(--bad)", GOOD: "var(--good)",
}  # fmt: skip
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "figure", "text.parse_math": False,
    "font.family": "DejaVu Sans", "font.size": 8.5, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": LINE, "axes.linewidth": 0.8, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.5,
    "axes.axisbelow": True, "xtick.color": LINE, "ytick.color": LINE, "xtick.labelcolor": INK,
    "ytick.labelcolor": INK, "axes.titlesize": 9.5, "axes.titlelocation": "left",
    "axes.titleweight": "bold", "lines.linewidth": 1.3, "path.simplify_threshold": 0.5,
    "axes.facecolor": "none", "figure.facecolor": "none", "savefig.facecolor": "none",
}  # fmt: skip
_NOTHING: dict[str, None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_HEAD = (
    '<svg viewBox="{box}" role="img" aria-labelledby="{name}-title {name}-desc">'
    '<title id="{name}-title">{title}</title><desc id="{name}-desc">{told}</desc>'
)
_DROPPED = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PATH = re.compile(r'(?<= d=")[^"]*|(?<= transform=")[^"]*|(?<= points=")[^"]*')
_FONT = re.compile(r"font: (?:([a-z0-9]+) )?([\d.]+)px [^;\"]*")


def figure(
    name: str, title: str, told: str, draw: Callable[[Axes], object],
    size: tuple[float, float] = (3.9, 2.5),
) -> Markup:  # fmt: skip
    """One picture.

    Args:
        name: its name on the page, of letters, digits and `-`.
        title: what it shows.
        told: the same as it is seen, for who does not see it.
        draw: draws onto axes.
        size: in inches, that is 72 units of the picture.
    """
    import matplotlib.style
    from markupsafe import Markup
    from matplotlib.figure import Figure

    # Whatever a user's own file of Matplotlib's settings says, pages have the same bytes.
    with matplotlib.style.context(["default", _STYLE]):
        drawn = Figure(figsize=size, layout="constrained")
        draw(drawn.add_subplot())
        text = io.StringIO()
        drawn.savefig(text, format="svg", metadata=_NOTHING)
    return Markup(_part_of_a_page(text.getvalue(), name, title, told))


def short(name: str) -> str:
    """A name as it fits over a picture."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


def _part_of_a_page(svg: str, name: str, title: str, told: str) -> str:
    _, start, rest = svg.partition("<svg")
    opening, _, inner = rest.partition(">")
    box = re.search(r'viewBox="([^"]+)"', opening)
    assert start
    assert box
    inner = _DROPPED.sub("", inner)
    inner = _PATH.sub(lambda path: _NUMBER.sub(_rounded, path[0]), inner)
    inner = _FONT.sub(_font, inner).replace("xlink:href", "href")
    inner = re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', f"{name}-", inner)
    for colour, role in _ROLES.items():
        inner = inner.replace(colour, role)
    inner = re.sub(r"\s*\n\s*", "\n", inner)
    head = _HEAD.format(box=box[1], name=name, title=escape(title), told=escape(told))
    return f"{head}{inner.strip()}"


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _font(font: re.Match[str]) -> str:
    weight = f"font-weight: {font[1]}; " if font[1] else ""
    return f"{weight}font-size: {font[2]}px"
