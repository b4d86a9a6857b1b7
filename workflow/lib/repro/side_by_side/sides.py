"""Sides: the two experiments, or seeds, that a user named, each with its files on the disk.

Synopsis:
    with opened(("runs/digits-…", "digits.crate.zip"), Path("results"), None) as (left, right):
        left.step("train", 0).digests["code"]

A side is a project's or a stored run's folder, its folder of results, the folder of one experiment
in it, an archive, or a seed of the project's own results.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from repro.archive.open_archive import unpack
from repro.audit.results import CODE, Results, read
from repro.core import layout
from repro.core.digest import HashedOnce
from repro.core.errors import UserError
from repro.core.text import listed
from repro.record.manifest import check_subjects
from repro.record.step import Step

ORIGINAL = "original"


@dataclass(frozen=True)
class Side:
    """An experiment's original run, and what the user called it; `seed` where one was named."""

    name: str
    experiment: str
    results: Results
    seed: int | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were trained, or the one that was named."""
        trained = {
            step.names["seed"] for step in self.results.steps.values()
            if (step.name, step.experiment, step.run) == ("train", self.experiment, ORIGINAL)
        }  # fmt: skip
        return tuple(sorted(trained if self.seed is None else trained & {self.seed}))

    def step(self, step: str, seed: int | None = None) -> Step | None:
        """A step of the original, if its results are there."""
        names = {"experiment": self.experiment, "run": ORIGINAL, "seed": seed}
        return self.results.steps.get(layout.manifest(step, names))

    @property
    def program(self) -> Step | None:
        """What packed the programs."""
        return self.results.steps.get(CODE)

    def file(self, step: str, name: str, seed: int) -> Path | None:
        """A file of a step, if it is there."""
        names = {"experiment": self.experiment, "run": ORIGINAL, "seed": seed}
        return self.results.files.get(layout.path(step, name, names))

    def checked(self, sha256: HashedOnce) -> Side:
        """The same, once every file of the original is found to be as its manifest says.

        Raises:
            UserError: one is not.
        """
        for name, why in self.results.damaged.items():
            raise UserError(f"{self.name}: {name}: {why}")
        for step in self.results.steps.values():
            if step.experiment == self.experiment and step.run == ORIGINAL:
                path = self.results.files[step.key]
                check_subjects(path, layout.whole_folder(path.name), sha256)
        return self


@contextmanager
def opened(
    names: tuple[str, str], project: Path, experiment: str | None
) -> Generator[tuple[Side, Side]]:
    """The two sides, ready to be compared, as long as the block lasts.

    Args:
        names: as the user gave them.
        project: the folder of the project whose seeds and stored runs may be meant.
        experiment: its name, where one was given.

    Raises:
        UserError: one of them is not there, not whole, or may be either of several.
    """
    sha256 = HashedOnce()
    with ExitStack() as stack:
        sides: list[Side] = []
        for name in names:
            folder = stack.enter_context(TemporaryDirectory(prefix="repro-compare-"))
            sides.append(_side(name, project, experiment, Path(folder)).checked(sha256))
        yield sides[0], sides[1]


def _side(name: str, project: Path, experiment: str | None, temporary: Path) -> Side:
    path = _path(name, project)
    if path is None and name.isdecimal():
        side = _in_results(name, project / "results", experiment)
        if int(name) not in side.seeds:
            known = ", ".join(map(str, side.seeds)) or "none"
            raise UserError(
                f"Expected a seed of {side.experiment} that was trained: {known}. Received {name}. "
                "Correct it."
            )
        return replace(side, seed=int(name))
    if path is None:
        raise UserError(
            "Expected a folder with results, a stored run, an archive or a seed. Received "
            f"{name}, which is none. Correct it."
        )
    if path.is_file():
        unpack(path, temporary / "archive", below="results/")
        return _in_results(name, temporary / "archive" / "results", experiment)
    if _is_experiment(path):
        return _of(name, read(path.resolve().parent), path.resolve().name)
    results = path / "results"
    return _in_results(name, results if results.is_dir() else path, experiment)


def _is_experiment(path: Path) -> bool:
    """Whether an experiment was trained in a folder; others may hold one of a run's name too."""
    manifest = layout.STEPS["train"].manifest
    seeds = (path / ORIGINAL).glob("*")
    return any((s / manifest).is_file() for s in seeds if layout.seed_of(s.name) is not None)


def _path(name: str, project: Path) -> Path | None:
    """What a name leads to: from here, or among the stored runs, which it may begin."""
    if Path(name).exists():
        return Path(name)
    runs = project.glob("runs/*") if len(name) > 3 else ()
    stored = sorted(run for run in runs if run.name.startswith(name))
    if len(stored) > 1:
        raise UserError(
            f"Expected a name that one stored run begins with. Received {name}, as "
            f"{listed([run.name for run in stored], 3)} do. Add to it."
        )
    return stored[0] if stored else None


def _in_results(name: str, folder: Path, experiment: str | None) -> Side:
    results = read(folder) if folder.is_dir() else None
    found = (
        sorted({str(s.experiment) for s in results.steps.values() if s.experiment})
        if results
        else []
    )
    if not results or not found:
        raise UserError(
            f"Expected results of an experiment at {name}. Received none. Name a project's folder, "
            "its results, a stored run, an archive or a seed."
        )
    if experiment is None and len(found) > 1:
        raise UserError(
            f"Expected one experiment. Received {', '.join(found)} at {name}. Add `--experiment "
            "NAME`."
        )
    if experiment not in (None, *found):
        raise UserError(
            f"Expected {experiment} at {name}. Received {', '.join(found)}. Correct `--experiment`."
        )
    return _of(name, results, experiment or found[0])


def _of(name: str, results: Results, experiment: str) -> Side:
    side = Side(name, experiment, results.only(experiment))
    if not side.seeds:
        raise UserError(
            f"Expected a training of {experiment} at {name}. Received none. Train it first."
        )
    return side
