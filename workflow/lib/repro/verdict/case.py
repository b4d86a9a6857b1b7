"""Case: all that the verdict on one experiment rests on.

Synopsis:
    case = Case("digits", parameters, comparisons, context, causes, trials, names)
    case.whole          # whether the repeats went from start to end
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.cause.diagnose import Cause
from repro.cause.fault_isolation import Trial
from repro.compare.runs import Comparison
from repro.core.parameters import CompareParameters
from repro.record.step import Step
from repro.stats.metric_comparison import MetricComparison


@dataclass(frozen=True)
class Context:
    """What the manifests say around a comparison.

    `scope` is where it holds. `setups` is how many setups took part, and `programs` how many
    versions of the program and the experiment. `factors` says of each factor whether it was
    `varied`, and `how`, or `why` not. `inference` tells, for each seed, of the weights that were
    evaluated twice. `missing` is what no manifest binds, and `unknown` what could be known and is
    not. `limits` are those that training recognised in the model. `trained` is the original's
    first training. `where` all ran, if in one setup; `elsewhere` says whether the repeats had other
    nodes, where they asked for them.
    """

    scope: str
    setups: int
    factors: Sequence[Mapping[str, Any]]
    inference: Sequence[Mapping[str, Any]]
    programs: int = 1
    missing: Sequence[str] = ()
    unknown: Sequence[str] = ()
    limits: Sequence[Mapping[str, str]] = ()
    trained: Step | None = None
    where: str = "this machine"
    elsewhere: str = ""


@dataclass(frozen=True)
class Case:
    """All that a verdict rests on; `moved` only where runs were evaluated.

    `further` is a run of one step that diverges from the original although no repeat does.
    """

    name: str
    parameters: CompareParameters
    comparisons: Sequence[Comparison]
    context: Context
    causes: Sequence[Cause]
    trials: Sequence[Trial]
    mistakes: Sequence[str]
    moved: MetricComparison | None = None
    further: Comparison | None = None

    @property
    def first(self) -> Comparison | None:
        """The first comparison whose runs diverge."""
        return next((c for c in self.comparisons if c.divergence), self.further)

    @property
    def nondeterministic_inference(self) -> list[int]:
        """Seeds whose weights, evaluated twice, gave other bits."""
        return sorted({entry["seed"] for entry in self.context.inference if not entry["same"]})

    @property
    def evaluated(self) -> bool:
        """Whether the repeats evaluated what they trained."""
        return self.parameters.full

    @property
    def whole(self) -> bool:
        """Whether the repeats went to the end, with every seed of the original."""
        seeds = {entry["seed"] for entry in self.context.inference if entry["run"] == "original"}
        repeated = {comparison.seed for comparison in self.comparisons}
        stopped = any(comparison.stopped for comparison in self.comparisons)
        return self.evaluated and not stopped and seeds <= repeated
