"""Growth: the part of a verdict's page that tells how the difference of the weights grows.

Synopsis:
    "\\n".join(growth(verdict["per_seed"]))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repro.core.text import shortened
from repro.report.tables import code, number, table, text

_NEAR = 16
_NAMED = 5


def growth(per_seed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How the difference grows from the first divergence on: a heading, a table, sentences.

    Nothing where no cause was searched for.
    """
    for entry in per_seed:
        divergence: Mapping[str, Any] = entry["divergence"] or {}
        if found := divergence.get("growth"):
            yield "## How the difference grows\n"
            yield from _grows(found)


def _grows(found: Mapping[str, Any]) -> Iterator[str]:
    if steps := found["steps"]:
        yield table(
            ("epoch", "step", "largest relative difference", "in"),
            [
                (
                    step["epoch"], step["step"],
                    "not finite" if step["relative"] is None else number(step["relative"]),
                    code(step["variable"]) if step["variable"] else None,
                )
                for place, step in enumerate(steps)
                if _shown(place, len(steps))
            ],
        )  # fmt: skip
        named = [code(entry["variable"]) for entry in found["first_variables"]]
        yield (
            "Of each variable: the largest difference, divided by the largest value in either "
            f"run. The first to differ: {shortened(named, _NAMED)}.\n"
        )
    yield f"{text(found['how'])}\n"


def _shown(place: int, count: int) -> bool:
    """The first step, then at twice the distance each time, and the last.

    Behind `_NEAR` steps no others are recorded.
    """
    return place & (place - 1) == 0 or place > _NEAR or place == count - 1
