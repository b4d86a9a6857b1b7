"""Samples: a small configuration, a trace, the files of a run, and what runs a fresh process."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from repro.core.factor_table import FACTORS, STRESS
from repro.core.parameters import CompareParameters, Search, Threads
from repro.record.step import Step

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
NAMES = tuple(name for name in FACTORS if name != STRESS)
"""The factors that a repeat varies unless the configuration switches them off."""

Fresh = Callable[..., subprocess.CompletedProcess[str]]


def entry(**changes: Any) -> dict[str, Any]:
    """One experiment as YAML gives it, with some keys changed."""
    data = {"path": "data.csv", "sha256": "0" * 64}
    return {"code": "experiment.py", "data": data, **changes}


def configuration(**changes: Any) -> dict[str, Any]:
    """A configuration with the experiment `digits`."""
    return {"experiments": {"digits": entry(**changes)}}


def asked(**changes: Any) -> CompareParameters:
    """What a verdict is asked: whether one repeat of one seed gave the same bits."""
    wanted: dict[str, Any] = {"seeds": (0,), "goal": "bitwise", "repeat": "full", "repeats": 1}
    rest: dict[str, Any] = {"factors": (), "search": Search(24), "threads": Threads(2, 1)}
    return CompareParameters(**{**wanted, **rest, **changes})


VARIABLES = ["dense/kernel", "dense/bias"]
STATE = {
    "weights": dict.fromkeys(VARIABLES, "a" * 64),
    "optimizer": {"adam/m": "b" * 64},
    "seeds": {"dropout/seed_generator_state": "c" * 64},
}


def trace_lines(epochs: int = 2, steps: int = 3) -> list[dict[str, Any]]:
    """A trace: the header, then each epoch's steps and end."""
    lines: list[dict[str, Any]] = [
        {"version": 1, "digest": "d", "order": "o", "variables": VARIABLES, "initial": STATE}
    ]
    for epoch in range(epochs):
        for step in range(steps):
            mark = f"{epoch:08x}{step:08x}"
            row = {"ids": mark, "batch": mark, "lr": mark, "loss": mark, "weights": [mark, mark]}
            lines.append({"epoch": epoch, "step": step, **row})
        lines.append({"epoch": epoch, **STATE})
    return lines


def write_trace(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")


LABELS = np.array([0, 1, 1])
SCORES = np.array([[0.75, 0.25], [0.25, 0.75], [0.75, 0.25]])


def write_predictions(run: Path, y: np.ndarray, ids: str = "abc", seed: int = 0) -> None:
    file = run / f"seed-{seed}" / "predictions.npz"
    np.savez(file, allow_pickle=False, id=np.array(list(ids)), y=y)


def weights_of(run: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(run / "seed-0" / "weights.safetensors")


def put_weights(run: Path, weights: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save_file

    save_file(weights, run / "seed-0" / "weights.safetensors")


def write_run(folder: Path, seed: int = 0) -> Path:
    """The files of one small run: data, and one seed's training and evaluation."""
    from safetensors.numpy import save_file

    for part in ("train", "test"):
        (folder / "data" / part).mkdir(parents=True)
        columns = {"x": np.arange(6.0).reshape(3, 2), "y": LABELS, "id": np.array(list("abc"))}
        for name, column in columns.items():
            np.save(folder / "data" / part / f"{name}.npy", column)
    out = folder / f"seed-{seed}"
    out.mkdir()
    write_trace(out / "trace.jsonl", trace_lines())
    weights = {
        VARIABLES[0]: np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2),
        VARIABLES[1]: np.ones(2, np.float32),
    }
    save_file(weights, out / "weights.safetensors")
    (out / "history.csv").write_text("epoch,loss\n0,0.5\n1,0.25\n")
    write_predictions(folder, SCORES, seed=seed)
    metrics = {"metrics": {"loss": 0.25, "accuracy": 1.0}, "inference": {"passes": 2, "same": True}}
    (out / "metrics.json").write_text(json.dumps(metrics))
    return folder


def step_of(
    name: str, run: str, seed: int, path: Path = Path(), used: Sequence[Any] = (), **record: Any
) -> Step:
    """A step as a manifest tells it: its names, what it used, and what was recorded beside."""
    called = {"step": name, "run": run, "parameters": {"seed": seed}}
    definition = {"externalParameters": called, "resolvedDependencies": list(used)}
    return Step(path, {"predicate": {"buildDefinition": definition, "repro_record": record}})
