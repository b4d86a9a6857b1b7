"""What ./run test does: linters and tests, each where it belongs, side by side; then a summary.

Synopsis:
    run_tests.main(["--quick"])        -> 0 or 1
"""

import argparse
import os
import shlex
import subprocess
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import outcome
import project
import tools
from environments import channel, making, needs

SNAKEMAKE_FILES = ("Snakefile", "workflow/Snakefile", "workflow/rules")
# What would keep one processor busy at the end, if it came last.
LONGEST = tuple(
    f"tests/workflow/{name}" for name in ("finished", "test_zoo.py", "test_statuses.py")
)
# Statuses of pytest: all passed, or there was nothing to be run.
_ENDED = {0: "passed", 5: "none"}


@dataclass(frozen=True)
class Stage:
    """One command, and what it is called in the summary."""

    name: str
    command: tuple[str, ...]


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

    stages = chains(quick=options.quick, pytest=rest)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        checked = pool.submit(_run, linters())  # which need no environment
        with _environments(quick=options.quick) as status:
            if status:
                return status
            ran = list(pool.map(_run, stages))
    results = [result for chain in (checked.result(), *ran) for result in chain]
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


def _run(chain: Sequence[Stage]) -> list[tuple[str, int, float]]:
    """Run stages one after the other, and print the output of each when it has ended."""
    results: list[tuple[str, int, float]] = []
    for stage in chain:
        print(f"== {stage.name}: $ {shlex.join(stage.command)}", flush=True)
        start = time.monotonic()
        done = subprocess.run(
            stage.command, cwd=project.ROOT, env=tools.environment(), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        seconds = time.monotonic() - start
        output = done.stdout.decode("utf-8", "replace")
        print(f"\n== {stage.name}, {seconds:.0f} s, output:\n{output}", flush=True)
        results.append((stage.name, done.returncode, seconds))
    return results


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


def chains(*, quick: bool, pytest: Sequence[str] = ()) -> list[list[Stage]]:
    """Return the tests, in chains of which as many run at once as there are processors.

    The longest come first, so that the last ones end together.
    """
    in_environment = ["tests/unit", "tests/irreproducible", "tests/scripts"]
    in_environment += [] if quick else ["tests/keras"]
    # Of the negative controls only how they are counted; they themselves run by `./run controls`.
    always_quick = {"tests/irreproducible": True}
    tests = [
        Stage(n, _in_environment(n, always_quick.get(n, quick), pytest)) for n in in_environment
    ]
    chosen = ["-m", "not slow"] if quick else []
    host = [Stage(name, ("pytest", name, *chosen, *pytest)) for name in _host_tests(quick)]
    return [tests, *([stage] for stage in host)]


def _host_tests(quick: bool) -> list[str]:
    """What pytest is called for on the host: where it takes long, file by file."""
    bootstrap, workflow = "tests/bootstrap", "tests/workflow"
    if quick:
        return [bootstrap, workflow]
    files = sorted((project.ROOT / workflow).glob("test_*.py"))
    rest = [f"{workflow}/{file.name}" for file in files]
    return [*LONGEST, bootstrap, *(name for name in rest if name not in LONGEST)]


def _in_environment(folder: str, quick: bool, pytest: Sequence[str]) -> tuple[str, ...]:
    """Run pytest where the jobs run: in the locked environment, through Snakemake."""
    # The folder comes last: Snakemake takes a quote at the end of a value away.
    arguments = [*(["-m", "not slow"] if quick else []), *pytest, folder]
    return ("snakemake", "tests", "--config", f"pytest={shlex.join(arguments)}")
