"""Compares a new environment with the lock: its conda packages, its wheels, and their files.

Synopsis:
    problems = conda_problems(prefix, packages, survey(prefix))
    problems = wheel_problems(prefix, packages, survey(prefix), contents.of(wheels, site))
"""

import importlib.metadata
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from repro.record.installed import Survey, digest

from post_deploy import contents
from post_deploy.contents import Brought

Package = Mapping[str, str]
Meta = dict[str, Any]


def conda_problems(prefix: Path, packages: Sequence[Package], surveyed: Survey) -> list[str]:
    """Compare the conda packages, their archives and files with the lock's for this platform."""
    locked = {p["name"]: p for p in packages if p["manager"] == "conda"}
    metas = _metas(prefix)
    missing = locked.keys() - {meta["name"] for meta in metas}
    problems = [f"Expected {n} {locked[n]['version']}. Received none." for n in sorted(missing)]
    for meta in metas:
        name = f"{meta['name']} {meta['version']}"
        want = locked.get(meta["name"])
        if want is None:
            problems.append(f"Expected no conda package but the lock's. Received {name} on top.")
            continue
        if (got := _archive_sha256(meta)) != want["sha256"]:
            problems.append(
                f"Expected {name} with sha256 {want['sha256']}, the lock's. Received {got}."
            )
        problems += _file_problems(prefix, name, meta, surveyed)
    return problems


def wheel_problems(
    prefix: Path, packages: Sequence[Package], surveyed: Survey, brought: Mapping[str, Brought]
) -> list[str]:
    """Compare the distributions with the lock, and the files of the wheels with the wheels."""
    places = [str(prefix / path) for path in surveyed if path.endswith("/site-packages/")]
    found = importlib.metadata.distributions(path=places)
    versions = {contents.normal(one.name): one.version for one in found}
    extra = versions.keys() - {p["name"] for p in packages}
    problems = [f"Expected no distribution but the lock's. Received {n}." for n in sorted(extra)]
    for package in (p for p in packages if p["manager"] == "pip"):
        if (got := versions.get(package["name"], "none")) != package["version"]:
            problems.append(f"Expected {package['name']} {package['version']}. Received {got}.")
    for path, (package, want) in brought.items():
        row = surveyed.get(path)
        got = row[0] if row else "no such file"
        if want and got != want:
            problems.append(
                f"Expected {path} as in the wheel of {package}, {want}. Received {got}."
            )
    return problems


def added(
    before: Collection[str], surveyed: Survey, brought: Mapping[str, Brought], ours: Collection[str]
) -> list[str]:
    """Name what was in the environment neither ``before``, nor comes from wheels, nor is ``ours``.

    Of what a wheel has for C compilers, each installer makes a place of its own below include.
    """
    known = {*before, *brought, *ours, ".lock"}  # uv's, where Python is that of a venv
    for path in (*brought, *ours):
        while (path := path.rpartition("/")[0]) and f"{path}/" not in known:
            known.add(f"{path}/")
    new = sorted(path for path in surveyed.keys() - known if not path.startswith("include/"))
    return [f"Expected nothing at {path}. Received what no wheel of the lock has." for path in new]


def owners(prefix: Path, brought: Mapping[str, Brought]) -> dict[str, str]:
    """Return the package that each file belongs to, by the packages' own records."""
    owner_by_path: dict[str, str] = {}
    for meta in _metas(prefix):
        owner_by_path |= {entry["_path"]: meta["name"] for entry in meta["paths_data"]["paths"]}
    return owner_by_path | {path: package for path, (package, _) in brought.items()}


def _metas(prefix: Path) -> list[Meta]:
    """Read what an installer wrote of each package, with each path as it lies in the prefix.

    conda writes those of a `noarch: python` package as packed; libmamba and py-rattler do not.
    """
    metas = [json.loads(file.read_bytes()) for file in sorted(prefix.glob("conda-meta/*.json"))]
    site_packages = _site_packages(metas)
    for meta in metas:
        if meta.get("noarch") == "python":
            for entry in meta["paths_data"]["paths"]:
                top, slash, rest = entry["_path"].partition("/")
                place = {"site-packages": site_packages, "python-scripts": "bin"}.get(top, top)
                entry["_path"] = f"{place}{slash}{rest}"
    return metas


def _site_packages(metas: Sequence[Meta]) -> str:
    """Where the Python among the packages looks for modules, by the rule of all installers."""
    for meta in metas:
        if meta["name"] == "python":
            version = ".".join(meta["version"].split(".")[:2])
            place = meta.get("python_site_packages_path")
            return place or f"lib/python{version}/site-packages"
    return "site-packages"


def _archive_sha256(meta: Meta) -> str:
    """Return the digest of a package's archive; of a local one nobody else has looked at it."""
    url = urlsplit(str(meta["url"]))
    if url.scheme != "file":
        return str(meta.get("sha256"))
    archive = Path(url2pathname(url.path))
    return digest(archive).removeprefix("sha256:") if archive.is_file() else f"no file {archive}"


def _file_problems(prefix: Path, name: str, meta: Meta, surveyed: Survey) -> Iterator[str]:
    unpacked = meta.get("extracted_package_dir")
    mend = f"Remove {unpacked}" if unpacked else "Run `conda clean --all --yes`"
    for entry in meta["paths_data"]["paths"]:
        path, link = prefix / entry["_path"], entry["path_type"] == "softlink"
        # Of a link, the digest as packed is that of what it points to.
        want = (not link and entry.get("sha256_in_prefix")) or entry.get("sha256")
        if unpacked and path.is_symlink() and _within(path, unpacked):
            yield (
                f"Expected {path} in the environment itself. Received a link to {path.readlink()}. "
                "Turn `always_softlink` and `allow_softlinks` off in conda's configuration."
            )
        elif want and not (link and path.is_symlink()):
            actual = "no such file"
            if path.exists():
                row = surveyed.get(entry["_path"])
                actual = row[0] if row and not path.is_symlink() else digest(path.resolve())
            if actual != f"sha256:{want}":
                yield (
                    f"Expected {path} as in {name}, sha256:{want}. Received {actual}: damaged "
                    f"where conda keeps the package unpacked. {mend}, then try again."
                )


def _within(path: Path, folder: str) -> bool:
    return path.resolve().is_relative_to(Path(folder).resolve())
