"""Manifest: an in-toto Statement that binds outputs to what made them.

Synopsis:
    making = Making({"step": "train", …}, parameters, digests(inputs), installed)
    write(path, making, outputs)
    manifest = read(path)

The predicate has the shape of SLSA provenance v1, with what concerns bits under
`repro_environment` and `repro_process` (https://in-toto.io/Statement/v1,
https://slsa.dev/spec/v1.0/provenance). Written by the process that did the work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from repro.core.canonical import pretty
from repro.core.digest import files_below, sha256_file, sha256_tree, sha256_value
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.core.writing import write_text
from repro.record.environment import environment

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = "urn:repro:step:v1"


def now() -> str:
    """The present time as manifests write it, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Making:
    """How outputs were made.

    `names` are what a path in the workflow tells: step, experiment, run, seed.
    `inputs` maps a name to the digest of what was read, taken before it was read.
    `process` is what the process found of itself: determinism, loop, factors.
    `installed` is what `repro.record.installed.read` says of the environment.
    """

    names: Mapping[str, Any]
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]
    installed: Mapping[str, Any]
    process: Mapping[str, Any] = field(default_factory=dict[str, Any])
    started: str = field(default_factory=now)


def digests(inputs: Mapping[str, Path]) -> dict[str, str]:
    """The sha256 of each input file or folder, by name."""
    return {name: sha256_tree(path) for name, path in inputs.items()}


def _subjects(folder: Path, outputs: Sequence[Path]) -> list[dict[str, Any]]:
    """Every output file, folders taken apart, by its path from the manifest's own folder."""
    files: dict[str, Path] = {}
    for output in outputs:
        name = output.relative_to(folder).as_posix()
        if output.is_dir():
            files |= {f"{name}/{inner}": file for inner, file in files_below(output)}
        else:
            files[name] = output
    return [
        {"name": name, "digest": {"sha256": sha256_file(file)}}
        for name, file in sorted(files.items())
    ]


def statement(making: Making, folder: Path, outputs: Sequence[Path]) -> dict[str, Any]:
    """The Statement for some outputs.

    Args:
        making: how they were made.
        folder: the manifest's folder; subjects are named from there.
        outputs: files and folders below it.

    Returns:
        Plain JSON values that satisfy the schema `manifest`.
    """
    inputs = [
        {"name": name, "digest": {"sha256": digest}}
        for name, digest in sorted(making.inputs.items())
    ]
    definition = {
        "buildType": BUILD,
        "externalParameters": {
            **making.names,
            "parameters": making.parameters,
            "parameters_sha256": sha256_value(making.parameters),
        },
        "resolvedDependencies": inputs,
    }
    return {
        "_type": STATEMENT,
        "subject": _subjects(folder, outputs),
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": definition,
            "runDetails": {
                "builder": {"id": BUILD},
                "metadata": {"startedOn": making.started, "finishedOn": now()},
            },
            "repro_environment": {**environment(), "installed": dict(making.installed)},
            "repro_process": dict(making.process),
        },
    }


def write(path: Path, making: Making, outputs: Sequence[Path]) -> None:
    """Writes the manifest of some outputs, which must lie in its folder or below.

    Args:
        path: the manifest to appear.
        making: how the outputs were made.
        outputs: files and folders.
    """
    value = statement(making, path.parent, outputs)
    write_text(path, pretty(checked(value, "manifest", path.name)))


def read(path: Path) -> dict[str, Any]:
    """Reads a manifest and checks it against the schema.

    Args:
        path: what `write` wrote.

    Returns:
        Its values.

    Raises:
        UserError: the file is missing, damaged, or breaks the schema.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected a manifest at {path.name}. Received a file that cannot be read as one "
            f"({error}). Delete the outputs of that step and run it again."
        ) from error
    return checked(value, "manifest", path.name)


def check_subjects(path: Path, below: str | None = None) -> dict[str, Any]:
    """Reads a manifest, and refuses files that are no longer what it says.

    Args:
        path: the manifest.
        below: a folder beside it, all of whose files must be subjects.

    Returns:
        The manifest's values.

    Raises:
        UserError: a subject is missing or has another digest, or a file was added.
    """
    value = read(path)
    claimed = {subject["name"]: subject["digest"]["sha256"] for subject in value["subject"]}
    files = {name: path.parent / name for name in claimed}
    if below is not None:
        files |= {f"{below}/{name}": file for name, file in files_below(path.parent / below)}
    found = {name: sha256_file(file) for name, file in files.items() if file.is_file()}
    if odd := sorted(name for name in files if claimed.get(name) != found.get(name)):
        raise UserError(
            f"Expected the files beside {path.name} to be as it says. Received a difference at "
            f"{odd[0]} (sha256 {found.get(odd[0])} in place of {claimed.get(odd[0])}). Delete "
            f"{path.name} and run again: they are made anew."
        )
    return value
