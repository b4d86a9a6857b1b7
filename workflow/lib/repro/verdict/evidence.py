"""Evidence: what the manifests say around a comparison, each read and checked once.

Synopsis:
    steps = [checked_step(path) for path in manifests]
    context_of(folder, steps, factors)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from repro.core.canonical_json import Json
from repro.core.factor_table import FACTORS, STRESS
from repro.drift import nodes
from repro.drift.setups import setups
from repro.launch.observed import unseen
from repro.record.step import Step
from repro.verdict.case import Context
from repro.verdict.completeness import gaps


def factors_of(steps: Sequence[Step], wanted: Sequence[str]) -> list[dict[str, Json]]:
    """Each factor: varied, and how; or not, and why. Varied is what every step has varied."""
    repeats = [step for step in steps if step.run != "original"]
    entries = [entry for step in repeats for entry in _factors_in(step, steps)]
    factors: list[dict[str, Json]] = []
    for factor in FACTORS:
        of_factor = [entry for entry in entries if entry["factor"] == factor]
        if of_factor:
            factors.append(next((f for f in of_factor if not f["varied"]), of_factor[0]))
        else:
            why = "no repeat was made" if not repeats else "switched off"
            why = why if factor in wanted or factor != STRESS else "only under stress"
            factors.append({"factor": factor, "varied": False, "why": why})
    return factors


def _factors_in(repeat: Step, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The factors of one step of a repeat; varied are those of which it saw something else."""
    like = (repeat.name, "original", repeat.seed)
    original = next((step for step in steps if (step.name, step.run, step.seed) == like), repeat)
    entries: list[dict[str, Any]] = repeat.process["factors"]
    names = [entry["factor"] for entry in entries if entry["varied"]]
    original_saw, repeat_saw = (
        original.process.get("observed", {}),
        repeat.process.get("observed", {}),
    )
    alike = unseen(original_saw, repeat_saw, names) if original is not repeat else []
    why = "the repeat saw of it what the original saw"
    return [
        {"factor": e["factor"], "varied": False, "why": why} if e["factor"] in alike else e
        for e in entries
    ]


def _inference(steps: Iterable[Step]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for step in steps:
        if step.name == "evaluate":
            report = json.loads((step.folder / "metrics.json").read_text("utf-8"))
            entries.append({"run": step.run, "seed": step.seed, **report["inference"]})
    return entries


def context_of(
    folder: Path, steps: Sequence[Step], wanted: Sequence[str], elsewhere: bool = False
) -> Context:
    """What the manifests of all steps say together.

    `wanted` are the factors that the configuration asks for; `elsewhere` is whether it asks for
    other nodes for the repeats.
    """
    where = setups(steps)
    missing, unknown = gaps(folder, steps)
    moved = nodes.elsewhere(steps) if elsewhere else ""
    scope = f"{where.scope}; {moved}" if moved else where.scope
    trained = next(step for step in steps if step.name == "train")
    return Context(
        scope, where.count, factors_of(steps, wanted), _inference(steps), where.programs,
        missing, unknown, trained.process.get("limits", []), trained,
        nodes.where(steps), moved,
    )  # fmt: skip
