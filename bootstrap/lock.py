"""Make conda-lock.yml from environment.yml, by conda-lock, and what is rendered from it.

Synopsis:
    ./run lock [--channel PLACE]

conda-lock solves; this module gives it what it lacks (newer wheel tags, the index that pip is
configured with, the categories of one file) and takes out of its answer what is true of this
machine alone: the index, the folder, the place solved against. So the same versions give the
same bytes wherever the lock is made.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import project
import render
import yaml
from repro.core.errors import UserError

SOURCE = project.ROOT / "environment.yml"
LOCK = project.ROOT / "conda-lock.yml"
CHANNEL = "https://conda.anaconda.org/conda-forge/"
LOG = project.TOOLS / "lock.log"

# TensorFlow's wheels need glibc 2.27 and macOS 12; 2.36 is that of the reference, Debian 12.
_LINUX = {"__unix": "0", "__linux": "5.10", "__glibc": "2.36"}
VIRTUAL_PACKAGES = {
    "linux-64": {**_LINUX, "__archspec": "1 x86_64"},
    "linux-aarch64": {**_LINUX, "__archspec": "1 aarch64"},
    "osx-arm64": {"__unix": "0", "__osx": "13.0", "__archspec": "1 arm64"},
}
SELECTORS = {"linux-64": "linux64", "linux-aarch64": "aarch64", "osx-arm64": "arm64"}

_PLATFORMS = {"type": "array", "items": {"enum": list(VIRTUAL_PACKAGES)}, "minItems": 1}
_CATEGORY = {"name": {"pattern": "^[a-z]+$"}, "pip": {"type": "array"}, "platforms": _PLATFORMS}
SCHEMA = {
    "type": "object",
    "required": ["channels", "platforms", "dependencies"],
    "additionalProperties": False,
    "properties": {
        "channels": {"const": ["conda-forge"]},
        "platforms": _PLATFORMS,
        "dependencies": {"type": "array"},
        "categories": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "pip"],
                "additionalProperties": False,
                "properties": _CATEGORY,
            },
        },
    },
}

HEADER = """\
# Made from environment.yml by conda-lock (`./run lock`); do not edit. A sha256 for every package.
#     PYPI_FILES_URL=<file host of your package index> conda-lock install -n NAME conda-lock.yml
"""

Yaml = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Remake the lock and the renders, all of them or none.

    Args:
        argv: ``--channel PLACE``, a folder or address to solve against in place of conda-forge;
            or ``--keep``, to render again from the lock that is there.

    Returns:
        0.

    Raises:
        UserError: environment.yml cannot be used, or conda-lock finds no solution.

    Example:
        >>> main(["--channel", "https://mirror.example/conda-forge"])
        0
    """
    parser = argparse.ArgumentParser(prog="./run lock", description="Make conda-lock.yml anew.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--channel", help="where to find conda-forge, if not at its own address")
    choice.add_argument("--keep", action="store_true", help="keep the lock, only render from it")
    options = parser.parse_args(argv)
    text = LOCK.read_text(encoding="utf-8") if options.keep else _made(options.channel)
    rendered = render.render(render.parse(text))
    project.write(LOCK, text)
    render.write(rendered, render.ENVS)
    print(f"Made {LOCK.name} and {len(rendered)} files in {render.ENVS.relative_to(project.ROOT)}.")
    return 0


def sources(environment: Yaml, index: str) -> dict[str, str]:
    """Split environment.yml into the files that conda-lock reads: it takes one category a file.

    Args:
        environment: the parsed file.
        index: address of the package index that the wheels are looked up in.

    Returns:
        File names and texts, the main category first.

    Example:
        >>> list(sources({"dependencies": [], "categories": [{"name": "dev", "pip": []}]}, "…"))
        ['main.yml', 'dev.yml']
    """
    main = {key: value for key, value in environment.items() if key != "categories"}
    main |= {"pip-repositories": [index], "allow-pypi-requests": False}
    files = {"main.yml": yaml.safe_dump(main)}
    for category in environment.get("categories", []):
        platforms = category.get("platforms", environment.get("platforms", []))
        name = category["name"]
        files[f"{name}.yml"] = _category(name, category["pip"], platforms)
    return files


def neutral(lock: Yaml, source_sha256: str) -> Yaml:
    """Return a lock without what is true of this machine alone, refusing one that is not whole.

    Args:
        lock: conda-lock's answer, parsed.
        source_sha256: digest of environment.yml; it takes the place of conda-lock's own digest
            of its input, which covers the index and the place solved against.

    Raises:
        UserError: a package without sha256, or from another place than conda-forge.

    Example:
        >>> neutral({"metadata": {"platforms": []}, "package": []}, "00")["package"]
        []
    """
    packages = [_neutral_package(package) for package in lock["package"]]
    metadata = dict(lock["metadata"])
    metadata["content_hash"] = dict.fromkeys(metadata["platforms"], source_sha256)
    metadata["channels"] = [{"url": CHANNEL.rstrip("/"), "used_env_vars": []}]
    metadata["sources"] = [SOURCE.name]
    return {**lock, "metadata": metadata, "package": packages}


def conda_lock(arguments: Sequence[str]) -> None:
    """Run conda-lock with the wheel tags of today; does not return.

    Its own list ends at manylinux_2_28 and has gaps, among them the tag of TensorFlow's wheels.
    """
    from conda_lock import pypi_solver  # pyright: ignore[reportMissingTypeStubs]
    from conda_lock.conda_lock import main as run  # pyright: ignore[reportMissingTypeStubs]

    older = ["1", "_2_5", "_2_6", "_2_7", "_2_8", "_2_9", "_2_10", "_2_11", "2010", "_2_12"]
    older += ["_2_13", "_2_14", "_2_15", "_2_16", "2014"]
    pypi_solver.MANYLINUX_TAGS[:] = older + [f"_2_{minor}" for minor in range(17, 41)]
    run(list(arguments))


def _made(channel: str | None) -> str:
    source = SOURCE.read_bytes()
    answer = _solve(sources(_parsed(source), _index()), channel)
    lock = neutral(answer, hashlib.sha256(source).hexdigest())
    return HEADER + yaml.safe_dump(lock, sort_keys=False, allow_unicode=True)


def _category(name: str, wheels: Sequence[str], platforms: Sequence[str]) -> str:
    """Write it by hand: the platforms are comments to YAML, and selectors to conda-lock."""
    lines = [f"category: {name}", "dependencies:", "  - pip:"]
    for platform in platforms:
        lines += [f"    - {wheel}  # [{SELECTORS[platform]}]" for wheel in wheels]
    return "\n".join([*lines, ""])


def _neutral_package(package: Yaml) -> Yaml:
    name, url = f"{package['name']} for {package['platform']}", str(package["url"])
    if not re.fullmatch(r"[0-9a-f]{64}", str(package["hash"].get("sha256"))):
        raise UserError(
            f"Expected a sha256 for {name}. Received {package['hash']!r} from its index. "
            "Lock against an index that gives sha256."
        )
    if package["manager"] == "conda":
        if not url.startswith(CHANNEL):
            raise UserError(
                f"Expected {name} to lie below {CHANNEL}. Received {url}. "
                "Give `--channel` a copy of conda-forge whose index names the true addresses."
            )
        return package
    # The path from /packages/ on is that of the file's own digest, the same at every mirror.
    path = re.sub(r"^[a-z]+://[^/]+(/.*)?(?=/packages/[0-9a-f]{2}/)|^[a-z]+://[^/]+", "", url)
    if path == url or not path.startswith("/"):
        raise UserError(
            f"Expected an address for {name}. Received {url}. Lock against an index on a server."
        )
    return {**package, "url": "${PYPI_FILES_URL}" + path}


def _parsed(source: bytes) -> Yaml:
    from jsonschema import ValidationError, validate

    try:
        environment = yaml.safe_load(source)
        validate(environment, SCHEMA)
    except yaml.YAMLError as error:
        raise UserError(f"Expected YAML in {SOURCE.name}. Received {error}. Mend it.") from None
    except ValidationError as error:
        raise UserError(
            f"Expected {error.json_path} of {SOURCE.name} to be of use to conda-lock. Received: "
            f"{error.message}. Correct it, then run `./run lock` again."
        ) from None
    return environment


def _index() -> str:
    """Return the address of the index that pip takes packages from, by pip's own reckoning."""
    from pip._internal.commands import create_command  # no public way tells the default too

    options, _ = create_command("install").parse_args([])
    return str(options.index_url)


def _solve(files: Mapping[str, str], channel: str | None) -> Yaml:
    """Run conda-lock in a folder of its own and return its answer; what it says goes to a log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text)
        subdirs = {p: {"packages": v} for p, v in VIRTUAL_PACKAGES.items()}
        (folder / "virtual.yml").write_text(yaml.safe_dump({"subdirs": subdirs}))
        (folder / "names.json").write_text("{}")  # wheels and conda packages go by the same names
        arguments = ["lock", "--conda", _front_end(folder), "--lockfile", "lock.yml"]
        arguments += ["--virtual-package-spec", "virtual.yml"]
        arguments += ["--pypi_to_conda_lookup_file", "names.json"]
        arguments += [part for file in files for part in ("--file", file)]
        arguments += ["--channel", _place(channel)] if channel else []
        code = "import sys, lock; lock.conda_lock(sys.argv[1:])"
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("w") as log:
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode or not (folder / "lock.yml").is_file():
            raise _unsolved()
        return cast(Yaml, yaml.safe_load((folder / "lock.yml").read_bytes()))


def _place(channel: str) -> str:
    return channel if "://" in channel else Path(channel).resolve().as_uri()


def _front_end(folder: Path) -> str:
    """Write the command by which conda-lock reaches the bundled conda, whatever is on PATH."""
    command = folder / "conda"
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -Es "{Path(__file__).parent}/conda.py" "$@"\n'
    )
    command.chmod(0o755)
    return str(command)


def _unsolved() -> UserError:
    lines = [line.strip() for line in LOG.read_text().splitlines() if line.strip()]
    return UserError(
        f"Expected conda-lock to find versions that fit {SOURCE.name}. Received: "
        f"{lines[-1] if lines else 'nothing'} Correct the file, or give with --channel a place where "
        f"conda-forge can be reached; the whole answer is in {LOG}."
    )
