"""The conda front end: what Snakemake and conda-lock ask of a conda, on py-rattler.

Synopsis:
    conda create --file ENV.pin.txt --prefix ENV --yes      installs exactly these packages
    conda create --dry-run --json --channel C SPEC ...      solves, for conda-lock
    conda info --json | config --get channel_priority --json | list --explicit | clean

It installs nothing that a pin file does not name with its digest: `conda env create`, which
Snakemake falls back to when a pin file failed, is refused.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import project
from display import progress
from repro.core.errors import UserError

if TYPE_CHECKING:
    from rattler import RepoDataRecord

VERSION = "24.9.0"  # the conda whose interface is followed
SOLVE_SECONDS = 600


def main(argv: Sequence[str]) -> int:
    """Answer one conda command; return 0 done, 1 not done, 2 no such command here."""
    if list(argv) in (["--version"], ["-V"]):
        print(f"conda {VERSION}")
        return 0
    options = _parse(argv)
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except UserError as error:
        print(f"conda (py-rattler): {error}", file=sys.stderr)
        progress.refused(str(error), error.status)
        return 1


def cache() -> Path:
    """Return the folder that keeps the fetched packages: CONDA_PKGS_DIRS, or .tools/pkgs."""
    folders = os.environ.get("CONDA_PKGS_DIRS", "").split(",")
    return Path(folders[0]).expanduser().resolve() if folders[0] else project.TOOLS / "pkgs"


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conda", allow_abbrev=False, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], *flags: str) -> Any:
        command = commands.add_parser(name, allow_abbrev=False)
        command.set_defaults(command=run)
        for flag in ("--quiet", "-q", "--yes", "-y", "--json", *flags):
            command.add_argument(flag, action="store_true")
        return command

    add("info", _info)
    add("config", _config).add_argument("--get", nargs="*")
    create = add("create", _create, "--no-default-packages", "--dry-run", "--override-channels")
    create.add_argument("--file", type=Path)
    create.add_argument("--prefix", "-p", type=Path)
    create.add_argument("--channel", "-c", action="append", default=[])
    create.add_argument("specs", nargs="*")
    add("env", _refuse_environment_file).add_argument("rest", nargs=argparse.REMAINDER)
    add("list", _list, "--explicit").add_argument("--prefix", "-p", type=Path, required=True)
    add("clean", _clean, "--tarballs", "--packages", "--all")
    return parser.parse_args(argv)


def _info(_: argparse.Namespace) -> int:
    subdir = os.environ.get("CONDA_SUBDIR") or project.subdir()
    # Snakemake writes `source <conda_prefix>/bin/activate` into a shell without quoting it.
    prefix = shlex.quote(str(project.TOOLS))
    facts = {"conda_version": VERSION, "conda_prefix": prefix, "root_prefix": prefix}
    print(json.dumps({**facts, "platform": subdir, "pkgs_dirs": [str(cache())], "envs": []}))
    return 0


def _config(_: argparse.Namespace) -> int:
    print(json.dumps({"get": {"channel_priority": "strict"}, "warnings": []}))
    return 0


def _create(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _solve(options)
    if not (options.file and options.prefix) or options.specs:
        raise UserError(
            "Expected `conda create --file PINS --prefix ENV`. Received specifications or no file. "
            "Name a pin file in which each package has a digest; nothing else is installed here."
        )
    from conda import install
    from conda.pins import read_pins

    install.create(read_pins(options.file), options.prefix.absolute(), cache())
    return 0


def _refuse_environment_file(_: argparse.Namespace) -> int:
    raise UserError(
        "Expected a pin file with a digest for each package. Received an environment file, which "
        "would be solved again: refused. The message above this one says why the pin file failed, "
        "or the pin file for this platform is missing; mend that, then try again."
    )


def _solve(options: argparse.Namespace) -> int:
    """Solve as conda-lock asks: what it knows of the target lies in the channels it names."""
    import asyncio  # not for all that Snakemake asks: it takes as long as the rest

    try:
        records = asyncio.run(_solution(options.channel, options.specs))
    except Exception as error:  # conda-lock shows the `message` of a refusal
        print(json.dumps({"success": False, "error": str(error), "message": str(error)}))
        return 1
    fetch = [
        {**json.loads(r.to_json()), "fn": r.file_name, "url": r.url, "channel": r.channel}
        for r in records
    ]
    answer = {"success": True, "dry_run": True, "prefix": str(options.prefix)}
    print(json.dumps({**answer, "actions": {"LINK": [], "FETCH": fetch}}))
    return 0


async def _solution(channels: Sequence[str], specs: Sequence[str]) -> "list[RepoDataRecord]":
    from datetime import timedelta

    from rattler import Channel, Subdir, solve

    subdir = os.environ.get("CONDA_SUBDIR") or project.subdir()
    return await solve(
        sources=[Channel(channel) for channel in channels],
        specs=[spec.strip() for spec in specs],
        platforms=[Subdir(subdir), Subdir("noarch")],
        virtual_packages=[],
        timeout=timedelta(seconds=SOLVE_SECONDS),
    )


def _list(options: argparse.Namespace) -> int:
    records = [json.loads(p.read_text()) for p in sorted(options.prefix.glob("conda-meta/*.json"))]
    if options.json:
        print(json.dumps(records))
        return 0
    print(f"# platform: {project.subdir()}", "@EXPLICIT", sep="\n")
    for record in records:
        print(record["url"])
    return 0


def _clean(options: argparse.Namespace) -> int:
    from conda import archives

    # Snakemake asks for --tarballs after every installation, which leaves a conda with its
    # unpacked packages to install from again; here the archives are all that is kept.
    if options.packages or options.all:
        archives.clean(cache())
    return 0
