"""Explain: from a divergence, through trials, to ranked causes.

Synopsis:
    causes, trials, growth = explain(divergence, runs, varied, budget)
"""

from __future__ import annotations

import re
import symtable
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.cause.diagnose import Cause, Findings, causes
from repro.cause.experiment_patch import tried_patch
from repro.cause.fault_isolation import Factors, Found, Trial, search
from repro.cause.first_divergent_op import Culprit, culprit
from repro.cause.growth import Growth, grow
from repro.cause.setting import Runs, reaching
from repro.cause.trials import Trials, scratch
from repro.compare.divergence import Divergence
from repro.core.factor_table import FACTORS, likely

_OPTIONAL = frozenset({"augment", "callbacks"})
_STAR = re.compile(r"^\s*from\s.*\simport\s+\*", re.MULTILINE)
LOOKS = 2
"""Trials that are kept back to look into every operation of the step that diverged."""


class _Watching:
    """Runs trials; the first of them also watches what the user's code calls."""

    def __init__(self, trials: Trials) -> None:
        self.seen: dict[str, Any] = {}
        self._trials, self._first = trials, True

    def __call__(self, factors: Factors) -> Trial:
        watched = self.seen if self._first else None
        self._first = False
        return self._trials.attempt(factors, watched)


def _look(trials: Trials, outcome: Found, budget: int) -> tuple[Culprit | None, Mapping[str, Any]]:
    """The first odd operation of two runs of the step, and the details of the first of them."""
    if outcome.kind not in ("random", "a race", "factor"):
        return None, {}
    factors = outcome.factors[0] if outcome.factors else ()
    left = trials.detailed(())
    if not left:
        return None, {}
    # What is left to chance may give two runs the same bits: then a third is looked into.
    others = 1 if outcome.kind == "factor" else 2
    for _ in range(min(others, budget - len(outcome.trials) - 1)):
        right = trials.detailed(factors)
        if right and (odd := culprit(left, right)):
            return odd, left
    return None, left


def lacking(experiment: Path) -> frozenset[str]:
    """The functions that an experiment, a file or folder, may define and, by its source, does not.

    None where the source cannot be read, or takes all that another file has.
    """
    file = experiment / "__init__.py" if experiment.is_dir() else experiment
    try:
        names = symtable.symtable(file.read_text("utf-8"), file.name, "exec").get_identifiers()
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    return frozenset() if _STAR.search(file.read_text("utf-8")) else _OPTIONAL - set(names)


def explain(
    divergence: Divergence, runs: Runs, varied: Sequence[str], budget: int
) -> tuple[list[Cause], list[Trial], Growth]:
    """Searches the causes of a divergence, best first, by running the step again.

    What is left of the trials then shows how the difference grows from there.

    `varied` are the repeat's factors; a budget of 0 trials searches nothing.
    """
    without = lacking(Path(runs.inputs["experiment"]))
    setting = reaching(divergence, runs)
    if budget == 0:
        growth = grow(divergence, setting, Found("", ()), 0)
        return causes(divergence, Findings(lacking=without)), [], growth
    with scratch(setting) as trials:
        watching = _Watching(trials)
        suspects = [factor for factor in FACTORS if factor in varied]

        def first() -> list[str]:
            sources = [call["source"] for call in watching.seen.get("calls", ())]
            return [factor for factor in likely(sources) if factor in suspects]

        outcome = search(suspects, first, watching, max(budget - LOOKS, 1))
        odd, details = _look(trials, outcome, budget)
        seen = {**details, **{name: value for name, value in watching.seen.items() if value}}
        findings = Findings(outcome, seen.get("calls", ()), odd, seen.get("layers", {}), without)
        found = _mended(causes(divergence, findings), findings, trials, suspects)
    growth = grow(divergence, setting, outcome, budget - trials.made)
    return found, list(outcome.trials), growth


def _mended(
    found: list[Cause], findings: Findings, trials: Trials, varied: Sequence[str]
) -> list[Cause]:
    """The causes, the first of them with a change that mends it, if one was found."""
    first, *others = found
    if not first.tested or first.file is None or first.line is None:
        return found
    patch = tried_patch((first.file, first.line), findings.calls, trials, varied)
    return [replace(first, patch=patch), *others]
