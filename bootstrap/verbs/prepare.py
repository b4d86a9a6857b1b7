"""What ./run setup and ./run TARGET do: give Snakemake its channel and environments, then run it.

Synopsis:
    ./run setup [--config channel=locked|local]
    ./run TARGET [snakemake options]
"""

import argparse
import shlex
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import outcome
from display import screen
from environments import channel, making, needs, places
from repro.core.errors import UserError
from wheels import ahead


def setup(argv: Sequence[str]) -> int:
    """Make everything that a target would need, and forget the remembered channel."""
    parser = argparse.ArgumentParser(
        prog="./run setup",
        description="Make the tools, choose the channel again, install the environments.",
    )
    parser.add_argument("--config", metavar="channel=locked|local", nargs="*", default=[])
    options, extra = parser.parse_known_args(argv)
    command_line = ["all", "--forceall", *extra]
    command_line += ["--config", *options.config] if options.config else []
    with prepared(command_line, options.config, anew=True) as status:
        if status == 0:
            print(f"All is set up. The environments lie in {places.folder()}.")
        return status


def target(argv: Sequence[str]) -> int:
    """Prepare and run what Snakemake is asked for."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    parser.add_argument("--stress", action="store_true")
    options, rest = parser.parse_known_args(argv)
    if "--conda-cleanup-envs" in rest:
        raise UserError(
            "Expected `./run clean`, which removes environments that nobody uses. Received "
            "`--conda-cleanup-envs`, which removes those that another clone uses. Run the former."
        )
    config = [*options.config, *(["stress=True"] if options.stress else [])]
    # Last: it takes all values that follow, and a target must not be one of them.
    command_line = [*rest, *(["--config", *config] if config else [])]
    with prepared(command_line, options.config, anew=False) as status:
        return status or _snakemake(command_line)


@contextmanager
def prepared(argv: Sequence[str], config: Sequence[str], *, anew: bool) -> Generator[int]:
    """Give a command line of Snakemake its channel and environments, and say how that went."""
    forced = next((c.partition("=")[2] for c in config if c.startswith("channel=")), None)
    with screen.shown():
        renders = channel.renders(channel.ensure(forced, anew=anew))
    if not anew:
        # Beside what Snakemake prints: `./run all --dag | dot` reads nothing else.
        print(f"$ {shlex.join(['snakemake', *argv])}", file=sys.stderr, flush=True)
    needed = needs.of(argv)
    names = needed.names if needed.jobs else frozenset[str]()

    def make() -> int:
        return _snakemake(needs.making(argv))

    with making.ready(needed.given, names, renders, make) as status:
        ahead.drop()  # whatever was not used
        yield status


def _snakemake(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--directory", "-d", type=Path, default=Path())
    return outcome.of_snakemake(argv, parser.parse_known_args(argv)[0].directory)
