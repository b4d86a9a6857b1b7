"""Results: what lies under results/, what claims it, and what each step says that it used.

Synopsis:
    results = read(Path("results"))
    results.steps["digits/original/data.manifest.json"].inputs

Paths of results are text, from the folder `results` on, as `repro.core.layout` has them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from repro.core import layout
from repro.core.digest import sha256_value
from repro.core.errors import UserError
from repro.core.layout import claimant
from repro.record import manifest
from repro.record.step import Step

CODE = layout.manifest("code", {})
LOCK = "conda-lock.yml"


def where(step: Step, name: str) -> str | None:
    """Where that input of a step lies under results/; None for what came from outside."""
    return layout.input_at(step.name, name, step.names)


def against(present: str, then: str) -> str:
    """Two digests in a few words."""
    return f"sha256 {present[:12]}… in place of {then[:12]}…"


@dataclass(frozen=True)
class Results:
    """All that lies in the folder: files, steps by their manifest, damaged manifests and why."""

    folder: Path
    files: Mapping[str, Path]
    steps: Mapping[str, Step]
    damaged: Mapping[str, str]

    def only(self, experiment: str) -> Results:
        """The part that one experiment's results rest on: its own, and the programs."""
        names = {n for n in self.files if "/" not in n or n.startswith(f"{experiment}/")}
        return Results(
            self.folder,
            {name: path for name, path in self.files.items() if name in names},
            {name: step for name, step in self.steps.items() if name in names},
            {name: why for name, why in self.damaged.items() if name in names},
        )

    @cached_property
    def packages(self) -> dict[str, str]:
        """The package URL of every package that took part, by the sha256 of its archive."""
        return {
            sha256: uri for step in self.steps.values() for uri, sha256 in step.packages.items()
        }

    def shown(self, name: str) -> str:
        """The path as the user knows it."""
        return f"{self.folder.name}/{name}"

    def claims(self) -> Iterator[tuple[str, str, str]]:
        """Each claimed file, its sha256, and the manifest that says so."""
        for step in self.steps.values():
            for name, sha256 in step.outputs.items():
                yield name, sha256, step.key

    def present(self, place: str, digests: Mapping[str, str]) -> str | None:
        """The digest of the manifest, or what one claims, at a place; None if none does."""
        step = self.steps.get(claimant(place))
        if step is None:
            return None
        if place == step.key:
            return digests[place]
        if place.endswith("/data"):
            inner = {n.removeprefix(f"{place}/"): sha for n, sha in step.outputs.items()}
            return sha256_value(inner)
        return step.outputs.get(place)

    def parents(self, step: Step) -> set[str]:
        """The manifests of what a step used."""
        return {claimant(place) for name in step.inputs if (place := where(step, name))}

    def evidence(self, *paths: str) -> Results:
        """Without steps on which those manifests' do not rest, and what only they claim."""
        reached, new = set[str](), {*paths, CODE} & self.steps.keys()
        while new:
            reached |= new
            used = set[str]().union(*(self.parents(self.steps[path]) for path in new))
            new = (used & self.steps.keys()) - reached
        others = [step for path, step in self.steps.items() if path not in reached]
        left = {name for step in others for name in (step.key, *step.outputs)}
        left -= {name for path in reached for name in self.steps[path].outputs}
        return Results(
            self.folder,
            {name: path for name, path in self.files.items() if name not in left},
            {path: step for path, step in self.steps.items() if path in reached},
            self.damaged,
        )

    def following(self, paths: set[str]) -> set[str]:
        """Those manifests, and all of steps that used what they claim, and so on."""
        reached = set(paths)
        while more := {
            path
            for path, step in self.steps.items()
            if path not in reached and self.parents(step) & reached
        }:
            reached |= more
        return reached


def files_in(folder: Path) -> dict[str, Path]:
    """Every file below a folder but Snakemake's own time stamps, by its relative name.

    Links are followed, but not to a folder that they lie in.
    """
    found: dict[str, Path] = {}
    for here, inner, names in os.walk(folder, followlinks=True):
        inside = os.path.realpath(here) + os.sep
        round_about = [
            n for n in inner if inside.startswith(os.path.realpath(f"{here}/{n}") + os.sep)
        ]
        inner[:] = [name for name in inner if name not in round_about]
        for path in (Path(here, name) for name in [*names, *round_about]):
            if path.name != ".snakemake_timestamp":
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))


def read(folder: Path) -> Results:
    """Reads every manifest below a folder.

    Args:
        folder: `results`, or whatever it is called.

    Returns:
        What is there; a manifest that cannot be read is no error, but told in `damaged`.
    """
    files = files_in(folder)
    files.pop(layout.INDEX, None)  # made from the others, and evidence of nothing
    return of(folder, files, lambda name: manifest.read(files[name]))


def of(
    folder: Path, files: Mapping[str, Path], value: Callable[[str], Mapping[str, Any]]
) -> Results:
    """The results that some files are, wherever they lie.

    Args:
        folder: what they are called after.
        files: by their relative name.
        value: gives what the manifest of that name says, or a UserError.

    Returns:
        As `read`.
    """
    steps: dict[str, Step] = {}
    damaged: dict[str, str] = {}
    for name in (name for name in files if name.endswith(layout.SUFFIX)):
        try:
            step = Step(PurePosixPath(name), value(name))
        except UserError as error:
            damaged[name] = str(error)
            continue
        place = layout.manifest(step.name, step.names)
        if place == name:
            steps[name] = step
        else:
            damaged[name] = f"it says that it belongs at {place}"
    return Results(folder, files, steps, damaged)
