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

from repro.core.factor_table import FACTORS, STRESS
from repro.drift.setups import setups
from repro.launch.observed import unseen
from repro.record.step import Step
from repro.verdict.case import Context
from repro.verdict.completeness import gaps


def factors_of(steps: Sequence[Step], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Each factor: varied, and how; or not, and why. Varied is what every step has varied."""
    repeats = [step for step in steps if step.run != "original"]
    entries = [entry for step in repeats for entry in _told(step, steps)]
    found: list[dict[str, Any]] = []
    for factor in FACTORS:
        told = [entry for entry in entries if entry["factor"] == factor]
        if told:
            found.append(next((f for f in told if not f["varied"]), told[0]))
        else:
            why = "no repeat was made" if not repeats else "switched off"
            why = why if factor in wanted or factor != STRESS else "only under stress"
            found.append({"factor": factor, "varied": False, "why": why})
    return found


def _told(repeat: Step, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The factors of one step of a repeat; varied are those of which it saw something else."""
    like = (repeat.name, "original", repeat.seed)
    original = next((step for step in steps if (step.name, step.run, step.seed) == like), repeat)
    entries: list[dict[str, Any]] = repeat.process["factors"]
    names = [entry["factor"] for entry in entries if entry["varied"]]
    mine, its = original.process.get("observed", {}), repeat.process.get("observed", {})
    alike = unseen(mine, its, names) if original is not repeat else []
    why = "the repeat saw of it what the original saw"
    return [
        {"factor": e["factor"], "varied": False, "why": why} if e["factor"] in alike else e
        for e in entries
    ]


def _inference(steps: Iterable[Step]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in steps:
        if step.name == "evaluate":
            report = json.loads((step.folder / "metrics.json").read_text("utf-8"))
            found.append({"run": step.run, "seed": step.seed, **report["inference"]})
    return found


def context_of(folder: Path, steps: Sequence[Step], wanted: Sequence[str]) -> Context:
    """What the manifests of all steps say together.

    `wanted` are the factors that the configuration asks for.
    """
    found = setups(steps)
    missing, unknown = gaps(folder, steps)
    trained = next(step for step in steps if step.name == "train")
    return Context(
        found.scope, found.count, factors_of(steps, wanted), _inference(steps), found.programs,
        missing, unknown, trained.process.get("limits", []), trained,
    )  # fmt: skip
