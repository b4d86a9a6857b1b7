"""Trials: one step run again in a scratch folder, under chosen factors, and compared.

Synopsis:
    with scratch(reaching(divergence, runs)) as trials:
        trial = trials.attempt(("clock",))
        detail = trials.detailed(("clock",))

A trial starts as the workflow's own jobs do, through the same launcher, from the
original's inputs; its results never reach the results folder.
"""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from repro.cause.fault_isolation import Factors, Trial
from repro.cause.setting import Setting, steps_per_epoch
from repro.compare.runs import parted
from repro.core import layout
from repro.core.canonical_json import canonical
from repro.core.digest import HashedOnce, sha256_tree, sha256_value
from repro.core.errors import UserError
from repro.core.parameters import Parameters, TrainParameters
from repro.core.text import lasting
from repro.launch.command import launching
from repro.launch.reporting import what_it_said


@dataclass(frozen=True)
class _How:
    """The conditions of one trial, see `Trials.attempt` and `Trials.recorded`."""

    factors: Factors
    like: str = ""
    twice: bool = False
    values: Mapping[str, Any] | None = None


@dataclass
class Trials:
    """Runs trials in a scratch folder, `made` of them so far; see `scratch`."""

    setting: Setting
    folder: Path
    made: int = 0
    _sha256: HashedOnce = field(default_factory=HashedOnce)

    def _parameters(self) -> Parameters:
        parameters = self.setting.parameters()
        if not isinstance(parameters, TrainParameters):
            return parameters
        steps = steps_per_epoch(self.setting.runs.original, parameters.training)
        return replace(parameters, limit=self.setting.limit(steps))

    def _limit(self) -> Mapping[str, int] | None:
        parameters = self._parameters()
        return parameters.limit if isinstance(parameters, TrainParameters) else None

    def _inputs(self) -> list[str]:
        runs, step = self.setting.runs, self.setting.step
        if step == "prepare":
            given = runs.inputs.items()
            return [f"{n}={p}" for n, p in given if layout.source_of(n, layout.PRETRAINED) is None]
        original, results = runs.original, runs.original.parents[1]
        names = {"experiment": original.parent.name, "run": original.name, "seed": runs.seed}
        inputs = [f"{n}={p}" for n, p in runs.inputs.items() if layout.source_of(n) is None]
        for name in layout.STEPS[step].uses:
            inputs.append(f"{name}={results}/{layout.input_at(step, name, names)}")
        return inputs

    def _command(self, how: _How, detail: Any, out: Path) -> list[str]:
        parameters, runs = self._parameters(), self.setting.runs
        intra, passed = parameters.threads.intra, parameters.environment_variables
        values = ["--values", canonical(how.values)] if how.values else []
        launch = launching(how.like or runs.like, intra, how.factors, passed)
        return [
            sys.executable, "-I", "-B", str(runs.program),
            *launch, *(["--twice"] if how.twice else []), "--",
            self.setting.step, "--experiment", runs.experiment, "--run", "trial",
            "--parameters", canonical(parameters), "--input", *self._inputs(),
            "--detail", canonical(detail), *values, "--out", str(out), "--log", str(out / "log"),
        ]  # fmt: skip

    def _run(self, how: _How, detail: Any) -> tuple[Path, str | None, int]:
        """The folder of the results, laid out as a run's; what a failed trial said, its status."""
        self.made += 1
        run = self.folder / str(self.made)
        out = self.setting.of(run)
        out.mkdir(parents=True)
        done = subprocess.run(
            self._command(how, detail, out),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return run, None, 0
        said = what_it_said(out / "log", done.stderr) or f"no message, status {done.returncode}"
        return run, lasting(said), done.returncode  # a verdict has the same bytes in every run

    def _detail(self, run: Path) -> dict[str, Any]:
        file = self.setting.of(run) / "detail.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else {}

    def attempt(
        self,
        factors: Factors,
        watched: MutableMapping[str, Any] | None = None,
        like: str = "",
        twice: bool = False,
    ) -> Trial:
        """Runs the step once more.

        Args:
            factors: what to vary.
            watched: filled with what the step's `detail.json` says, where it is given; only the
                calls of the user's code are looked at then, which changes no bit.
            like: the name from which the values of factors are drawn, in place of the repeat's.
            twice: whether it runs a second time, in sight of what the first one left.

        Returns:
            Whether it gave the original's bits, and where it diverges from them.
        """
        step, runs = self.setting.step, self.setting.runs
        how = _How(factors, like, twice)
        run, failed, status = self._run(how, None if watched is None else {})
        if failed is not None:
            broken = status != UserError.status
            return Trial(step, factors, False, "failed", failed, broken=broken)
        if watched is not None:
            watched.update(self._detail(run))
        files = [self.setting.of(run) / name for name in layout.STEPS[step].compared]
        mark = sha256_value([sha256_tree(file, self._sha256) for file in files])
        at = parted(step, runs.original, run, runs.seed, self._limit(), self._sha256)
        return Trial(step, factors, at is None, mark, None, at)

    def detailed(self, factors: Factors) -> Mapping[str, Any]:
        """Runs the step again and looks into every operation of the step that diverged.

        Args:
            factors: what to vary.

        Returns:
            What `detail.json` holds; empty where the trial failed or looked at no training.
        """
        if self.setting.step != "train" or self.setting.at is None:
            return {}
        epoch, step = self.setting.at
        run, failed, _ = self._run(_How(factors), {"epoch": epoch, "step": step})
        return {} if failed is not None else self._detail(run)

    def recorded(self, factors: Factors, values: Mapping[str, Any]) -> tuple[Path, str | None]:
        """Trains again, and keeps the weights after chosen steps.

        Args:
            factors: what to vary.
            values: what to keep, see `repro.watch.recorded_values.RecordedValues`.

        Returns:
            The folder of the results, with `layout.VALUES`, laid out as a run's; and what a trial
            said that failed, else None.
        """
        return self._run(_How(factors, values=values), None)[:2]

    @contextmanager
    def copied(self, experiment: Path, name: str, content: bytes) -> Generator[Trials]:
        """Gives trials of a copy of the experiment in which one file has another content."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            copy = Path(folder) / experiment.name
            if experiment.is_dir():
                shutil.copytree(experiment, copy)
                changed = copy / name
                changed.chmod(changed.stat().st_mode | stat.S_IWUSR)
                changed.write_bytes(content)
            else:
                copy.write_bytes(content)
            inputs = {**self.setting.runs.inputs, "experiment": str(copy)}
            runs = replace(self.setting.runs, inputs=inputs)
            setting = replace(self.setting, runs=runs)
            yield replace(self, setting=setting, folder=Path(folder) / "runs")

    def agree(self, factors: Sequence[str], runs: int) -> bool:
        """Whether so many runs under factors give the bits of one with nothing varied."""
        first, failed, _ = self._run(_How(()), None)
        others = (_How(tuple(factors), f"patched-{number}") for number in range(1, runs + 1))
        step, seed, limit = self.setting.step, self.setting.runs.seed, self._limit()
        for how in () if failed else others:
            other, failed, _ = self._run(how, None)
            if failed or parted(step, first, other, seed, limit, self._sha256) is not None:
                return False
        return failed is None

    def as_far(self) -> str:
        """How far they go, in words; nothing where it is to the end."""
        return ", as far as to where the runs diverged" if self._limit() else ""


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
