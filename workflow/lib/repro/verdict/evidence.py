"""Evidence: what the manifests say around a comparison, each read and checked once.

Synopsis:
    steps = [step_of(path) for path in manifests]
    context_of(folder, steps, factors)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.drift.older_manifests import today
from repro.drift.setups import setups
from repro.launch.observed import unseen
from repro.launch.variations import ALL
from repro.record import manifest
from repro.record.statement import EXTENSION
from repro.verdict.context import Context
from repro.verdict.documented import gaps


@dataclass(frozen=True)
class Step:
    """One step whose files were found to be what its manifest says."""

    name: str
    run: str
    seed: int | None
    path: Path
    predicate: Mapping[str, Any]
    outputs: tuple[str, ...] = ()

    @property
    def environment(self) -> Mapping[str, Any]:
        """What the process found around it, in today's words."""
        return today(self.predicate[EXTENSION]["environment"])

    @property
    def process(self) -> Mapping[str, Any]:
        """What the process found of itself."""
        return self.predicate[EXTENSION]["process"]


def step_of(path: Path) -> Step:
    """Reads a manifest and checks its files.

    Args:
        path: the manifest of `prepare`, `train`, `evaluate` or `probe`.

    Returns:
        The step that it speaks of.

    Raises:
        UserError: it is damaged, or a file is not what it says.
    """
    below = "data" if path.name == "data.manifest.json" else None
    value = manifest.check_subjects(path, below)
    told = value["predicate"]["buildDefinition"]["externalParameters"]
    outputs = tuple(subject["name"] for subject in value["subject"])
    seed = told["parameters"].get("seed")
    return Step(told["step"], told.get("run", ""), seed, path, value["predicate"], outputs)


def factors_of(steps: Sequence[Step], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Each factor: varied, and how; or not, and why. Varied is what every step has varied.

    Args:
        steps: those of the original and of every repeat.
        wanted: the factors that the configuration asks for.
    """
    repeats = [step for step in steps if step.run != "original"]
    entries = [entry for step in repeats for entry in _told(step, steps)]
    found: list[dict[str, Any]] = []
    for factor in ALL:
        told = [entry for entry in entries if entry["factor"] == factor]
        if told:
            found.append(next((f for f in told if not f["varied"]), told[0]))
        else:
            why = "no repeat was made" if not repeats else "switched off"
            why = why if factor in wanted or factor != "load" else "only under stress"
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
            report = json.loads((step.path.parent / "metrics.json").read_text("utf-8"))
            found.append({"run": step.run, "seed": step.seed, **report["inference"]})
    return found


def context_of(folder: Path, steps: Sequence[Step], wanted: Sequence[str]) -> Context:
    """What the manifests of all steps say together.

    Args:
        folder: the experiment's results.
        steps: those of the original and of every repeat.
        wanted: the factors that the configuration asks for.

    Returns:
        Scope, number of setups, factors, the weights that were evaluated twice, and what is not
        documented.
    """
    found = setups(steps)
    missing, unknown = gaps(folder, steps)
    trained = next(step for step in steps if step.name == "train")
    return Context(
        found.scope, found.count, factors_of(steps, wanted), _inference(steps), found.programs,
        missing, unknown, trained.process.get("limits", []), trained.predicate,
    )  # fmt: skip
