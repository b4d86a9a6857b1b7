"""Write: one file with everything that a finished experiment came from and what came of it.

Synopsis:
    locations = Locations(home, project, Path("results"))
    plan = planned(locations, configuration, "digits", packages, limit)
    members = write(Path("digits.crate.zip"), plan)

The same run gives the same bytes, in any folder and at any time: order, dates and rights are fixed,
and what is written besides the run's own files is made from them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from repro.archive import pages, rocrate
from repro.archive.contents import (
    ALWAYS,
    CONFIGURATION,
    GUIDE,
    INDEX,
    METADATA,
    PAGES,
    SUMS,
    Index,
    Inside,
    ordered,
    sums,
)  # fmt: skip
from repro.archive.verify import problems
from repro.archive.zip_reader import MOST_MEMBERS, Told, heard, untold
from repro.archive.zip_writer import StoredMember, blocks, put, refuse_odd, written
from repro.audit.results import CODE, Results, read
from repro.core import layout
from repro.core.canonical_json import pretty
from repro.core.config import Experiment
from repro.core.digest import files_below, sha256_bytes
from repro.core.errors import UserError

CITATION = "CITATION.cff"


@dataclass(frozen=True)
class Locations:
    """Where things lie: the Snakefile's folder, the project's (often the same), the results."""

    home: Path
    project: Path
    results: Path


@dataclass(frozen=True)
class ArchivePlan:
    """What goes into an archive: files by their names in it, and texts that are made for it."""

    files: Mapping[str, Path]
    generated: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def names(self) -> list[str]:
        """All of them, in the archive's order."""
        return ordered({**self.files, **self.generated})

    def size(self, name: str) -> int:
        """In bytes."""
        return (
            len(self.generated[name]) if name in self.generated else self.files[name].stat().st_size
        )

    def read(self, name: str) -> bytes:
        """The content of a small one."""
        return self.generated[name] if name in self.generated else self.files[name].read_bytes()

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of any."""
        if name in self.generated:
            yield self.generated[name]
        else:
            with self.files[name].open("rb") as source:
                yield from blocks(source)


def planned(
    place: Locations, configuration: Mapping[str, Any], name: str,
    packages: Mapping[str, Path] | None, data_limit: int | None = None,
) -> ArchivePlan:  # fmt: skip
    """Decides what goes into the archive of an experiment.

    `configuration` is of this experiment alone, as `repro.core.config.filled` gives it. `packages`
    are by their names in the archive; None leaves them to the lock. `data_limit` is in MiB, in
    place of the configuration's: raw data that has more is named by path, digest and address alone.

    Raises:
        UserError: a file is missing, lies outside the project's folder, or has an odd name.
    """
    experiment = Experiment.of(
        configuration["experiments"][name], configuration.get("stress", False)
    )
    # What an earlier, longer repeat has left is no part of it.
    last = [layout.manifest(step, {"experiment": name}) for step in ("compare", "report")]
    results = read(place.results).only(name).evidence(*last)
    data = {source.path: _inputs(place, source.path) for source in experiment.sources}
    limit = experiment.archive["data_limit"] if data_limit is None else data_limit
    left = {path for path, files in data.items() if _bytes(files) > limit * 2**20}
    files = {f"results/{inner}": path for inner, path in results.files.items()}
    files |= _workflow(place, results)
    for path, inputs in {**data, experiment.code: _inputs(place, experiment.code)}.items():
        if path not in left:
            _refuse_outside(path)
            files |= inputs
    files |= packages or {}
    index = Index(name, packages is not None, tuple(sorted(left)))
    generated = {INDEX: index.text().encode(), CONFIGURATION: pretty(configuration).encode()}
    plan = ArchivePlan({n: path for n, path in files.items() if n not in generated}, generated)
    return _with_pages(plan)


def _with_pages(plan: ArchivePlan) -> ArchivePlan:
    """Adds what follows from what the manifests say."""
    inside = Inside({name: StoredMember("", 0) for name in plan.names()}, plan.read)
    for path, why in inside.results.damaged.items():
        raise UserError(f"Expected manifests as they were written. Received results/{path}: {why}")
    plan.generated[GUIDE] = pages.guide(inside).encode()
    if CITATION not in plan.files:
        plan.generated[CITATION] = pages.citation(inside).encode()
    refuse_odd(plan.names())
    if (number := len(plan.names()) + 2) > MOST_MEMBERS:
        raise UserError(
            f"Expected at most {MOST_MEMBERS} files. Received {number}. Put raw data into fewer "
            "files, or leave them out: `--data-limit 0`."
        )
    for name in ALWAYS:
        if name not in plan.files and name not in plan.generated:
            raise UserError(
                f"Expected {name} in the folder of the Snakefile. Received none. Restore it: an "
                "archive without it is not whole."
            )
    return plan


def _workflow(place: Locations, results: Results) -> dict[str, Path]:
    """The files of the workflow: all that its programs were made from, and what starts it."""
    code = results.steps.get(CODE)
    recorded = {name: place.home / name for name in code.inputs} if code else {}
    return recorded | around(place.home)


def around(home: Path) -> dict[str, Path]:
    """The files of the workflow that no manifest records, by their names in the archive."""
    names = (*PAGES, "run", "profiles/default/config.yaml", "config/README.md")
    files = {name: home / name for name in names}
    files |= {f"bootstrap/{name}": path for name, path in files_below(home / "bootstrap")}
    return {name: path for name, path in files.items() if path.is_file()}


def _inputs(place: Locations, path: str) -> dict[str, Path]:
    """The files at a path of the configuration, by their names in the archive."""
    there, name = place.project / path, PurePosixPath(path).as_posix()
    if there.is_dir():
        return {f"{name}/{inner}": file for inner, file in files_below(there)}
    return {name: there}


def _bytes(files: Mapping[str, Path]) -> int:
    return sum(path.stat().st_size for path in files.values())


def _refuse_outside(path: str) -> None:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise UserError(
            f"Expected code and data inside the project's folder, so that another machine finds "
            f"them at the same path. Received {path}. Copy it there, correct the configuration, "
            "and run again; or leave raw data out with `--data-limit 0`."
        )


def write(path: Path, plan: ArchivePlan, told: Told = untold) -> dict[str, StoredMember]:
    """Writes an archive, whole or not at all, in one pass; digest and size of each member.

    `told` hears how many bytes were written, block by block.

    Raises:
        UserError: the files are not as the manifests say, changed meanwhile, or cannot be written.
    """
    members: dict[str, StoredMember] = {}

    def read(name: str) -> bytes:
        content = plan.read(name)
        if sha256_bytes(content) != members[name].sha256:
            raise UserError(f"Expected {name} to rest. Received a change meanwhile. Try again.")
        return content

    with written(path) as zipped:
        for name in plan.names():
            members[name] = put(zipped, name, heard(plan.blocks(name), told), plan.size(name))
        inside = Inside(members, read)
        for problem in problems(inside):
            raise UserError(
                f"Expected files that are as the manifests say. Received: {problem}. See `./run "
                "check-files`, or for one of packages/ delete .tools; nothing was archived."
            )
        for name in (METADATA, SUMS):
            text = rocrate.metadata(inside) if name == METADATA else sums(members)
            members[name] = put(zipped, name, [text.encode()], len(text.encode()))
    return members
