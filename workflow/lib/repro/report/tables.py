"""Tables: values, text and tables in Markdown.

Synopsis:
    table(("weights", "share"), [(code("dense/kernel"), percent(0.25))])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_MARKUP = re.compile(r"[*<]|__")


def text(value: str) -> str:
    """Words as they are: what Markdown would take for markup is escaped, but code in backticks."""
    parts = value.split("`")
    parts[::2] = [_MARKUP.sub(lambda m: "".join(f"\\{c}" for c in m[0]), p) for p in parts[::2]]
    return "`".join(parts)


def code(name: str) -> str:
    """A name, as code."""
    return f"`{name}`"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many digits; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def percent(share: float | None) -> str:
    """A share; one that is not 0 or 1 never reads as 0 % or 100 %."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "below 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{round(100 * share, 1):g} %"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; a blank line follows it."""
    cells = [head, ["---"] * len(head), *rows]
    lines = (" | ".join("–" if c is None else str(c).replace("|", "\\|") for c in r) for r in cells)
    return "".join(f"| {line} |\n" for line in lines)


def fenced(lines: str, language: str) -> str:
    """Lines as they are, between fences that none of them ends."""
    longest = max((len(each) for each in re.findall("`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{lines.rstrip()}\n{fence}"
