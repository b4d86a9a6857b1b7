"""The command line: ./run prepares the host, then prints and runs one snakemake command.

Synopsis:
    ./run TARGET [snakemake options]        ./run --help

Stage 1 runs in whatever Python the machine has, with the standard library alone, and makes the
tools; stage 2 is the same module again, in the Python of the tools.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import project
import tools
from display import screen
from repro.core.errors import CouldNotRun, UserError
from user_project import chosen
from wheels import ahead

TARGETS = {
    "all": "make what is missing or outdated, up to the verdicts",
    "verify": "the same, then check the verdicts; fails where a claim does not hold",
    "controls": "run the negative controls, and count what was found (an hour and a half)",
    "scripts": "run `check` over scripts with and without faults, and count what was found",
    "benchmark": "measure set-up, overhead and how often the judge is wrong",
}
VERBS = {
    "check": "rerun any script of yours, and report whether its results are the same",
    "check.pyz": "make one file that does the same anywhere, with Python alone",
    "new": "make a project to start from, in a folder of its own",
    "digest": "print what the configuration wants of a file or folder of raw data",
    "compare": "compare two runs, archives or seeds, side by side",
    "archive": "make one file of an experiment's run, its results and all that made them",
    "rerun": "verify such a file, byte by byte; then rerun what is in it",
    "manifest": "print what a file of the results came from",
    "check-files": "list each file of the results that is not as it was, or outdated",
    "drift": "list what differs now from what made the results, and what can still be claimed",
    "export": "write trainings and verdicts into an MLflow store",
    "cost": "measure the overhead of determinism, trace and checkpoints in an experiment",
    "setup": "make the tools, choose the channel again, install the environments",
    "lock": "make conda-lock.yml from environment.yml, and render from it",
    "clean": "show what all clones keep in the cache, and remove what nobody uses",
    "containerfile": "write down an image of the workflow and its environments",
    "test": "run the linters and the tests",
    "docs": "make the pages of docs/ as HTML, and check the links between them",
}
BARE = ("rerun", "check", "check.pyz", "new", "digest")
"""Verbs that ask nothing of the machine but this Python."""
DEVELOPERS = ("lock", "test", "docs")
"""Verbs that need the tools of `requirements-dev.txt` too."""
_RULE = re.compile(r"^(?:rule|checkpoint) (\w+):", re.MULTILINE)
_SLURM = re.compile(r"(^|[/=])slurm/?$")  # as a profile, or an executor


def main(argv: Sequence[str]) -> int:
    """Run the command line; `outcome.of_snakemake` lists the statuses."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    try:
        if argv[0] in BARE:
            return command(argv[0], chosen.CLONE)(argv[1:])
        here, arguments = chosen.project_of(argv)  # before anything is made
        refuse_misspelt(arguments[0])
        os.environ["REPRO_CACHE"] = str(project.CACHE)  # as whatever is started shall know it
        with screen.shown():
            verb = arguments[0]
            soon = verb not in VERBS or verb in ("setup", "test")
            slurm = any(map(_SLURM.search, arguments))
            python = tools.ensure(dev=verb in DEVELOPERS, slurm=slurm, ahead=soon)
        if Path(sys.prefix).resolve() != tools.VENV.resolve():
            program = str(Path(__file__).resolve().parent)
            sys.stdout.flush()
            os.execv(python, [str(python), "-Es", program, *argv])
        tools.write_commands()
        os.chdir(here.folder)  # where manifests, and whoever types a path, begin
        return command(arguments[0], here)(arguments[1:])
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
    finally:
        ahead.drop()


def refuse_misspelt(word: str) -> None:
    """Refuse what is nearly a verb or a target, before minutes go into setting up for it.

    Raises:
        UserError: it is neither, nor a rule, and looks like one.
    """
    rules = (file.read_text("utf-8") for file in (project.ROOT / "workflow/rules").glob("*.smk"))
    known = {*VERBS, *TARGETS}
    near = get_close_matches(word, sorted(known), n=1)
    if near and word not in {*known, *_RULE.findall("\n".join(rules))}:
        raise UserError(
            f"Expected a verb, a target, a rule or a file of the results. Received {word}. Did you "
            f"mean `{near[0]}`? `./run --help` lists them."
        )


def usage() -> str:
    """Return the help text."""
    targets, verbs = (
        [f"  {name:<15}{what}" for name, what in table.items()] for table in (TARGETS, VERBS)
    )
    return "\n".join(
        [
            "usage: ./run TARGET [snakemake options]",
            "       ./run VERB [options]",
            "",
            "Prepares the tools and environments, then prints and runs `snakemake TARGET ...`",
            "in the project's folder: the one it is called in, or `--directory FOLDER`. Options",
            "that are not ours go to Snakemake. `--store` puts results aside under runs/ before",
            "they are overwritten, `--overwrite` does not ask; `--stress` loads the machine while",
            "the repeats run. Targets:",
            "",
            *targets,
            "  FILE, RULE     any file of the results, or rule, that Snakemake knows",
            "",
            "Verbs:",
            "",
            *verbs,
            "",
            "`./run VERB --help` lists options. `--config channel=locked|local` with a target",
            "or setup forces where packages come from: conda-forge, or Debian's Python and wheels.",
        ]
    )


def command(verb: str, here: chosen.UserProject) -> Callable[[Sequence[str]], int]:
    """What runs a verb. Each is imported alone: some need what another one repairs."""
    match verb:
        case "rerun":
            from verbs.rerun import main as run
        case "check":
            from check import main as run
        case "check.pyz":
            from check import pack as run
        case "new":
            from user_project.new import main as run
        case "digest":
            from user_project.digest import main as run
        case "docs":
            from documentation.build import main as run
        case "setup":
            from verbs import prepare

            return partial(prepare.setup, here=here)
        case "lock":
            from conda.lock import main as run
        case "test":
            from verbs.run_tests import main as run
        case "manifest":
            from verbs.manifest import main as run
        case "check-files":
            from verbs.check_files import main as run
        case "compare":
            from earlier.compare import main as run
        case "archive":
            from verbs.archive_command import main as run
        case "export":
            from export.command import main as run
        case "containerfile":
            from verbs.containerfile import main as run
        case "cost":
            from verbs import cost

            return partial(cost.main, here=here)
        case "drift":
            from verbs import drift

            return partial(drift.main, here=here)
        case "clean":
            from verbs.clean import main as run
        case target:
            from verbs import prepare

            return lambda rest: prepare.target([target, *rest], here)
    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
