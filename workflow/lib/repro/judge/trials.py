"""Trials: one step run again in a scratch folder, under chosen factors, and compared.

Synopsis:
    with scratch(Setting(...)) as trials:
        trial = trials.attempt(("clock",))
        detail = trials.detailed(("clock",))

A trial starts as the workflow's own jobs do, through the same launcher, from the
original's inputs; its results never reach the results folder.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.core.canonical import canonical
from repro.core.digest import sha256_tree, sha256_value
from repro.judge.compare import Divergence, parted
from repro.judge.search import Factors, Trial
from repro.record import manifest

_MANIFESTS = {
    "prepare": "data.manifest.json",
    "train": "train.manifest.json",
    "evaluate": "evaluate.manifest.json",
}
_RESULTS = {
    "prepare": ("data",),
    "train": ("trace.jsonl", "history.csv"),
    "evaluate": ("metrics.json", "predictions.npz"),
}


@dataclass(frozen=True)
class Setting:
    """What a trial needs to know: the program, the inputs, the original, and the address.

    `inputs` are the user's own, NAME to PATH: `experiment`, and `data` or `data:NAME`.
    """

    experiment: str
    program: Path
    inputs: Mapping[str, str]
    original: Path
    seed: int
    divergence: Divergence

    @property
    def step(self) -> str:
        """The step that is run again."""
        what = self.divergence.what
        return {"prepared data": "prepare", "metrics": "evaluate", "predictions": "evaluate"}.get(
            what, "train"
        )

    @property
    def folder(self) -> Path:
        """Where the original of that step lies."""
        return self.original if self.step == "prepare" else self.original / f"seed-{self.seed}"


def _limit(divergence: Divergence, steps: int) -> dict[str, int] | None:
    """How far a training must go to reach the address; None for its end."""
    if divergence.what.startswith("initial") or divergence.what == "trace layout":
        return {"steps": 1}
    if divergence.epoch is None or divergence.what == "length":
        return None
    if divergence.step is None:
        return {"epochs": divergence.epoch + 1}
    return {"steps": divergence.epoch * steps + divergence.step + 1}


def _steps_per_epoch(original: Path, parameters: Mapping[str, Any]) -> int:
    import numpy as np

    size = len(np.load(original / "data" / "train" / "id.npy", mmap_mode="r"))
    return -(-size // parameters["training"]["batch_size"])


@dataclass
class Trials:
    """Runs trials in a scratch folder; see `scratch`."""

    setting: Setting
    folder: Path
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def _parameters(self) -> dict[str, Any]:
        path = self.setting.folder / _MANIFESTS[self.setting.step]
        definition = manifest.read(path)["predicate"]["buildDefinition"]
        parameters: dict[str, Any] = definition["externalParameters"]["parameters"]
        if self.setting.step == "train":
            steps = _steps_per_epoch(self.setting.original, parameters)
            parameters["limit"] = _limit(self.setting.divergence, steps)
        return parameters

    def _inputs(self) -> list[str]:
        original, step = self.setting.original, self.setting.step
        inputs = {n: p for n, p in self.setting.inputs.items() if n == "experiment"}
        if step == "prepare":
            inputs = dict(self.setting.inputs)
        else:
            inputs |= {
                "data": f"{original}/data",
                "data.manifest": f"{original}/data.manifest.json",
            }
        if step == "evaluate":
            folder = self.setting.folder
            inputs["weights"] = f"{folder}/weights.safetensors"
            inputs["train.manifest"] = f"{folder}/train.manifest.json"
        return [f"{name}={path}" for name, path in inputs.items()]

    def _command(self, factors: Factors, detail: Any, out: Path) -> list[str]:
        parameters = self._parameters()
        program, step = str(self.setting.program), self.setting.step
        threads = str(parameters["threads"]["intra"])
        launch = ["launch", "--run", "trial", "--intra", threads, "--vary", ",".join(factors)]
        return [
            sys.executable, "-I", "-B", program, *launch, "--",
            step, "--experiment", self.setting.experiment, "--run", "trial",
            "--parameters", canonical(parameters), "--input", *self._inputs(),
            "--detail", canonical(detail), "--out", str(out), "--log", str(out / "log"),
        ]  # fmt: skip

    def _run(self, factors: Factors, detail: Any) -> tuple[Path, str | None]:
        """The folder of the results, laid out as a run's, and what a failed trial said."""
        run = self.folder / str(next(self._numbers))
        out = run if self.setting.step == "prepare" else run / f"seed-{self.setting.seed}"
        out.mkdir(parents=True)
        done = subprocess.run(
            self._command(factors, detail, out),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return run, None if done.returncode == 0 else done.stderr.strip() or "no message"

    def _detail(self, run: Path) -> dict[str, Any]:
        file = run / (self.setting.folder.relative_to(self.setting.original)) / "detail.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else {}

    def attempt(self, factors: Factors, watched: dict[str, Any] | None = None) -> Trial:
        """Runs the step once more.

        Args:
            factors: what to vary.
            watched: filled with what the step's `detail.json` says, where it is given; only the
                calls of the user's code are looked at then, which changes no bit.

        Returns:
            Whether it gave the original's bits.
        """
        step = self.setting.step
        run, failed = self._run(factors, None if watched is None else {})
        if failed is not None:
            return Trial(step, factors, False, "failed", failed)
        if watched is not None:
            watched |= self._detail(run)
        out = run / self.setting.folder.relative_to(self.setting.original)
        mark = sha256_value([sha256_tree(out / name) for name in _RESULTS[step]])
        limit = self._parameters().get("limit")
        same = parted(step, self.setting.original, run, self.setting.seed, limit) is None
        return Trial(step, factors, same, mark)

    def detailed(self, factors: Factors) -> dict[str, Any]:
        """Runs the step once more and looks into every operation of the step that parted.

        Args:
            factors: what to vary.

        Returns:
            What `detail.json` holds; empty where the trial failed or looked at no training.
        """
        at = self.setting.divergence
        if self.setting.step != "train" or at.epoch is None or at.step is None:
            return {}
        run, failed = self._run(factors, {"epoch": at.epoch, "step": at.step})
        return {} if failed is not None else self._detail(run)


@contextmanager
def scratch(setting: Setting) -> Generator[Trials]:
    """Gives what runs trials, in a folder that is removed at the end.

    Args:
        setting: what a trial needs to know.

    Yields:
        The trials.
    """
    with tempfile.TemporaryDirectory(prefix="trials-") as folder:
        yield Trials(setting, Path(folder))
