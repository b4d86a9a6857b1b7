"""What ./run test does: linters and tests, each where it belongs, side by side; then a summary.

Synopsis:
    run_tests.main(["--quick"])        -> 0 or 1
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import outcome
import project
import tools
from environments import channel, making, needs

SNAKEMAKE_FILES = ("Snakefile", "workflow/Snakefile", "workflow/rules")
# The longest first, so that the last ones end together.
LONGEST = (
    "tests/workflow/finished",
    "tests/keras (1 of 2)",
    "tests/keras (2 of 2)",
    "tests/bootstrap",
    "tests/scripts",
    "tests/unit",
    "tests/workflow/test_zoo.py",
    "tests/workflow/test_faults.py",
    "tests/workflow/slurm",
)
# Statuses of pytest: all passed, or there was nothing to be run.
_ENDED = {0: "passed", 5: "none"}


@dataclass(frozen=True)
class Stage:
    """One command, what it is called in the summary, and which tests it runs, if any."""

    name: str
    command: tuple[str, ...]
    tests: tuple[str, ...] = ()


def main(argv: Sequence[str]) -> int:
    """Run every stage, print a summary, and return 0 if all passed, else 1.

    Raises:
        UserError: this machine can reach no channel and build none.
    """
    parser = argparse.ArgumentParser(
        prog="./run test",
        description="Runs the linters and the tests. Other options go to pytest.",
    )
    parser.add_argument("--quick", action="store_true", help="leave out whatever takes long")
    options, rest = parser.parse_known_args(argv)

    to_run = stages(quick=options.quick, pytest=rest)
    # One more than there are processors: each stage waits now and then.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        checked = pool.submit(lambda: [_run(stage) for stage in linters()])  # need no environment
        with _environments(quick=options.quick) as status:
            if status:
                return status
            ran = list(pool.map(_run, to_run))
    results = [*checked.result(), *ran]
    print("\n== summary")
    for name, status, seconds in results:
        print(f"{_ENDED.get(status, 'FAILED'):<8}{name:<36}{seconds:6.1f} s")
    return int(any(status not in _ENDED for _, status, _ in results))


@contextmanager
def _environments(*, quick: bool) -> Generator[int]:
    """Those of the tests, and how it went to make them."""
    names = {needs.DEVELOPMENT} if quick else {needs.DEVELOPMENT, needs.DEFAULT}
    targets = ["tests"] if quick else ["tests", "all"]
    renders = channel.renders(channel.ensure(None, anew=False))

    def make() -> int:
        command_line = [*targets, "--conda-create-envs-only", "--quiet=all"]
        return outcome.of_snakemake(command_line, project.ROOT)

    with making.ready(None, names, renders, make) as status:
        yield status


def _run(stage: Stage) -> tuple[str, int, float]:
    """Run a stage, and print its output when it has ended."""
    print(f"== {stage.name}: $ {shlex.join(stage.command)}", flush=True)
    start = time.monotonic()
    done = subprocess.run(
        stage.command, cwd=project.ROOT, env=_variables(), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    seconds = time.monotonic() - start
    output = done.stdout.decode("utf-8", "replace")
    print(f"\n== {stage.name}, {seconds:.0f} s, output:\n{output}", flush=True)
    return stage.name, done.returncode, seconds


def _variables() -> dict[str, str]:
    """Those of a tool, with this Python itself before what only finds it, as pyenv's shims do.

    These take a tenth of a second, and tests call `./run` some hundreds of times.
    """
    variables = tools.environment()
    own = str(Path(sys.base_prefix, "bin"))
    first, *others = variables["PATH"].split(os.pathsep)
    return {**variables, "PATH": os.pathsep.join([first, own, *others])}


def linters() -> list[Stage]:
    """Return what reads the code and the pages without running them."""
    python = str(tools.VENV / "bin" / "python")
    return [
        Stage("ruff", ("ruff", "check", ".")),
        Stage("ruff format", ("ruff", "format", "--check", ".")),
        Stage("snakefmt", ("snakefmt", "--check", *SNAKEMAKE_FILES)),
        Stage("pyright", ("basedpyright", "--level", "error", "--pythonpath", python)),
        Stage("snakemake --lint", ("snakemake", "--lint")),
        Stage("./run docs", (str(project.ROOT / "run"), "docs")),
    ]


def stages(*, quick: bool, pytest: Sequence[str] = ()) -> list[Stage]:
    """Return the tests, in stages that can run side by side, the longest first."""
    found = [
        *(_in_environment(name, quick, pytest) for name in ("tests/unit", "tests/scripts")),
        # Of the negative controls only how they are counted; they themselves run by
        # `./run controls`.
        _in_environment("tests/irreproducible", True, pytest),
        *(() if quick else _halves("tests/keras", pytest)),
        *(_on_host(name, quick, pytest) for name in _host_tests(quick)),
    ]
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    return sorted(found, key=lambda stage: ranks.get(stage.name, len(ranks)))


def _host_tests(quick: bool) -> list[str]:
    """What pytest is called for on the host: where it takes long, file by file."""
    bootstrap, workflow = "tests/bootstrap", "tests/workflow"
    if quick:
        return [bootstrap, workflow]
    folders = (f"{workflow}/{name}" for name in ("finished", "slurm"))
    return [bootstrap, *folders, *_files(workflow)]


def _files(folder: str) -> list[str]:
    return sorted(f"{folder}/{file.name}" for file in (project.ROOT / folder).glob("test_*.py"))


def _on_host(name: str, quick: bool, pytest: Sequence[str]) -> Stage:
    return Stage(name, ("pytest", name, *(["-m", "not slow"] if quick else []), *pytest), (name,))


def _halves(folder: str, pytest: Sequence[str]) -> Iterator[Stage]:
    """Every second file, so that neighbours, which are alike, do not add up."""
    for number in (0, 1):
        name = f"{folder} ({number + 1} of 2)"
        yield _in_environment(name, False, pytest, _files(folder)[number::2])


def _in_environment(
    name: str, quick: bool, pytest: Sequence[str], places: Sequence[str] = ()
) -> Stage:
    """Run pytest where the jobs run: in the locked environment, through Snakemake."""
    places = places or [name]
    # The places come last: Snakemake takes a quote at the end of a value away.
    arguments = [*(["-m", "not slow"] if quick else []), *pytest, *places]
    log = re.sub(r"\W+", "-", name).strip("-")
    # Nothing is made, so nothing needs the lock of the folder, which lets in one at a time.
    command = ("snakemake", "tests", "--nolock", "--config", f"pytest={shlex.join(arguments)}")
    return Stage(name, (*command, f"pytest_log={log}"), tuple(places))
