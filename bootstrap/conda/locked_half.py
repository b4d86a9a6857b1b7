"""The conda half of a lock as a channel, for when conda-forge does not answer: only wheels change.

Synopsis:
    locked_half.write(lock, folder)                    # holds the locked packages alone
    locked_half.missing(environment, folder)           # ["python 3.12.* for linux-64", …]

The channel names the true addresses, so what is solved against it has those of conda-forge.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repro.core.errors import UserError

from conda.lock_file import conda_package

Yaml = Mapping[str, Any]


def write(lock: Yaml, folder: Path) -> None:
    """Write the index of a channel that has what a lock has; `lock` is as YAML gave it."""
    platforms: list[str] = lock["metadata"]["platforms"]
    subdirs: dict[str, dict[str, Yaml]] = {subdir: {} for subdir in (*platforms, "noarch")}
    channel = lock["metadata"]["channels"][0]["url"]
    for package in (p for p in lock["package"] if p["manager"] == "conda"):
        one = conda_package(package)
        subdirs[one.subdir][one.url.rpartition("/")[2]] = {
            "name": one.name,
            "version": one.version,
            "build": one.build,
            "build_number": 0,  # which tells builds of one version apart: here there is but one
            "subdir": one.subdir,
            "depends": [f"{n} {v}".strip() for n, v in package["dependencies"].items()],
            **package["hash"],
        }
    for subdir, records in subdirs.items():
        info = {"subdir": subdir, "base_url": f"{channel}/{subdir}/"}
        index = {"info": info, "packages": {}, "packages.conda": records, "repodata_version": 2}
        (folder / subdir).mkdir()
        (folder / subdir / "repodata.json").write_text(json.dumps(index), encoding="utf-8")


def missing(environment: Yaml, folder: Path) -> list[str]:
    """Return the conda packages that an environment.yml asks for and that channel does not have.

    Raises:
        UserError: what it asks for is no package.
    """
    from rattler import Channel, MatchSpec, RepoData, RepoDataRecord

    def records(subdir: str) -> list[RepoDataRecord]:
        file = folder / subdir / "repodata.json"
        channel = Channel(folder.as_uri())
        return RepoData.from_path(file).into_repo_data(channel) if file.is_file() else []

    specs = dict[str, MatchSpec]()
    for text in (each for each in environment["dependencies"] if isinstance(each, str)):
        try:
            specs[text] = MatchSpec(text)
        except Exception as error:  # rattler's errors have no base of their own
            raise UserError(
                f"Expected a conda package in environment.yml. Received {text} ({error}). Mend it."
            ) from None
    return [
        f"{text} for {platform}"
        for platform in environment["platforms"]
        for text, spec in specs.items()
        if not any(spec.matches(one) for one in records(platform) + records("noarch"))
    ]
