"""Case: all that the verdict on one experiment rests on.

Synopsis:
    case = Case("digits", parameters, comparisons, context, causes, trials, names)
    case.whole          # whether the repeats went the whole way
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.cause.diagnose import Cause
from repro.cause.fault_isolation import Trial
from repro.compare.runs import Comparison
from repro.core.parameters import CompareParameters
from repro.verdict.context import Context

if TYPE_CHECKING:
    from repro.verdict.metrics import Moved


@dataclass(frozen=True)
class Case:
    """All that a verdict rests on; `moved` only where runs were evaluated.

    `further` is a run of one step that parts from the original although no repeat does.
    """

    name: str
    parameters: CompareParameters
    comparisons: Sequence[Comparison]
    context: Context
    causes: Sequence[Cause]
    trials: Sequence[Trial]
    mistakes: Sequence[str]
    moved: Moved | None = None
    further: Comparison | None = None

    @property
    def first(self) -> Comparison | None:
        """The first comparison whose runs part."""
        return next((c for c in self.comparisons if c.divergence), self.further)

    @property
    def restless(self) -> list[int]:
        """Seeds whose weights, evaluated twice, gave other bits."""
        return sorted({entry["seed"] for entry in self.context.inference if not entry["same"]})

    @property
    def evaluated(self) -> bool:
        """Whether the repeats evaluated what they trained."""
        return self.parameters.full

    @property
    def whole(self) -> bool:
        """Whether the repeats went the whole way, with every seed of the original."""
        seeds = {entry["seed"] for entry in self.context.inference if entry["run"] == "original"}
        repeated = {comparison.seed for comparison in self.comparisons}
        stopped = any(comparison.stopped for comparison in self.comparisons)
        return self.evaluated and not stopped and seeds <= repeated
