"""Setting: in what a page's results were made, and by which digests they are known.

Synopsis:
    setting(evidence)       # rows of a table: what, and which
    digests(evidence)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from repro.core import layout
from repro.core.digest import sha256_file
from repro.core.text import listed
from repro.webpage.evidence import Evidence

_LOCK = "conda-lock.yml"
_INSTALLED = ("environment", "platform", "channel")
_HEADS = 8
"""Seeds of which the digests are shown; the manifests have all."""


def setting(evidence: Evidence) -> list[tuple[str, str]]:
    """The environment of the original's first training."""
    trained = next(iter(evidence.of("train")), None)
    return list(_setting(trained.environment, trained.installed)) if trained else []


def _setting(found: Mapping[str, Any], installed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    python, system, processor = found["python"], found["system"], found["cpu"]
    versions = sorted(found["packages"].items(), key=lambda package: package[0].lower())
    loaded = found.get("loaded", {})
    libraries = [name.rpartition("/")[2] for name in loaded.get("host", {})]
    yield "lock", f"{_LOCK}, {installed['lock']}"
    yield "environment", listed([installed[key] for key in _INSTALLED if key in installed])
    yield "Python", f"{python['implementation']} {python['version']}"
    yield "versions", listed([f"{name} {version}" for name, version in versions])
    yield "packages that were loaded", listed(list(loaded.get("packages", ()))) or "not recorded"
    yield "libraries of the host that were loaded", listed(libraries) or "none"
    parts = [system.get("distribution", system["name"]), system["kernel"], system["libc"]]
    yield "system", ", ".join(map(_known, parts))
    yield "processor", f"{_known(processor['model'])}, {processor['architecture']}"
    yield "GPU", _known(found["gpu"])


def _known(fact: Any) -> str:
    """A fact in words; one that is not known says why."""
    if isinstance(fact, dict):
        return ", ".join(str(part) for part in cast("dict[str, Any]", fact).values())
    if isinstance(fact, list):
        return listed([_known(part) for part in cast("list[Any]", fact)]) or "none"
    return str(fact)


def digests(evidence: Evidence) -> list[tuple[str, str]]:
    """What a result is known by: file, and sha256."""
    return list(_digests(evidence))


def _digests(evidence: Evidence) -> Iterator[tuple[str, str]]:
    name, judged = evidence.folder.name, evidence.judged
    yield f"results/{name}/verdict.json", judged.subjects["verdict.json"]
    manifest = evidence.folder / layout.STEPS["compare"].manifest
    yield f"results/{name}/{manifest.name}", sha256_file(manifest)
    for program in ("code", "judge"):
        yield f"results/{program}.pyz", judged.digests[program]
    for step in evidence.of("train")[:_HEADS]:
        path = f"results/{name}/{step.run}/{layout.seed_folder(step.seed or 0)}/weights.safetensors"
        yield path, step.subjects["weights.safetensors"]
