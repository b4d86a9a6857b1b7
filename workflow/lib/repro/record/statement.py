"""Statement: what a manifest says, as plain values; nothing is read or written but for digests.

Synopsis:
    making = Making({"step": "train", …}, parameters, resources(inputs), installed, environment)
    value = statement(making, folder, outputs)

An in-toto Statement v1 with SLSA provenance v1 (https://in-toto.io/Statement/v1,
https://slsa.dev/spec/v1.0/provenance). All that those leave to the producer stands under one
extension, `repro_record`: the format's number, the environment, the process, and the digest of
all the rest, so that a changed byte of the manifest itself shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from repro.core.digest import Sha256, files_below, sha256_file, sha256_files, sha256_value
from repro.core.errors import UserError

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = "urn:repro:step:v1"
EXTENSION = "repro_record"
FORMAT = 1
"""Of the extension. A reader refuses a newer one, and reads every older one for ever."""

NAMED = 10_000
"""Of a folder with more files only the digest of the whole is recorded."""

Resource = Mapping[str, Any]
"""An input as a manifest names it: `digest`, and of a folder the digest of each file."""


def digest(resource: Resource) -> str:
    """The digest of an input, whatever its kind."""
    return next(iter(resource["digest"].values()))


def now() -> str:
    """The present time as manifests write it, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Making:
    """How outputs were made.

    `names` are what a path in the workflow tells: step, experiment, run, seed.
    `inputs` maps a name to what `resources` says of it, taken before it was read.
    `installed` are the facts of `repro.record.installed.require`.
    `environment` is what the process found around it, and `process` what it found of itself:
    determinism, loop, factors.
    """

    names: Mapping[str, Any]
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Resource]
    installed: Mapping[str, Any]
    environment: Mapping[str, Any]
    process: Mapping[str, Any] = field(default_factory=dict[str, Any])
    started: str = field(default_factory=now)


def _resource(name: str, path: Path, sha256: Sha256) -> Resource:
    if not path.is_dir():
        try:
            return {"digest": {"sha256": sha256(path)}}
        except FileNotFoundError:
            raise UserError(
                f"Expected the input `{name}` at {path}. Received nothing there. Restore it, or "
                "correct the configuration."
            ) from None
    files = sha256_files(path, sha256)
    named = {"annotations": {"files": files}} if len(files) <= NAMED else {}
    return {"digest": {"sha256tree": sha256_value(files)}, **named}


def resources(inputs: Mapping[str, Path], sha256: Sha256 = sha256_file) -> dict[str, Resource]:
    """The digest of each input by name.

    For a file `sha256`; for a folder `sha256tree` (`repro.core.digest.sha256_tree`), and the sha256
    of each file in it.

    Raises:
        UserError: there is no such file.
    """
    return {name: _resource(name, path, sha256) for name, path in inputs.items()}


def purl(package: Mapping[str, str]) -> str:
    """The package URL of a locked package (https://github.com/package-url/purl-spec).

    The package has `manager` (`conda` or `pip`), `name`, `version` and, of conda, `build`.
    """
    kind = {"pip": "pypi"}.get(package["manager"], package["manager"])
    build = f"?build={quote(package['build'], safe='')}" if package.get("build") else ""
    return f"pkg:{kind}/{quote(package['name'])}@{quote(package['version'], safe='')}{build}"


def _dependencies(making: Making, packages: Mapping[str, str]) -> list[dict[str, Any]]:
    lock = {"digest": {"sha256": making.installed["lock"].removeprefix("sha256:")}}
    named = {**making.inputs, "conda-lock.yml": lock}
    return [
        *({"name": name, **resource} for name, resource in sorted(named.items())),
        *({"uri": uri, "digest": {"sha256": digest}} for uri, digest in sorted(packages.items())),
    ]


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


def around(environment: Mapping[str, Any], installed: Mapping[str, Any]) -> dict[str, Any]:
    """What a process finds around it, as a manifest has it, but without any outputs.

    `environment`, as under `repro_record`, and `packages`: the digest of each by its purl, from the
    facts of `repro.record.installed.require`.
    """
    facts = {key: value for key, value in installed.items() if key != "packages"}
    packages = {purl(package): package["sha256"] for package in installed["packages"]}
    return {"environment": {**environment, "installed": facts}, "packages": packages}


def _predicate(making: Making) -> dict[str, Any]:
    context = around(making.environment, making.installed)
    return {
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": {
                **making.names,
                "parameters": making.parameters,
                "parameters_sha256": sha256_value(making.parameters),
            },
            "resolvedDependencies": _dependencies(making, context["packages"]),
        },
        "runDetails": {
            "builder": {"id": BUILD},
            "metadata": {"startedOn": making.started, "finishedOn": now()},
        },
        EXTENSION: {
            "format": FORMAT,
            "environment": context["environment"],
            "process": dict(making.process),
        },
    }


def sealed(value: Mapping[str, Any]) -> str:
    """The sha256 of a manifest's canonical text without the extension's `sha256`, which this is."""
    predicate = value["predicate"]
    extension = {key: part for key, part in predicate[EXTENSION].items() if key != "sha256"}
    return sha256_value({**value, "predicate": {**predicate, EXTENSION: extension}})


def statement(making: Making, folder: Path, outputs: Sequence[Path]) -> dict[str, Any]:
    """The Statement for some outputs: plain JSON values that satisfy the schema `manifest`.

    Subjects are named from `folder`, that of the manifest.
    """
    value: dict[str, Any] = {
        "_type": STATEMENT,
        "subject": _subjects(folder, outputs),
        "predicateType": PREDICATE,
        "predicate": _predicate(making),
    }
    value["predicate"][EXTENSION]["sha256"] = sealed(value)
    return value
