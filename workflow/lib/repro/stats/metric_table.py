"""Metric table: each metric of the original and of its repeats, seed by seed.

Synopsis:
    values = measured(steps)
    values["accuracy"].original, values["accuracy"].repeated     # by seed
    values["recall of class 3"]
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.core.errors import UserError
from repro.record.step import Step

CLASS = "recall of class "
RUNS = ("original", "repeat")
_SHARES = re.compile(
    r"(.*_)?(acc|accuracy|auc|precision|recall|(f1|fbeta)_score|(mean_)?io_u"
    r"|(precision|recall)_at_(precision|recall)|(sensitivity|specificity)_at_\w+)(_\d+)?"
)
"""Names that Keras gives to what lies between 0 and 1, also as `OUTPUT_accuracy` or `auc_1`."""


@dataclass(frozen=True)
class Measured:
    """One metric by seed: of the original, and of the first repeat.

    A mean of several repeats would scatter less than the original does, and in another shape; the
    tests ask that both scatter alike. What is no finite number is NaN. Of the original's `examples`
    in its first seed so many were `right`, where the metric is their share; else None.
    """

    original: Mapping[int, float]
    repeated: Mapping[int, float]
    examples: int = 0
    right: int | None = None

    def span(self, name: str) -> float:
        """How far two values can lie apart: 1 for a share, such as an accuracy; else unknown, inf.

        A metric that is called like a share and has values that are none, such as percents, is one
        of the user's own.
        """
        values = (*self.original.values(), *self.repeated.values())
        share = name.startswith(CLASS) or _SHARES.fullmatch(name) is not None
        within = all(not (value < 0 or value > 1) for value in values)
        return 1.0 if share and within else math.inf


def measured(steps: Sequence[Step], runs: tuple[str, str] = RUNS) -> dict[str, Measured]:
    """Reads the metrics of all runs, by name; NaN where a run lacks one that another has.

    The recall of each class is among them, where the task is one of choosing among classes.

    Raises:
        UserError: a report cannot be read.
    """
    reports = [(s, _report(s.folder / "metrics.json")) for s in steps if s.name == "evaluate"]
    every = [(step, dict(_values(report))) for step, report in reports]
    names = dict.fromkeys(name for _, values in every for name in values)
    return {name: _measured(name, every, reports[0][1], runs) for name in names}


def finite(value: float | None) -> float | None:
    """The value where it is a finite number."""
    return value if value is not None and math.isfinite(value) else None


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
    name: str, every: Sequence[tuple[Step, Mapping[str, float]]], report: Mapping[str, Any],
    runs: tuple[str, str],
) -> Measured:  # fmt: skip
    by_run: dict[str, dict[int, float]] = {run: {} for run in runs}
    for step, values in every:
        assert step.seed is not None
        if step.run in by_run:
            by_run[step.run][step.seed] = values.get(name, math.nan)
    original, repeated = (dict(sorted(results.items())) for results in by_run.values())
    # Weighted examples, or a metric of the user's own by that name, are no share of examples.
    value = every[0][1].get(name, math.nan)
    counts = (share[1:] for share in _shares(report) if share[0] == name)
    fitting = (share for share in counts if math.isclose(share[0] / share[1], value, rel_tol=1e-6))
    right, examples = next(fitting, (None, 0))
    return Measured(original, repeated, examples, right)


def _shares(report: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """What is a share of right answers: its name, how many were right, and of how many."""
    classes = [entry for entry in report["per_class"] or () if entry["examples"]]
    if classes:
        right, examples = (sum(entry[key] for entry in classes) for key in ("right", "examples"))
        yield "accuracy", right, examples
    for entry in classes:
        yield f"{CLASS}{entry['class']}", entry["right"], entry["examples"]
