"""Make conda-lock.yml from environment.yml, by conda-lock, and what is rendered from it.

Synopsis:
    ./run lock [--channel PLACE]

Where conda-forge does not answer, its half of the lock stays, and only wheels change.

Before conda-lock the one file is split into the categories that it wants as files; after it,
what is true of this machine alone is taken out: the index, the folder, the place solved against.
So the same versions give the same bytes wherever the lock is made.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import project
import yaml
from repro.core.errors import CouldNotRun, UserError

from conda import locked_half, reach, render, solve
from conda.lock_file import parse

SOURCE = project.ROOT / "environment.yml"
CHANNEL = "https://conda.anaconda.org/conda-forge/"
PROBE = f"{CHANNEL}noarch/repodata.json.zst"
SELECTORS = {"linux-64": "linux64", "linux-aarch64": "aarch64", "osx-arm64": "arm64"}

_PLATFORMS = {"type": "array", "items": {"enum": list(SELECTORS)}, "minItems": 1}
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

    Raises:
        UserError: environment.yml cannot be used, or conda-lock finds no solution; CouldNotRun
            where what it takes cannot be reached.
    """
    parser = argparse.ArgumentParser(prog="./run lock", description="Make conda-lock.yml again.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--channel", help="where to find conda-forge, if not at its own address")
    choice.add_argument("--keep", action="store_true", help="keep the lock, only render from it")
    options = parser.parse_args(argv)
    text = project.LOCK.read_text(encoding="utf-8") if options.keep else _solved(options.channel)
    rendered = render.render(parse(text))
    project.write(project.LOCK, text)
    render.write(rendered, project.ENVS)
    folder = project.ENVS.relative_to(project.ROOT)
    print(f"Made {project.LOCK.name} and {len(rendered)} files in {folder}.")
    return 0


def sources(environment: Yaml, index: str) -> dict[str, str]:
    """Split environment.yml into files for conda-lock, one a category, the main one first."""
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

    The digest of environment.yml replaces conda-lock's own, which covers the index and channel too.

    Raises:
        UserError: a package without sha256, or from another place than conda-forge.
    """
    packages = [_neutral_package(package) for package in lock["package"]]
    metadata = dict(lock["metadata"])
    metadata["content_hash"] = dict.fromkeys(metadata["platforms"], source_sha256)
    metadata["channels"] = [{"url": CHANNEL.rstrip("/"), "used_env_vars": []}]
    metadata["sources"] = [SOURCE.name]
    return {**lock, "metadata": metadata, "package": packages}


def _solved(channel: str | None) -> str:
    source = SOURCE.read_bytes()
    environment = _parsed(source)
    with TemporaryDirectory() as name:
        if channel is None and not reach.answers(PROBE, reach.PATIENCE):
            channel = _locked_half(environment, Path(name))
        solution = solve.solve(sources(environment, solve.index()), channel)
    lock = neutral(solution, hashlib.sha256(source).hexdigest())
    return HEADER + yaml.safe_dump(lock, sort_keys=False, allow_unicode=True)


def _locked_half(environment: Yaml, folder: Path) -> str:
    """What stands in for conda-forge where it does not answer: the packages locked so far."""
    if project.LOCK.is_file():
        locked_half.write(yaml.safe_load(project.LOCK.read_bytes()), folder)
    if missing := locked_half.missing(environment, folder):
        raise CouldNotRun(
            f"Expected {CHANNEL} to answer, of which {SOURCE.name} asks {missing[0]}, and which "
            f"{project.LOCK.name} does not hold. Received no answer within {reach.PATIENCE:g} "
            "seconds. Make it reachable, name with `--channel` a place that has it, or change "
            "wheels alone."
        )
    print(
        f"{CHANNEL} does not answer within {reach.PATIENCE:g} seconds: its packages stay as they "
        "are locked, and only wheels are chosen again.",
        file=sys.stderr,
        flush=True,
    )
    return str(folder)


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
