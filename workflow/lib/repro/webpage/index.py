"""Index: all experiments on one page, each with its verdict, its metrics and a link to its page.

Synopsis:
    index([Path("results/digits/verdict.json")])
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from repro.core.errors import UserError
from repro.core.schema import checked
from repro.report import results
from repro.report.badge import badge
from repro.webpage.templates import filled


def index(verdicts: Sequence[Path]) -> str:
    """The text of the overview.

    Raises:
        UserError: a verdict cannot be read.
    """
    read = [(path, _verdict(path)) for path in verdicts]
    entries = [
        {
            "verdict": verdict, "answer": badge(verdict), "rows": results.rows(verdict),
            "seeds": len(results.seeds(verdict)),
            "address": f"{quote(path.parent.name)}/report.html",
        }
        for path, verdict in read
    ]  # fmt: skip
    met = sum(verdict["verdict"] == "met" for _, verdict in read)
    return filled("index.html", entries=entries, met=met)


def _verdict(path: Path) -> Any:
    try:
        return checked(json.loads(path.read_text("utf-8")), "verdict", path.name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected a verdict at {path}. Received a file that cannot be read as one ({error}). "
            "Delete it and run again."
        ) from error
