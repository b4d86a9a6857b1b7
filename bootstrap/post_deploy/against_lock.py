"""Compares a new environment with the lock: its conda packages, its wheels, and their files.

Synopsis:
    problems = conda_problems(prefix, packages, survey(prefix))
    problems = wheel_problems(prefix, packages, survey(prefix))
"""

import base64
import importlib.metadata
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from repro.record.installed import Survey, digest

Package = Mapping[str, str]
Meta = dict[str, Any]


def conda_problems(prefix: Path, packages: Sequence[Package], found: Survey) -> list[str]:
    """Compare the installed conda packages, their archives and their files with the lock.

    Args:
        prefix: folder of the environment.
        packages: of the lock, for this platform.
        found: what lies in the environment.
    """
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
        problems += _file_problems(prefix, name, meta, found)
    return problems


def wheel_problems(
    prefix: Path, packages: Sequence[Package], found: Survey, ours: Collection[str] = ()
) -> list[str]:
    """Compare the installed wheels and their files with the lock.

    Args:
        prefix: folder of the environment.
        packages: of the lock, for this platform.
        found: what lies in the environment.
        ours: paths in it that were written over on purpose.
    """
    installed = {_normal(wheel.name): wheel for wheel in _wheels(prefix, found)}
    extra = installed.keys() - {p["name"] for p in packages}
    problems = [f"Expected no distribution but the lock's. Received {n}." for n in sorted(extra)]
    for package in (p for p in packages if p["manager"] == "pip"):
        wheel = installed.get(package["name"])
        if wheel is None or wheel.version != package["version"]:
            want, got = (
                f"{package['name']} {package['version']}",
                wheel.version if wheel else "none",
            )
            problems.append(f"Expected {want}. Received {got}.")
        else:
            problems += _unlike_record(prefix, wheel, found, ours)
    return problems


def owners(prefix: Path, found: Survey) -> dict[str, str]:
    """Return the package that each file belongs to, by the packages' own records.

    Args:
        prefix: folder of the environment.
        found: what lies in the environment.
    """
    owned: dict[str, str] = {}
    for meta in _metas(prefix):
        owned |= {entry["_path"]: meta["name"] for entry in meta["paths_data"]["paths"]}
    for wheel in _wheels(prefix, found):
        paths = (_place(prefix, wheel, path) for path in wheel.files or [])
        owned |= dict.fromkeys(paths, _normal(wheel.name))
    return owned


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


def _wheels(prefix: Path, found: Survey) -> Iterator[importlib.metadata.Distribution]:
    places = [str(prefix / path) for path in found if path.endswith("/site-packages/")]
    return iter(importlib.metadata.distributions(path=places))


def _normal(name: str) -> str:
    """A distribution's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _place(prefix: Path, wheel: importlib.metadata.Distribution, path: Any) -> str:
    return os.path.relpath(os.path.normpath(str(wheel.locate_file(path))), prefix)


def _archive_sha256(meta: Meta) -> str:
    """Return the digest of a package's archive; of a local one nobody else has looked at it."""
    url = urlsplit(str(meta["url"]))
    if url.scheme != "file":
        return str(meta.get("sha256"))
    archive = Path(url2pathname(url.path))
    return digest(archive).removeprefix("sha256:") if archive.is_file() else f"no file {archive}"


def _file_problems(prefix: Path, name: str, meta: Meta, found: Survey) -> Iterator[str]:
    kept = meta.get("extracted_package_dir")
    mend = f"Remove {kept}" if kept else "Run `conda clean --all --yes`"
    for entry in meta["paths_data"]["paths"]:
        path, link = prefix / entry["_path"], entry["path_type"] == "softlink"
        # Of a link, the digest as packed is that of what it points to.
        want = (not link and entry.get("sha256_in_prefix")) or entry.get("sha256")
        if kept and path.is_symlink() and path.resolve().is_relative_to(Path(kept).resolve()):
            yield (
                f"Expected {path} in the environment itself. Received a link to {path.readlink()}. "
                "Turn `always_softlink` and `allow_softlinks` off in conda's configuration."
            )
        elif want and not (link and path.is_symlink()):
            now = "no such file"
            if path.exists():
                row = found.get(entry["_path"])
                now = row[0] if row and not path.is_symlink() else digest(path.resolve())
            if now != f"sha256:{want}":
                yield (
                    f"Expected {path} as in {name}, sha256:{want}. Received {now}: damaged "
                    f"where conda keeps the package unpacked. {mend}, then try again."
                )


def _unlike_record(
    prefix: Path, wheel: importlib.metadata.Distribution, found: Survey, ours: Collection[str]
) -> Iterator[str]:
    for path in wheel.files or []:
        place = _place(prefix, wheel, path)
        if path.hash is None or place in ours:
            continue
        want = f"sha256:{base64.urlsafe_b64decode(path.hash.value + '==').hex()}"
        now = found[place][0] if place in found else "no such file"
        if now != want:
            yield f"Expected {path} as in the wheel of {wheel.name}, {want}. Received {now}."
