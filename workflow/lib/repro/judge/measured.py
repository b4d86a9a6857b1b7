"""Measured: each metric of the original and of its repeats, seed by seed.

Synopsis:
    values = measured(steps)
    values["accuracy"].original, values["accuracy"].repeated     # by seed
    values["recall of class 3"]
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.core.errors import UserError

if TYPE_CHECKING:
    from repro.judge.evidence import Step

CLASS = "recall of class "


@dataclass(frozen=True)
class Measured:
    """One metric by seed: of the original, and of the repeats, their mean where there are several.

    What is no finite number is NaN. `right` of the original's `examples` (in its first seed) were
    right, where it is their share; else None.
    """

    original: Mapping[int, float]
    repeated: Mapping[int, float]
    examples: int = 0
    right: int | None = None


def measured(steps: Sequence[Step]) -> dict[str, Measured]:
    """Reads the metrics of all runs.

    Args:
        steps: those of the original and of every repeat.

    Returns:
        By name each metric that every run has; the recall of each class among them, where the
        task is one of choosing among classes.

    Raises:
        UserError: a report cannot be read.
    """
    reports = [(s, _report(s.path.parent / "metrics.json")) for s in steps if s.name == "evaluate"]
    every = [(step, dict(_values(report))) for step, report in reports]
    names = [name for name in every[0][1] if all(name in values for _, values in every)]
    return {name: _measured(name, every, reports[0][1]) for name in names}


def _report(path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return {"metrics": {}, "per_class": None, "examples": 0, **report}
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected the metrics of a run at {path}. Received a file that cannot be read "
            f"({error}). Delete it and run again."
        ) from error


def _values(report: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in report["metrics"].items():
        yield name, value if isinstance(value, float) and math.isfinite(value) else math.nan
    for entry in report["per_class"] or ():
        if entry["recall"] is not None:
            yield f"{CLASS}{entry['class']}", float(entry["recall"])


def _measured(
    name: str, every: Sequence[tuple[Step, Mapping[str, float]]], report: Mapping[str, Any]
) -> Measured:
    found: dict[bool, dict[int, list[float]]] = {True: {}, False: {}}
    for step, values in every:
        assert step.seed is not None
        found[step.run == "original"].setdefault(step.seed, []).append(values[name])
    original, repeated = (
        {seed: float(np.mean(own)) for seed, own in sorted(by_seed.items())}
        for by_seed in (found[True], found[False])
    )
    shares = {(right, n) for own, right, n in _shares(report) if own == name}
    # Weighted examples, or a metric of the user's own by that name, are no such share.
    of = {(right, n) for right, n in shares if math.isclose(every[0][1][name], right / n,
                                                            rel_tol=1e-6)}  # fmt: skip
    right, examples = next(iter(of), (None, 0))
    return Measured(original, repeated, examples, right)


def _shares(report: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """What is a share of right answers: its name, how many were right, and of how many."""
    classes = [entry for entry in report["per_class"] or () if entry["examples"]]
    if classes:
        right, examples = (sum(entry[key] for entry in classes) for key in ("right", "examples"))
        yield "accuracy", right, examples
    for entry in classes:
        yield f"{CLASS}{entry['class']}", entry["right"], entry["examples"]
