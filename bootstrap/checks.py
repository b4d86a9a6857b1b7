"""What ./run test does: linters, then the tests, each where it belongs, then a summary.

Synopsis:
    checks.main(["--quick"])        -> 0 or 1
"""

import argparse
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import project
import tools

SNAKEMAKE_FILES = ("Snakefile", "workflow/Snakefile", "workflow/rules")
HOST_TESTS = ("tests/bootstrap", "tests/workflow")


@dataclass(frozen=True)
class Stage:
    """One command, and what it is called in the summary."""

    name: str
    command: tuple[str, ...]


def main(argv: Sequence[str]) -> int:
    """Run every stage, print a summary, and say whether all of them passed.

    Args:
        argv: ``--quick``, and arguments for each pytest.

    Returns:
        0 if all passed, else 1.

    Raises:
        UserError: this machine can reach no channel and build none.

    Example:
        >>> main(["--quick"])
        0
    """
    parser = argparse.ArgumentParser(
        prog="./run test",
        description="Runs the linters and the tests. Other options go to pytest.",
    )
    parser.add_argument("--quick", action="store_true", help="leave out whatever takes long")
    options, rest = parser.parse_known_args(argv)

    import prepare

    prepare.prepare(None, anew=False)
    results: list[tuple[str, int, float]] = []
    for stage in stages(quick=options.quick, pytest=rest):
        print(f"\n== {stage.name}: $ {shlex.join(stage.command)}", flush=True)
        start = time.monotonic()
        done = subprocess.run(stage.command, cwd=project.ROOT, env=tools.environment(), check=False)
        results.append((stage.name, done.returncode, time.monotonic() - start))
    print("\n== summary")
    for name, status, seconds in results:
        print(f"{'passed' if status == 0 else 'FAILED':<8}{name:<28}{seconds:6.1f} s")
    return int(any(status for _, status, _ in results))


def stages(*, quick: bool, pytest: Sequence[str] = ()) -> list[Stage]:
    """Return what to run, in order: what fails fastest comes first.

    Args:
        quick: without the tests that train, and without those marked slow.
        pytest: further arguments for each pytest.

    Example:
        >>> stages(quick=True)[0].name
        'ruff'
    """
    python = str(tools.VENV / "bin" / "python")
    lint = [
        Stage("ruff", ("ruff", "check", ".")),
        Stage("ruff format", ("ruff", "format", "--check", ".")),
        Stage("snakefmt", ("snakefmt", "--check", *SNAKEMAKE_FILES)),
        Stage("pyright", ("basedpyright", "--level", "error", "--pythonpath", python)),
        Stage("snakemake --lint", ("snakemake", "--lint")),
    ]
    host = ["pytest", *HOST_TESTS, *(["-m", "not slow"] if quick else []), *pytest]
    tests = [
        Stage("tests/unit", _in_environment("tests/unit", quick, pytest)),
        # How the controls are counted; they themselves run by `./run controls`.
        Stage("tests/irreproducible", _in_environment("tests/irreproducible", True, pytest)),
    ]
    if not quick:
        tests.append(Stage("tests/keras", _in_environment("tests/keras", quick, pytest)))
    tests.append(Stage(" ".join(HOST_TESTS), tuple(host)))
    return [*lint, *tests]


def _in_environment(folder: str, quick: bool, pytest: Sequence[str]) -> tuple[str, ...]:
    """Run pytest where the jobs run: in the locked environment, through Snakemake."""
    # The folder comes last: Snakemake takes a quote at the end of a value away.
    arguments = [*(["-m", "not slow"] if quick else []), *pytest, folder]
    return ("snakemake", "tests", "--config", f"pytest={shlex.join(arguments)}")
