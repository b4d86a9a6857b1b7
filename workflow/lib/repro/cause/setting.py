"""Setting: which step a trial runs again, how far, and from what.

Synopsis:
    runs = Runs("digits", program, inputs, original)
    setting = reaching(divergence, runs)
    setting.parameters()                 # those of the original's step
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.compare.divergence import BEFORE_TRAINING, Divergence
from repro.core import layout
from repro.core.canonical_json import decoded
from repro.core.parameters import BY_STEP, Parameters, Training
from repro.record.step import read_step


@dataclass(frozen=True)
class Runs:
    """What a trial starts from: the program, the inputs, the original, and a repeat's name.

    `inputs` are the user's own, NAME to PATH: `experiment`, `data` or `data:NAME`, and the same of
    `pretrained`. The values of factors are those of the run `like`.
    """

    experiment: str
    program: Path
    inputs: Mapping[str, str]
    original: Path
    seed: int = 0
    like: str = "repeat"


@dataclass(frozen=True)
class Setting:
    """What is run again: a step, and how far.

    `limit` is where training stops early, by a function of the steps in an epoch. `at` is the epoch
    and step to look into.
    """

    runs: Runs
    step: str
    limit: Callable[[int], Mapping[str, int] | None] = lambda _: None
    at: tuple[int, int] | None = None

    @property
    def folder(self) -> Path:
        """Where the original of that step lies."""
        return self.of(self.runs.original)

    def of(self, run: Path) -> Path:
        """Where that step lies in the folder of a run."""
        return run if self.step == "prepare" else run / layout.seed_folder(self.runs.seed)

    def parameters(self) -> Parameters:
        """What the original's step was called with."""
        path = self.folder / layout.STEPS[self.step].manifest
        return decoded(BY_STEP[self.step], read_step(path).parameters)


_STEPS = {
    "prepared data": "prepare", "fitted preprocessing": "prepare", "metrics": "evaluate",
    "predictions": "evaluate",
}  # fmt: skip


def reaching(divergence: Divergence, runs: Runs) -> Setting:
    """The step in which runs diverge, run again as far as to there.

    Args:
        divergence: where they diverge.
        runs: what a trial starts from.
    """
    at = divergence.epoch, divergence.step
    return Setting(
        runs,
        _STEPS.get(divergence.what, "train"),
        lambda steps: _limit(divergence, steps),
        None if at[0] is None or at[1] is None else (at[0], at[1]),
    )


def _limit(divergence: Divergence, steps: int) -> dict[str, int] | None:
    """How far a training must go to reach the address; None for its end."""
    if divergence.what in BEFORE_TRAINING:
        return {"steps": 1}
    if divergence.epoch is None or divergence.what == "length":
        return None
    if divergence.step is None:
        return {"epochs": divergence.epoch + 1}
    return {"steps": divergence.epoch * steps + divergence.step + 1}


def steps_per_epoch(original: Path, training: Training) -> int:
    """The batches of an epoch of the original, whose folder is given."""
    import numpy as np

    return training.steps(len(np.load(original / "data" / "train" / "id.npy", mmap_mode="r")))
