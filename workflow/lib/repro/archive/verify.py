"""Verify: an archive's files against what its manifests say of them, and of one another.

Synopsis:
    for problem in problems(inside): raise UserError(problem)

Sums alone can be adapted. So everything is followed here as `repro.audit.check` follows it in a
project's folder, from digests alone: nothing of the archive is run, unpacked or believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

from repro.archive import completeness, programs
from repro.archive.contents import ALWAYS, CONDA, CONFIGURATION, INDEX, METADATA, PYPI, SUMS, Inside
from repro.audit import against_present
from repro.audit.check import broken, replaced
from repro.audit.results import CODE, LOCK
from repro.core import layout
from repro.core.canonical_json import ABSENT_IF_EMPTY, canonical
from repro.core.parameters import BY_STEP, Training

PINS = (
    "requirements.txt",
    "requirements-source.txt",
    "requirements-uv.txt",
    "channel-wheels.txt",
)
_STARTED = ("prepare", "train", "evaluate", "probe", "cost")
"""Steps in which the user's code runs."""
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def problems(inside: Inside) -> Iterator[str]:
    """What in an archive is not as something else in it says, a line for each.

    Raises:
        Exception: what should be a manifest, a configuration or a program is none.
    """
    yield from (f"{name} is missing" for name in (*ALWAYS, LOCK) if name not in inside.kept)
    name = inside.index.experiment
    for path in (CODE, layout.manifest("compare", {"experiment": name})):
        if path not in inside.results.steps:
            why = inside.results.damaged.get(path, "it is missing")
            yield f"results/{path}: {why}"
    folders = {"", name}
    for path in inside.results.steps:
        if path.rpartition("/")[0].partition("/")[0] not in folders:
            yield f"results/{path} belongs to another experiment"
    yield from _results(inside)
    yield from completeness.problems(inside)
    yield from programs.problems(inside)
    yield from _packages(inside)
    yield from _unexplained(inside)


def _results(inside: Inside) -> Iterator[str]:
    results, experiments = inside.results, {inside.index.experiment: inside.experiment}
    digests = {name: inside.kept[f"results/{name}"].sha256 for name in results.files}
    differences = [
        *replaced(results, digests),
        *against_present.lock(results, inside.digests),
        *against_present.inputs(results, experiments, inside.digests),
    ]
    yield from _configuration(inside)
    yield from (str(finding).strip() for finding in broken(results, digests))
    data = {source.path for source in inside.experiment.sources}
    yield from (f"{path} is left out and no raw data" for path in {*inside.index.left_out} - data)
    for difference in differences:
        if difference.path not in inside.index.left_out or difference.kind != "missing":
            yield f"{difference.path} is {difference.kind} ({difference.what})"


def _configuration(inside: Inside) -> Iterator[str]:
    """What each step was called with, against the configuration."""
    for step in inside.results.steps.values():
        parameters = step.parameters
        odd = [k for k, then in parameters.items() if not _asked(inside.experiment.said, k, then)]
        if step.name in _STARTED:
            odd += _unsaid(BY_STEP[step.name], inside.experiment.said, parameters)
        for key in odd:
            yield f"{CONFIGURATION}: {key} is not what results/{step.key} says"
        environment = step.installed.get("environment")
        if step.name != "code" and environment != inside.experiment.said["environment"]:
            yield f"{CONFIGURATION}: environment is not what results/{step.key} says"


def _unsaid(kind: type[Any], said: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """What a configuration asks for and a step knows nothing of, of what is absent if empty."""
    optional = [field.name for field in fields(kind) if field.metadata == ABSENT_IF_EMPTY]
    return [name for name in optional if said.get(name) and name not in then]


def _asked(said: Mapping[str, Any], key: str, then: Any) -> bool:
    """Whether a configuration asks for that parameter of a step.

    By the names alone, not by what this version makes of a configuration: it may know more. So the
    parameters stay a mapping here, in place of the classes of `repro.core.parameters`.
    """
    training = said["training"]
    match key:
        case "training":  # may hold more, which decides no result
            return {**training, **then} == training and not _unsaid(Training, training, then)
        case "threads" | "batch_size":
            return bool(then == training[key])
        case "seed":
            auto = said["seeds"] == "auto"
            return then in (range(said["equivalence"]["budget"]) if auto else said["seeds"])
        case "data" | layout.PRETRAINED if key in said:  # of which the address decides no result
            asked = {n: {k: s[k] for k in s if k != "address"} for n, s in said[key].items()}
            return canonical(then) == canonical(asked)
        case "limit":
            return then in (None, said["repeat"])
        case "factors":
            return all((name in then) == wanted for name, wanted in said[key].items())
        case _:
            return key in said and canonical(then) == canonical(said[key])


def _packages(inside: Inside) -> Iterator[str]:
    """Every package must be one that took part, or one that the host's tools are pinned to."""
    used = inside.results.packages
    there = {n: member.sha256 for n, member in inside.kept.items() if n.startswith((CONDA, PYPI))}
    if there and not inside.index.packages:
        yield f"{next(iter(there))} is there, and {INDEX} says that no packages are"
    files = [f"bootstrap/{name}" for name in PINS]
    texts = [inside.read(name).decode() for name in files if name in inside.kept]
    pinned = {sha256 for text in texts for sha256 in _HASH.findall(text)}
    for name, sha256 in there.items():
        if sha256 not in used and sha256 not in pinned:
            yield f"{name} is no package of the manifests, nor one that bootstrap/ pins"
    if inside.index.packages:
        missing = used.keys() - there.values()
        yield from (f"the package {used[sha256]} is missing" for sha256 in sorted(missing))


def _started(name: str) -> bool:
    """Whether a file of bootstrap/ may be one of its modules, and not what Python left of them."""
    return "__pycache__" not in PurePosixPath(name).parts


def _unexplained(inside: Inside) -> Iterator[str]:
    """Files that have no business in an archive."""
    known = {INDEX, METADATA, SUMS, LOCK, *ALWAYS, "config/README.md"}
    known |= inside.results.steps[CODE].inputs.keys()
    inputs = [inside.experiment.code, *(s.path for s in inside.experiment.sources)]
    for path in inputs:
        if path not in inside.index.left_out:
            place = PurePosixPath(path).as_posix()
            known |= {f"{place}/{name}" if name else place for name in inside.digests(path)}
    for name in inside.kept:
        folder, _, inner = name.partition("/")
        free = folder in ("results", "packages") or (folder == "bootstrap" and _started(inner))
        if name.startswith(".") or not (free or name in known):
            yield f"{name} is there, which nothing in the archive speaks of"
        elif folder == "packages" and not name.startswith((CONDA, PYPI)):
            yield f"{name} is there, which is no place for a package"
