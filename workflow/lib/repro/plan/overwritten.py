"""Overwritten: results that are there and that jobs are about to make again.

Synopsis:
    warning(outputs)           # "This run may make these results again, …", or nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from repro.core import layout
from repro.core.text import shortened
from repro.plan.results import RESULTS

_SHOWN = 6


def warning(outputs: Iterable[str]) -> str:
    """A sentence on finished steps among whose files some outputs of jobs are; "" where none is.

    Args:
        outputs: by their paths from the project's folder.
    """
    inner = {name.removeprefix(f"{RESULTS}/") for name in outputs}
    steps = {
        layout.claimant(name)
        for name in inner
        if (place := layout.place(name)) and place.step != "code"
    }
    there = sorted(f"{RESULTS}/{name}" for name in steps if Path(RESULTS, name).is_file())
    if not there:
        return ""
    return (
        "This run may make results again, and overwrite what is there: those of "
        f"{shortened(there, _SHOWN)}. `./run` with `--store` puts them aside first."
    )
