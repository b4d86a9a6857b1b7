"""What ./run setup and ./run TARGET do: give Snakemake its channel and environments, then run it.

Synopsis:
    ./run setup [--config channel=locked|local] [--directory FOLDER]
    ./run TARGET [snakemake options] [--directory FOLDER]
"""

import argparse
import shlex
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import answers
import outcome
from display import screen
from earlier import guard
from earlier.guard import Wish
from environments import channel, making, needs, places
from repro.core.errors import UserError
from user_project import chosen
from user_project.chosen import UserProject
from wheels import ahead

from verbs import check_files

_ASKING = {"all", "verify"}
"""Targets that end with verdicts."""
_TAKING_ALL = ("--cores", "-c", "--quiet", "-q")
"""Options of Snakemake behind which `all` is no target."""
_NOTHING = "Nothing to be done: Snakemake says that all results are there and up to date."
_ANSWERED, _FAILED = (0, 1, 3), (outcome.MISTAKE, outcome.NOT_RUN)
"""Statuses of a run after which every verdict is there, and of one that may have made some."""


def setup(argv: Sequence[str], here: UserProject) -> int:
    """Make everything that a target would need, and forget the remembered channel."""
    parser = argparse.ArgumentParser(
        prog="./run setup",
        parents=[chosen.options()],
        description="Make the tools, choose the channel again, install the environments.",
    )
    parser.add_argument("--config", metavar="channel=locked|local", nargs="*", default=[])
    options, extra = parser.parse_known_args(argv)
    command_line = ["all", "--forceall", *extra]
    command_line += ["--config", *options.config] if options.config else []
    with prepared(here, command_line, options.config, anew=True) as status:
        if status == 0:
            print(f"All is set up. The environments lie in {places.folder()}.")
        return status


def target(argv: Sequence[str], here: UserProject) -> int:
    """Prepare and run what Snakemake is asked for."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    parser.add_argument("--stress", action="store_true")
    wishes = parser.add_mutually_exclusive_group()
    for wish in (Wish.STORE, Wish.OVERWRITE):
        wishes.add_argument(f"--{wish.value}", dest="wish", action="store_const", const=wish)
    options, rest = parser.parse_known_args(argv)
    if "--conda-cleanup-envs" in rest:
        raise UserError(
            "Expected `./run clean`, which removes environments that nobody uses. Received "
            "`--conda-cleanup-envs`, which removes those that another clone uses. Run the former."
        )
    config = [*options.config, *(["stress=True"] if options.stress else [])]
    # Last: it takes all values that follow, and a target must not be one of them.
    command_line = [*rest, *(["--config", *config] if config else [])]
    with prepared(here, command_line, options.config, anew=False) as status:
        if status or not needs.of(command_line, here.folder).jobs:
            return status or outcome.of_snakemake(here.snakemake(command_line), here.shown)
        before = outcome.logs(here.shown)
        status = _guarded(here, command_line, options.wish or Wish.ASK)
        ran = status in _ANSWERED or (status in _FAILED and outcome.logs(here.shown) != before)
        if ran and _asks_for_verdicts(command_line):
            answers.show(list(_configuration(command_line).get("experiments", {})), here.shown)
        return status


def _asks_for_verdicts(command_line: Sequence[str]) -> bool:
    """Whether such a target is among the words."""
    pairs = pairwise(["", *command_line])
    return any(word in _ASKING and before not in _TAKING_ALL for before, word in pairs)


def _guarded(here: UserProject, command_line: Sequence[str], wish: Wish) -> int:
    """Run Snakemake once earlier results that it would overwrite are listed, and perhaps stored."""
    command = here.snakemake(command_line)
    makes = guard.watch(command, _configuration(command), wish)
    if not makes and command_line == ["all"]:  # with options it may do something else than to make
        print(_NOTHING, file=sys.stderr)
        return 0
    status = outcome.of_snakemake(command, here.shown)
    if makes:
        guard.remember(_configuration(command))  # also of experiments beside one that failed
    return status


def _configuration(command: Sequence[str]) -> Any:
    """The configuration of a command line; nothing of one that Snakemake will refuse."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    options = parser.parse_known_args(command)[0]
    try:
        config = check_files.configuration(*options.configfile)
    except UserError:
        return {}
    return {**config, "stress": True} if "stress=True" in command else config


@contextmanager
def prepared(
    here: UserProject, argv: Sequence[str], config: Sequence[str], *, anew: bool
) -> Generator[int]:
    """Give a command line of Snakemake its channel and environments, and say how that went."""
    forced = next((c.partition("=")[2] for c in config if c.startswith("channel=")), None)
    with screen.shown():
        renders = channel.renders(channel.ensure(forced, anew=anew))
    if not anew:
        # Beside what Snakemake prints: `./run all --dag | dot` reads nothing else.
        print(f"$ {shlex.join(['snakemake', *here.snakemake(argv)])}", file=sys.stderr, flush=True)
    needed = needs.of(argv, here.folder)
    names = needed.names if needed.jobs else frozenset[str]()

    def make() -> int:
        return outcome.of_snakemake(here.snakemake(needs.making(argv)), here.shown)

    with making.ready(needed.given, names, renders, make) as status:
        ahead.drop()  # whatever was not used
        yield status
