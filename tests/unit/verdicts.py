"""A small experiment's results with a verdict: real files and real manifests, and no training."""

import json
from pathlib import Path
from typing import Any

from repro.core.canonical_json import pretty
from repro.record import manifest
from repro.record.environment import environment
from repro.record.statement import Making, resources, sealed

PACKAGE = {"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "b" * 64}
INSTALLED = {
    "lock": f"sha256:{'0' * 64}", "channel": "local", "platform": "linux-64",
    "packages": [PACKAGE],
}  # fmt: skip
ENVIRONMENT = {**environment(), "loaded": {"packages": ["numpy"], "host": {}}}
FILES = {
    "data": ("prepare", "original", ["data/train/id.npy", "data/train/x.npy"]),
    "train": ("train", "original/seed-0", ["weights.safetensors", "trace.jsonl"]),
    "evaluate": ("evaluate", "original/seed-0", ["metrics.json", "predictions.npz"]),
    "probe": ("probe", "", ["probe.json"]),
    "cost": ("cost", "", ["cost.json"]),
}


def claim(folder: Path, step: str, name: str, files: list[str], inputs: dict[str, Path]) -> Path:
    """A manifest of some files, which are made where they are missing."""
    paths = [folder / file for file in files]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(path.name)
    making = Making(
        names={"step": step, "experiment": folder.parts[folder.parts.index("results") + 1]},
        parameters={}, inputs=resources(inputs), installed=INSTALLED, environment=ENVIRONMENT,
        process={"factors": []},
    )  # fmt: skip
    manifest.write(folder / f"{name}.manifest.json", making, paths)
    return folder / f"{name}.manifest.json"


def written(root: Path, name: str, verdict: str, **changed: Any) -> Path:
    """The verdict of an experiment, with all that it rests on below `root`/results."""
    folder = root / "results" / name
    made = [
        claim(folder / place, step, kind, files, {}) for kind, (step, place, files) in FILES.items()
    ]
    value = {
        "experiment": name, "goal": "bitwise", "verdict": verdict,
        "sentence": f"{name}: {verdict}.", "scope": "", "repeats": 1, "per_seed": [], "causes": [],
        "search": [], "mistakes": [],
        "differences": {}, "factors": [], "goals": {
            goal: {"verdict": verdict, "sentence": "So."}
            for goal in ("bitwise", "metrics", "documented")
        },
        "best": None, "metrics": None, "inference": [], "limits": [], "methods": "",
        "warnings": [], **changed,
    }  # fmt: skip
    (folder / "verdict.json").write_text(json.dumps(value))
    (folder / "verdict.md").write_text(f"{name}: {verdict}\n")
    used = {path.relative_to(folder).as_posix(): path for path in made}
    claim(folder, "compare", "verdict", ["verdict.json", "verdict.md"], used)
    return folder / "verdict.json"


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def reseal(path: Path, old: str, new: str) -> None:
    """The same in a manifest, which then says of itself that it is as it was written."""
    edit(path, old, new)
    value = json.loads(path.read_text())
    value["predicate"]["repro_record"]["sha256"] = sealed(value)
    path.write_text(pretty(value))
