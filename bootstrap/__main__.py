"""The command line: ./run prepares the host, then prints and runs one snakemake command.

Synopsis:
    ./run TARGET [snakemake options]        ./run --help

Stage 1 runs in whatever Python the machine has, with the standard library alone, and makes the
tools; stage 2 is the same module again, in the Python of the tools.
"""

import argparse
import os
import shlex
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import project
import screen
import tools
from repro.core.errors import CouldNotRun, UserError

VERBS = {
    "setup": "make the tools, choose the channel anew, install the environments",
    "lock": "make conda-lock.yml from environment.yml, and render from it",
    "test": "run the linters and the tests",
    "manifest": "print what a file of the results came from",
    "check-files": "name each file of the results that is not as it was, or outdated",
    "archive": "make one file of an experiment's run, its results and all that made them",
    "rerun": "look at such a file, byte by byte; then run what is in it once more",
    "containerfile": "write down an image of the workflow and its environments",
    "cost": "measure what determinism, trace and checkpoints cost an experiment",
    "drift": "say what differs now from what made the results, and what can still be claimed",
    "clean": "show what all clones keep in the cache, and remove what nobody uses",
}


def main(argv: Sequence[str]) -> int:
    """Run the command line and return its exit status.

    Args:
        argv: the arguments after the program's name.

    Returns:
        0 holds or done; 1 does not hold; 2 a user's mistake; 3 nobody can tell; 4 it could not
        run; 128 + n where signal n ended it.

    Example:
        >>> main(["--help"])
        0
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    try:
        if argv[0] == "rerun":  # asks nothing of the machine but this Python
            import rerun

            return rerun.main(argv[1:])
        os.chdir(project.ROOT)
        os.environ["REPRO_CACHE"] = str(project.CACHE)  # as whatever is started shall know it
        with screen.shown():
            python = tools.ensure(dev=argv[0] in ("lock", "test"))
        if Path(sys.prefix).resolve() != tools.VENV.resolve():
            here = str(Path(__file__).resolve().parent)
            sys.stdout.flush()
            os.execv(python, [str(python), "-Es", here, *argv])
        return _dispatch(argv[0], list(argv[1:]))
    except UserError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(
            f"Expected to read and write files, and to start programs. Received from the system: "
            f"{error}. Mend that, and run again.",
            file=sys.stderr,
        )
        return CouldNotRun.status
    except Exception:  # else Python ends with 1, which tells of a claim
        traceback.print_exc()
        return CouldNotRun.status


def usage() -> str:
    """Return the help text.

    Example:
        >>> "setup" in usage()
        True
    """
    lines = [f"  {verb:<15}{what}" for verb, what in VERBS.items()]
    return "\n".join(
        [
            "usage: ./run TARGET [snakemake options]",
            "       ./run VERB [options]",
            "",
            "Prepares the tools and environments, then prints and runs `snakemake TARGET ...`",
            "in the project's folder. Targets: all (everything up to the verdicts), verify, or any",
            "file or rule that Snakemake knows; options that are not ours go to Snakemake.",
            "`--stress` loads the machine while the repeats run.",
            "",
            *lines,
            "",
            "`./run VERB --help` says more. `--config channel=locked|local` with a target or setup",
            "forces where the packages come from: conda-forge, or Debian's Python and the wheels.",
        ]
    )


def _dispatch(command: str, rest: list[str]) -> int:
    tools.write_commands()
    if command == "lock":
        import lock

        return lock.main(rest)
    if command == "test":
        import checks

        return checks.main(rest)
    if command in ("manifest", "check-files"):
        import audit

        return {"manifest": audit.manifest, "check-files": audit.check_files}[command](rest)
    if command == "archive":
        import archiving

        return archiving.main(rest)
    if command == "containerfile":
        import image

        return image.main(rest)
    if command == "clean":
        import clean

        return clean.main(rest)
    if command == "drift":
        return _drift(rest)
    if command == "cost":
        return _cost(rest)
    if command == "setup":
        return _setup(rest)
    return _target([command, *rest])


def _setup(argv: list[str]) -> int:
    """Make everything that a target would need, and forget the remembered channel."""
    parser = argparse.ArgumentParser(prog="./run setup", description=VERBS["setup"])
    parser.add_argument("--config", metavar="channel=locked|local", nargs="*", default=[])
    options, extra = parser.parse_known_args(argv)
    what = ["all", "--forceall", *extra]
    what += ["--config", *options.config] if options.config else []
    with _prepared(what, options.config, anew=True) as status:
        if status == 0:
            import environments

            print(f"All is set up. The environments lie in {environments.folder()}.")
        return status


def _drift(argv: list[str]) -> int:
    """Refuse a manifest that cannot be read, then let Snakemake compare it with the present."""
    parser = argparse.ArgumentParser(
        prog="./run drift",
        description="Say what differs now from what made results: 0 where every goal can still be "
        "claimed for them, else 1.",
    )
    parser.add_argument(
        "manifest", type=Path, nargs="?", metavar="MANIFEST",
        help="of one result, by its path from the project's folder; else every training's",
    )  # fmt: skip
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    options, rest = parser.parse_known_args(argv)
    named: list[str] = []
    if options.manifest is not None:
        from repro.record import manifest

        manifest.read(options.manifest)
        named = ["--config", f"manifest={options.manifest}"]
    return _target(["drift", *rest, *named, "--config", *options.config])


def _cost(argv: list[str]) -> int:
    """Let Snakemake measure what an experiment's training costs."""
    parser = argparse.ArgumentParser(
        prog="./run cost",
        description="Measure what determinism, trace and checkpoints cost an experiment's training "
        "in time and memory, beside the same loop without each and beside plain `fit`, in "
        "processes that take turns. The figures go to results/EXPERIMENT/cost.json, and by the "
        "next `./run all` or `./run verify` into the verdict.",
    )
    parser.add_argument("experiment", metavar="EXPERIMENT", help="a name in the configuration")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="how often each variant is measured (3)"
    )
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    options, rest = parser.parse_known_args(argv)
    rounds = [] if options.rounds is None else [f"rounds={options.rounds}"]
    return _target(
        ["cost", *rest, "--config", f"cost={options.experiment}", *rounds, *options.config]
    )


def _target(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    parser.add_argument("--stress", action="store_true")
    options, rest = parser.parse_known_args(argv)
    config = [*options.config, *(["stress=True"] if options.stress else [])]
    # Last: it takes all values that follow, and a target must not be one of them.
    what = [*rest, *(["--config", *config] if config else [])]
    with _prepared(what, options.config, anew=False) as status:
        return status or _snakemake(what)


@contextmanager
def _prepared(argv: Sequence[str], config: Sequence[str], *, anew: bool) -> Generator[int]:
    """Give a command line of Snakemake its channel and environments, and say how that went."""
    import channel
    import environments
    import needs

    forced = next((c.partition("=")[2] for c in config if c.startswith("channel=")), None)
    with screen.shown():
        renders = channel.renders(channel.ensure(forced, anew=anew))
    if not anew:
        print(f"$ {shlex.join(['snakemake', *argv])}", flush=True)
    found = needs.of(argv)
    names = found.names if found.jobs else frozenset[str]()

    def make() -> int:
        every = [] if "all" in argv else ["all"]  # also those of other targets
        return _snakemake([*every, "--conda-create-envs-only", "--quiet=all", *argv])

    with environments.ready(found.given, names, renders, make) as status:
        yield status


def _snakemake(argv: Sequence[str]) -> int:
    import outcome

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--directory", "-d", type=Path, default=Path())
    return outcome.of_snakemake(argv, parser.parse_known_args(argv)[0].directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
