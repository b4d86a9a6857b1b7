"""Results: which files the rules make of an experiment, and on which of them its verdict rests.

Synopsis:
    asked = wanted("digits", experiment, look)
    asked.compared                       # results/digits/original/data.manifest.json, …
    everything([asked])                  # all that the targets ask for

Paths start from the working directory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from repro.core import layout
from repro.core.config import Experiment
from repro.core.errors import UserError
from repro.plan.schedule import Schedule

RESULTS = "results"
_FOR_DATA = ("train/id.npy", "test/id.npy")
"""What stands for the folder of data: Snakemake would put a file into one that a rule declares."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted of an experiment now: its runs, with these seeds, after these looks."""

    name: str
    schedule: Schedule
    looks: tuple[int, ...]
    seeds: tuple[int, ...]

    @property
    def compared(self) -> list[str]:
        """All that is compared, and the manifests of it, in the order of the steps."""
        looks = [{**self._own, "seeds": count} for count in self.looks]
        found = [file for names in looks for file in _made("look", names)]
        found += [_manifest("look", names) for names in looks]
        for step, names in self._steps():
            if step != "prepare":  # its manifest binds every array
                found += _made(step, names, layout.STEPS[step].compared)
            found.append(_manifest(step, names))
        return found

    @property
    def made(self) -> list[str]:
        """All that rules make of it."""
        found = self.compared
        for step, names in (*self._steps(), *self._last):
            found += [*_made(step, names), _manifest(step, names)]
        return list(dict.fromkeys(found))

    @property
    def page(self) -> str:
        """Its page for people."""
        return _made("report", self._own)[0]

    @property
    def _last(self) -> list[tuple[str, dict[str, object]]]:
        return [(step, self._own) for step in ("probe", "compare", "report")]

    @property
    def _own(self) -> dict[str, object]:
        return {"experiment": self.name}

    def _steps(self) -> Iterator[tuple[str, dict[str, object]]]:
        for step, names in self.schedule.steps(self.seeds):
            yield step, {**self._own, **names}


def _made(step: str, names: layout.Names, files: Iterable[str] | None = None) -> list[str]:
    """Of what a step makes, what its rule declares; or those files of it."""
    chosen = layout.STEPS[step].declared if files is None else files
    if step == "prepare":
        chosen = [f"{folder}/{file}" for folder in chosen for file in _FOR_DATA]
    return [f"{RESULTS}/{layout.path(step, file, names)}" for file in chosen]


def _manifest(step: str, names: layout.Names) -> str:
    return f"{RESULTS}/{layout.manifest(step, names)}"


def wanted(name: str, experiment: Experiment, look: Callable[[int], str]) -> Wanted:
    """What is wanted of an experiment; with `seeds: auto`, what the looks so far ask for.

    Args:
        name: of the experiment.
        experiment: its entry in the configuration.
        look: gives the file of what was found after so many seeds, once it is there.

    Returns:
        Its runs and seeds.

    Raises:
        UserError: that file cannot be read.
    """
    looks: list[int] = []
    for count in experiment.looks[:-1]:
        looks.append(count)
        if _enough(Path(look(count))):
            return Wanted(name, Schedule.of(experiment), tuple(looks), experiment.seeds[:count])
    return Wanted(name, Schedule.of(experiment), tuple(looks), experiment.seeds)


def _enough(look: Path) -> bool:
    try:
        return bool(json.loads(look.read_text("utf-8"))["enough"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected what a look found in {look}. Received a file that cannot be read. Delete it "
            "and run again."
        ) from error


def looked_at(name: str, experiment: Experiment, count: int) -> list[str]:
    """The manifests of all evaluations with the first seeds.

    Args:
        name: of the experiment.
        experiment: its entry in the configuration.
        count: how many seeds.
    """
    first = Wanted(name, Schedule.of(experiment), (), experiment.seeds[:count])
    evaluation = layout.STEPS["evaluate"].manifest
    return [file for file in first.compared if file.endswith(f"/{evaluation}")]


def manifests(files: Iterable[str]) -> list[str]:
    """The manifests among some files."""
    return [file for file in files if file.endswith(layout.SUFFIX)]


def everything(experiments: Iterable[Wanted]) -> list[str]:
    """Every file that rules make of experiments, and the programs.

    The targets ask for all of them, or a verdict that stands hides that one of them is gone.
    """
    programs = [*_made("code", {}), _manifest("code", {})]
    return [
        f"{RESULTS}/{layout.INDEX}",
        *programs,
        *(file for asked in experiments for file in asked.made),
    ]


def measured(name: str, file: str) -> list[str]:
    """A file of what `./run cost` has left of an experiment; none unless all of them are there.

    Args:
        name: of the experiment.
        file: its name, in the experiment's folder.
    """
    names = {"experiment": name}
    files = [*_made("cost", names), _manifest("cost", names)]
    there = all(Path(one).exists() for one in files)
    return [one for one in files if there and Path(one).name == file]
