"""A small environment that is to be finished: a virtual one, which carries conda's records.

So it is made in seconds. Its wheels come from a folder by pip's own configuration, as a user's
would.
"""

import base64
import compileall
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conda import lock_file, render
from repro.record import installed
from wheels import host_pip

PLATFORM = installed.current_platform()
WHEELS = {"tiny": "1.0", "small": "2.0"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheel(folder: Path, name: str, version: str, *, lies: bool = False) -> Path:
    """A wheel with one module, whose record is right or not."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{file},sha256={digest(text)},{len(text)}\n" for file, text in files.items()]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"])
    if lies:
        files[f"{name}.py"] = f"VERSION = {version!r}  \n"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return path


def digest(text: str) -> str:
    """As the record of a wheel has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Site:
    """A new environment, its channel and its wheels, and the script that is to finish it."""

    prefix: Path
    archive: Path
    wheels: Path
    script: Path

    @property
    def module(self) -> Path:
        """A file of a conda package."""
        return next(self.prefix.glob("lib/python3*/site-packages/pip/__init__.py"))

    @property
    def cache(self) -> Path:
        """Where wheels are kept."""
        return self.prefix.parent / ".cache" / "repro"

    def environment(self, **more: str) -> dict[str, str]:
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}
        pip |= {"PIP_CONFIG_FILE": os.devnull}
        known = {"PATH": os.defpath, "HOME": str(self.prefix.parent), **pip}
        return {**known, "CONDA_PREFIX": str(self.prefix), **more}

    def deploy(self, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(self.script)],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )


def new_base(folder: Path) -> Path:
    """A Python with pip, which is compiled, as conda compiles it."""
    host_pip.make_venv(folder)
    (site,) = folder.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(host_pip.bundled()) as archive:
        archive.extractall(site)
    compileall.compile_dir(site, quiet=1)
    return folder


def new_site(base: Path, folder: Path) -> Site:
    """A copy of the base, and what the script needs."""
    prefix, wheels, channel = folder / "env", folder / "wheels", folder / "channel" / PLATFORM
    shutil.copytree(base, prefix, symlinks=True)
    wheels.mkdir()
    channel.mkdir(parents=True)
    for name, version in WHEELS.items():
        wheel(wheels, name, version)
    archive = channel / "pip-1-0.conda"
    archive.write_bytes(b"the archive of pip")
    site = Site(prefix, archive, wheels, folder / "keras.post-deploy.sh")
    add_meta(site, "pip", archive, [site.module])
    render.write(render.render(lock_file.parse(lock(site))), folder)
    return site


def add_meta(site: Site, name: str, archive: Path, files: list[Path]) -> None:
    """Write the record that conda leaves of an installed package."""
    paths = [
        {"_path": str(f.relative_to(site.prefix)), "path_type": "hardlink", "sha256": sha256(f)}
        for f in files
    ]
    meta = {"name": name, "version": "1", "build": "0", "url": archive.as_uri()}
    meta |= {"sha256": sha256(archive), "paths_data": {"paths": paths, "paths_version": 1}}
    (site.prefix / "conda-meta").mkdir(exist_ok=True)
    (site.prefix / "conda-meta" / f"{name}-1-0.json").write_text(json.dumps(meta))


def lock(site: Site) -> str:
    """A conda-lock.yml of this platform alone."""
    common = {"platform": PLATFORM, "category": "main"}
    packages = [
        {"name": n, "version": v, "manager": "pip", "url": "", **common}
        | {"hash": {"sha256": sha256(next(site.wheels.glob(f"{n}-*")))}}
        for n, v in WHEELS.items()
    ]
    pip = {"name": "pip", "version": "1", "manager": "conda", "url": site.archive.as_uri()}
    packages.append({**pip, "hash": {"sha256": sha256(site.archive)}, **common})
    return yaml.safe_dump({"metadata": {"platforms": [PLATFORM]}, "package": packages})


def index_of(installer: str, site: Site, request: pytest.FixtureRequest) -> None:
    """Give the index uv, or none, so that pip installs."""
    if installer == "uv":
        wheel: Path = request.getfixturevalue("uv")
        (site.wheels / wheel.name).symlink_to(wheel)


@dataclass(frozen=True)
class Made:
    """An environment that is finished, by which installer, and what its script said."""

    site: Site
    installer: str
    done: subprocess.CompletedProcess[str]


def make(installer: str, base: Path, folder: Path, request: pytest.FixtureRequest) -> Made:
    """Make one, for tests that look at it and leave it as it is; a flag was left from before."""
    site = new_site(base, folder)
    index_of(installer, site, request)
    Path(f"{site.prefix}.env_setup_done").touch()
    own = {"PYTHONPATH": str(site.wheels), "PIP_TARGET": str(site.wheels / "elsewhere")}
    return Made(site, installer, site.deploy(**own))
