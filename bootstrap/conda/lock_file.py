"""The lock as it is read: conda packages by platform, and wheels.

Synopsis:
    lock = parse(Path("conda-lock.yml").read_text())
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

CHANNEL = "conda-forge"


@dataclass(frozen=True)
class CondaPackage:
    """A conda package; ``subdir`` is the platform it was made for, or ``noarch``."""

    name: str
    version: str
    build: str
    subdir: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Wheel:
    """A wheel, for one platform."""

    name: str
    version: str
    platform: str
    category: str
    sha256: str


@dataclass(frozen=True)
class Lock:
    """What is rendered: conda packages by platform, wheels, and the digest of conda-lock.yml."""

    sha256: str
    channel: str
    source: str
    conda: Mapping[str, Sequence[CondaPackage]]
    wheels: Sequence[Wheel]


def parse(text: str) -> Lock:
    """Read a lock; its conda packages are all of the main category."""
    content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    conda: dict[str, list[CondaPackage]] = {p: [] for p in content["metadata"]["platforms"]}
    wheels: list[Wheel] = []
    for package in content["package"]:
        platform = package["platform"]
        if package["manager"] == "conda":
            conda[platform].append(conda_package(package))
        else:
            identity = package["name"], package["version"], platform, package["category"]
            wheels.append(Wheel(*identity, package["hash"]["sha256"]))
    return Lock(hashlib.sha256(text.encode()).hexdigest(), "locked", CHANNEL, conda, wheels)


def conda_package(package: Mapping[str, Any]) -> CondaPackage:
    """Read one conda package; its build is a part of its file name alone."""
    name, version, url = package["name"], package["version"], package["url"]
    folder, _, file = url.rpartition("/")
    build = file.removesuffix(".conda").removesuffix(".tar.bz2").removeprefix(f"{name}-{version}-")
    subdir = folder.rpartition("/")[2]
    return CondaPackage(name, version, build, subdir, url, package["hash"]["sha256"])
