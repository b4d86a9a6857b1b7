"""Small experiments with results, manifests and a verdict, of which pages are made; no training."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from repro.core.canonical_json import canonical, pretty
from repro.core.parameters import EquivalencePlan, Threads, Training
from repro.core.schema import checked
from repro.record import manifest
from repro.record.statement import Making, resources
from repro.record.step import read_step
from repro.stats.metric_comparison import compare_metrics, every_result
from repro.stats.metric_table import measured
from repro.webpage.evidence import read
from repro.webpage.page import page
from verdicts import ENVIRONMENT, INSTALLED

TRAINING = Training(epochs=5, batch_size=2, loop="fit", trace="step", threads=Threads(1, 1))
CODE = "import numpy as np\n\n\ndef model():\n    return np.random.rand()\n"


@dataclass
class Sample:
    """What is asked of an experiment; `changed` are keys of its verdict."""

    name: str = "digits"
    seeds: Sequence[int] = (0,)
    runs: Sequence[str] = ("original", "repeat")
    epochs: int = 5
    metrics: Sequence[str] = ("accuracy", "loss")
    classes: int = 3
    """Of 0 the task is one of numbers."""
    validation: bool = True
    moved: float = 0.0
    """How far repeats are from their originals."""
    value: float | None = None
    """In place of every number that is logged or measured."""
    predicted: bool = True
    traced: int = 0
    """So many steps of each epoch are in the trace; there are 4."""
    goal: str = "bitwise"
    changed: Mapping[str, Any] = field(default_factory=dict[str, Any])


def made(root: Path, sample: Sample) -> Path:
    """The folder of its results, below `root`/results."""
    folder = root / "results" / sample.name
    code = root / "experiment.py"
    folder.mkdir(parents=True)
    code.write_text(CODE)
    claims = [_claim(folder, run, None, "prepare", "data", _data(sample), code)
              for run in sample.runs]  # fmt: skip
    for seed in sample.seeds:
        for place, run in enumerate(sample.runs):
            off = sample.moved * place * (1 + seed % 3)
            steps = {
                "train": _trained(sample, seed, off),
                "evaluate": _evaluated(sample, seed, off),
            }
            for step, files in steps.items():
                claims.append(_claim(folder, run, seed, step, step, files, code))
    _judge(folder, sample, claims)
    return folder


def text_of(root: Path, sample: Sample) -> str:
    """The page of it."""
    return page(read(made(root, sample)), root / "experiment.py")


def _claim(
    folder: Path, run: str, seed: int | None, step: str, name: str, files: Mapping[str, Any],
    code: Path,
) -> Path:  # fmt: skip
    where = folder / run if seed is None else folder / run / f"seed-{seed}"
    paths = [where / file for file in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        else:
            np.save(path, content)
    making = Making(
        names={"step": step, "experiment": folder.name, "run": run},
        parameters={} if seed is None else {"seed": seed, "training": asdict(TRAINING)},
        inputs=resources({"experiment": code}), installed=INSTALLED, environment=ENVIRONMENT,
        process={"factors": []},
    )  # fmt: skip
    manifest.write(where / f"{name}.manifest.json", making, paths)
    return where / f"{name}.manifest.json"


def _data(sample: Sample) -> dict[str, Any]:
    count = 30
    truth = np.arange(count) % sample.classes if sample.classes else np.linspace(-1, 1, count)
    return {"data/test/y.npy": truth, "data/train/id.npy": np.arange(8)}


def _trained(sample: Sample, seed: int, off: float) -> dict[str, Any]:
    parts = ["", "val_"] if sample.validation else [""]
    names = [f"{part}{name}" for name in sample.metrics for part in parts]
    lines = ["epoch," + ",".join(names)]
    for epoch in range(sample.epochs):
        rise = 1 - 0.8 ** (epoch + 1) + 0.01 * seed + off
        numbers = [rise if sample.value is None else sample.value for _ in names]
        lines.append(",".join(map(repr, (epoch, *numbers))))
    table = [line.split(",") for line in lines[1:]]
    history = [*csv.reader(lines[:1]), *table]
    text = "\n".join(",".join(_quoted(cell) for cell in row) for row in history) + "\n"
    count = 1 + sample.epochs * (sample.traced + 1)
    return {
        "history.csv": text,
        "weights.safetensors": f"{seed} {off}",
        "trace.jsonl": "{}\n" * count,
    }


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _evaluated(sample: Sample, seed: int, off: float) -> dict[str, Any]:
    value = 0.9 + 0.001 * seed + off if sample.value is None else sample.value
    shown: Any = value if np.isfinite(value) else str(value)
    truth = _data(sample)["data/test/y.npy"]
    report = {"metrics": dict.fromkeys(sample.metrics, shown), "examples": len(truth)}
    report["per_class"] = [
        {"class": name, "examples": 10, "right": 9, "recall": 0.9, "predicted": 9, "precision": 0.9}
        for name in range(sample.classes)
    ] or None  # fmt: skip
    guess: Any = np.eye(sample.classes)[truth] if sample.classes else truth[:, None] + 0.1 + off
    found: dict[str, Any] = {"metrics.json": canonical(report)}
    if sample.predicted:
        found["predictions.npz"] = {"id": truth.astype(str), "y": guess.astype("float32")}
    return found


def _judge(folder: Path, sample: Sample, claims: Sequence[Path]) -> None:
    steps = [read_step(path) for path in claims]
    values = measured(steps)
    moved = compare_metrics(values, EquivalencePlan())
    answer = {"verdict": "met", "sentence": f"{sample.name}: same bits, same setup."}
    found = {
        "experiment": sample.name, "goal": sample.goal, **answer,
        "goals": dict.fromkeys(("bitwise", "metrics", "documented"), answer), "best": "bitwise",
        "scope": "this machine", "repeats": len(sample.runs) - 1, "causes": [], "search": [],
        "per_seed": [
            {"seed": seed, "run": run, "verdict": "met", "divergence": None}
            for run in sample.runs[1:] for seed in sample.seeds
        ],
        "mistakes": [], "differences": {}, "factors": [
            {"factor": "clock", "varied": True, "how": "a day ahead"},
            {"factor": "load", "varied": False, "why": "only under stress"},
        ],
        "metrics": json.loads(canonical(_plain(moved))) if len(sample.runs) > 1 else None,
        "results": every_result(steps, moved), "inference": [], "limits": [],
        "methods": "Everything was executed again.", "warnings": ["1 repeat shows no rare race."],
        **sample.changed,
    }  # fmt: skip
    value = checked(found, "verdict", "verdict.json")
    (folder / "verdict.json").write_text(pretty(value))
    (folder / "verdict.md").write_text("a page\n")
    programs = {name: folder / f"{name}.pyz" for name in ("code", "judge")}
    for program in programs.values():
        program.write_text(program.name)
    named = {path.relative_to(folder).as_posix(): path for path in claims}
    making = Making(
        names={"step": "compare", "experiment": sample.name}, parameters={},
        inputs=resources({**named, **programs}), installed=INSTALLED, environment=ENVIRONMENT,
    )  # fmt: skip
    outputs = [folder / "verdict.json", folder / "verdict.md"]
    manifest.write(folder / "verdict.manifest.json", making, outputs)


def _plain(value: Any) -> Any:
    """As `asdict`, where what is no finite number is None."""

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: plain(inner) for key, inner in part.items()}
        if isinstance(part, list | tuple):
            return [plain(inner) for inner in part]
        return None if isinstance(part, float) and not np.isfinite(part) else part

    return plain(asdict(value))
