"""Index: all experiments on one page, each with its verdict, its metrics and a link to its page.

Synopsis:
    index([Path("results/digits/verdict.json")])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from repro.core.schema import read
from repro.report import results
from repro.report.badge import badge
from repro.webpage.templates import filled


def index(verdicts: Sequence[Path]) -> str:
    """The text of the overview.

    Raises:
        UserError: a verdict cannot be read.
    """
    each = [(path, read(path, "verdict")) for path in verdicts]
    entries = [
        {
            "verdict": verdict, "answer": badge(verdict), "rows": results.rows(verdict),
            "seeds": len(results.seeds(verdict)),
            "address": f"{quote(path.parent.name)}/report.html",
        }
        for path, verdict in each
    ]  # fmt: skip
    met = sum(verdict["verdict"] == "met" for _, verdict in each)
    return filled("index.html", entries=entries, met=met)
