"""Facts: what two environments are compared by, and how to find the same thing in both.

Synopsis:
    facts(read_step(path))["cpu"]["model"]
    keyed(environment)["locked"]["pypi"]["numpy"]["version"]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

from repro.core.canonical_json import Json
from repro.machine.fact import lacking
from repro.record.step import Step

_PURL = re.compile(r"pkg:([^/]+)/([^/@]+)@([^?]+)(?:\?(.+))?")


def facts(step: Step) -> Mapping[str, Any]:
    """What is compared, out of a manifest: its environment, in today's words.

    `locked` holds the digest of each package by its purl.
    """
    return {**step.environment, "locked": step.packages}


def keyed(environment: Mapping[str, Any]) -> dict[str, Json]:
    """The same facts with packages by name, and the system's libraries by the name of their file.

    `locked`: by kind and name a mapping with `version`, `build` and `sha256`; `loaded.host`: by
    name the digests. What has another form stays as it is.
    """
    value = dict(environment)
    if isinstance(packages := value.get("locked"), Mapping):
        value["locked"] = _by_name(cast(Mapping[str, Any], packages))
    if isinstance(value.get("loaded"), Mapping):
        loaded = cast(Mapping[str, Any], value["loaded"])
        value["loaded"] = {**loaded, "host": _by_file(loaded.get("host"))}
    return value


def loaded_packages(environment: Mapping[str, Any]) -> frozenset[str] | None:
    """The locked packages that a process has loaded, by the names that PyPI compares.

    None where that is not recorded.
    """
    loaded: Any = environment.get("loaded")
    names: Any = cast(Any, loaded).get("packages") if isinstance(loaded, Mapping) else None
    if not isinstance(names, list):
        return None
    return frozenset(_plain(str(name)) for name in cast(list[Any], names))


def _by_name(packages: Mapping[str, Any]) -> Mapping[str, Any]:
    named: dict[str, dict[str, Any]] = {}
    for uri, digest in packages.items():
        purl = _PURL.fullmatch(uri)
        name = f"{purl[1]}/{_plain(unquote(purl[2]))}" if purl else ""
        if purl is None or name in named:
            return packages
        version = {"version": unquote(purl[3]), "build": (purl[4] or "").removeprefix("build=")}
        named[name] = {**version, "sha256": digest}
    kinds = {name.split("/")[0] for name in named}
    return {
        kind: {n.split("/")[1]: v for n, v in named.items() if n.startswith(f"{kind}/")}
        for kind in kinds
    }


def _by_file(host: Any) -> Any:
    if not isinstance(host, Mapping) or lacking(cast(Any, host)):
        return cast(Any, host)
    files: dict[str, list[Any]] = {}
    for path, digest in sorted(cast(Mapping[str, Any], host).items()):
        files.setdefault(path.rpartition("/")[2], []).append(digest)
    return files


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # as PyPI compares names (PEP 503)
