"""Evidence: what the manifests say around a comparison, each read and checked once.

Synopsis:
    steps = [step_of(path) for path in manifests]
    context_of(steps, factors)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.core.factors import ALL
from repro.judge.verdict import Context
from repro.record import manifest
from repro.record.statement import EXTENSION

_SETUP = ("python", "packages", "cuda", "system", "cpu", "gpu", "installed")


@dataclass(frozen=True)
class Step:
    """One step whose files were found to be what its manifest says."""

    name: str
    run: str
    seed: int | None
    path: Path
    predicate: Mapping[str, Any]

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
    predicate = manifest.check_subjects(path, below)["predicate"]
    told = predicate["buildDefinition"]["externalParameters"]
    return Step(told["step"], told["run"], told["parameters"].get("seed"), path, predicate)


def _setup(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same in both runs: machine, environment, program and experiment."""
    setup = {key: predicate[EXTENSION]["environment"][key] for key in _SETUP}
    # How many processors there are must not matter: threads are in the configuration.
    setup["cpu"] = {k: v for k, v in setup["cpu"].items() if k not in ("count", "available")}
    for entry in predicate["buildDefinition"]["resolvedDependencies"]:
        if entry.get("name") in ("code", "experiment"):
            setup[entry["name"]] = entry["digest"]
    return setup


def _apart(setups: Iterable[Sequence[Mapping[str, Any]]]) -> list[str]:
    """In which parts the setups of some step differ."""
    names = [*_SETUP, "code", "experiment"]
    return [
        name for name in names if any(one.get(name) != s[0].get(name) for s in setups for one in s)
    ]


def _scope(setup: Mapping[str, Any]) -> str:
    cpu, system, gpu = setup["cpu"], setup["system"], setup["gpu"]
    model = cpu["model"] if isinstance(cpu["model"], str) else cpu["architecture"]
    devices = f"{len(gpu)} GPU(s)" if isinstance(gpu, list) and gpu else "no GPU"  # pyright: ignore
    return (
        f"this machine ({model}, {devices}, {system['name']} {system['kernel']}), "
        f"TensorFlow {setup['packages']['tensorflow']}, channel {setup['installed']['channel']}"
    )


def _factors(repeats: Sequence[Step], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Each factor: varied, and how; or not, and why. Varied is what every step has varied."""
    found: list[dict[str, Any]] = []
    for factor in ALL:
        told = [f for step in repeats for f in step.process["factors"] if f["factor"] == factor]
        if told:
            found.append(next((f for f in told if not f["varied"]), told[0]))
        else:
            why = "no repeat was made" if not repeats else "switched off"
            why = why if factor in wanted or factor != "load" else "only under stress"
            found.append({"factor": factor, "varied": False, "why": why})
    return found


def _inference(steps: Iterable[Step]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in steps:
        if step.name == "evaluate":
            report = json.loads((step.path.parent / "metrics.json").read_text("utf-8"))
            found.append({"run": step.run, "seed": step.seed, **report["inference"]})
    return found


def context_of(steps: Sequence[Step], wanted: Sequence[str]) -> Context:
    """What the manifests of all steps say together.

    Args:
        steps: those of the original and of every repeat.
        wanted: the factors that the configuration asks for.

    Returns:
        Scope, number of setups, factors, and the weights that were evaluated twice.
    """
    # Step by step: one that does not load TensorFlow cannot tell of its devices.
    setups: dict[str, list[dict[str, Any]]] = {step.name: [] for step in steps}
    for step in steps:
        if (setup := _setup(step.predicate)) not in setups[step.name]:
            setups[step.name].append(setup)
    repeats = [step for step in steps if step.run != "original"]
    scope = "; ".join(dict.fromkeys(_scope(setup) for setup in setups["train"]))
    count = max(map(len, setups.values()))
    if count > 1:
        scope += f"; what differs: {', '.join(_apart(setups.values()))}"
    return Context(scope, count, _factors(repeats, wanted), _inference(steps))
