"""Step: a manifest that was read, with a name for each thing that it says.

Synopsis:
    step = checked_step(Path("results/digits/original/seed-0/train.manifest.json"))
    step.name, step.run, step.seed                    # ('train', 'original', 0)
    step.parameters["training"], step.digests["code"]

Nobody else knows where in a manifest a thing stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from repro.core.digest import Sha256, sha256_file, sha256_value
from repro.core.layout import whole_folder
from repro.record import manifest
from repro.record.older_formats import today
from repro.record.statement import EXTENSION, Resource, digest


@dataclass(frozen=True)
class Step:
    """One step, as the manifest of its outputs tells it.

    `path` is the manifest's; `value` all that it says; `alias` another name for its run.
    """

    path: PurePath
    value: Mapping[str, Any]
    alias: str = ""

    @property
    def key(self) -> str:
        """The path as text."""
        return self.path.as_posix()

    @property
    def folder(self) -> Path:
        """Where the manifest lies, and what it speaks of."""
        return Path(self.path).parent

    @property
    def name(self) -> str:
        """Such as `train`."""
        return self._called["step"]

    @property
    def experiment(self) -> str | None:
        """Its name, where the step has one."""
        return self._called.get("experiment")

    @property
    def run(self) -> str:
        """Such as `original`; empty where the step is of no run."""
        return self.alias or self._called.get("run", "")

    @property
    def seed(self) -> int | None:
        """The root seed, where the step has one."""
        return self.parameters.get("seed")

    @property
    def names(self) -> dict[str, Any]:
        """Experiment, run, seed and number of seeds, as far as its path tells them."""
        names = {key: self._called.get(key) for key in ("experiment", "run", "seeds")}
        names["seed"] = self.seed if self.name in ("train", "evaluate") else None
        return {key: name for key, name in names.items() if name is not None}

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it depends on beside its inputs."""
        return self._called["parameters"]

    @property
    def parameters_are_whole(self) -> bool:
        """Whether their digest is the recorded one."""
        return sha256_value(self.parameters) == self._called["parameters_sha256"]

    @cached_property
    def inputs(self) -> dict[str, Resource]:
        """What was used, by name; packages left out."""
        return {used["name"]: used for used in self._dependencies if "name" in used}

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each input, by name."""
        return {name: digest(used) for name, used in self.inputs.items()}

    @property
    def packages(self) -> dict[str, str]:
        """The sha256 of each locked package, by its package URL."""
        return {d["uri"]: d["digest"]["sha256"] for d in self._dependencies if "uri" in d}

    @property
    def without_digest(self) -> list[str]:
        """What was used and has no digest, by name or package URL."""
        return [d.get("name") or d["uri"] for d in self._dependencies if not d.get("digest")]

    @property
    def subjects(self) -> dict[str, str]:
        """The sha256 of each file that it made, by its path from the manifest's folder."""
        return {output["name"]: output["digest"]["sha256"] for output in self.value["subject"]}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The sha256 of each file that it made, by its path as text."""
        return {str(self.path.parent / name): sha256 for name, sha256 in self.subjects.items()}

    @property
    def environment(self) -> dict[str, Any]:
        """What the process found around it, in today's words."""
        return today(self._record["environment"])

    @property
    def installed(self) -> Mapping[str, Any]:
        """The facts of the environment's own record."""
        return self._record["environment"]["installed"]

    @property
    def process(self) -> Mapping[str, Any]:
        """What the process found of itself."""
        return self._record["process"]

    @property
    def times(self) -> tuple[str, str]:
        """When it began and when it ended, UTC."""
        metadata = self.value["predicate"]["runDetails"]["metadata"]
        return metadata["startedOn"], metadata["finishedOn"]

    @property
    def _called(self) -> Mapping[str, Any]:
        return self.value["predicate"]["buildDefinition"]["externalParameters"]

    @property
    def _dependencies(self) -> list[Resource]:
        return self.value["predicate"]["buildDefinition"]["resolvedDependencies"]

    @property
    def _record(self) -> Mapping[str, Any]:
        return self.value["predicate"][EXTENSION]


def read_step(path: Path) -> Step:
    """Reads a manifest.

    Raises:
        UserError: it is not whole and as it was written.
    """
    return Step(path, manifest.read(path))


def checked_step(path: Path, sha256: Sha256 = sha256_file) -> Step:
    """Reads a manifest and checks its files.

    Raises:
        UserError: it is damaged, or a file is not what it says.
    """
    return Step(path, manifest.check_subjects(path, whole_folder(path.name), sha256))
