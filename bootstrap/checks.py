"""What ./run test does: linters and tests, each where it belongs, two at once; then a summary.

Synopsis:
    checks.main(["--quick"])        -> 0 or 1
"""

import argparse
import shlex
import subprocess
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import project
import tools

SNAKEMAKE_FILES = ("Snakefile", "workflow/Snakefile", "workflow/rules")
WORKERS = 2  # most stages keep one processor busy
# Of what may run at any time, in this order; the rest is short enough to fill what is left.
LONGEST = (
    "tests/workflow/test_drill.py", "tests/bootstrap", "tests/workflow/test_zoo.py",
    "tests/workflow/test_main_job.py", "tests/workflow/test_edits.py",
)  # fmt: skip


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
        0 if all passed, else 1; as `outcome.of_snakemake` where no environment can be made.

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

    queue = chains(quick=options.quick, pytest=rest)
    with _environments(quick=options.quick) as status:
        if status:
            return status
        with ThreadPoolExecutor(WORKERS) as pool:
            results = [result for chain in pool.map(_run, queue) for result in chain]
    print("\n== summary")
    for name, status, seconds in results:
        print(f"{'passed' if status == 0 else 'FAILED':<8}{name:<28}{seconds:6.1f} s")
    return int(any(status for _, status, _ in results))


@contextmanager
def _environments(*, quick: bool) -> Generator[int]:
    """Those of the tests, and how it went to make them."""
    import channel
    import environments
    import needs
    import outcome

    names = {needs.DEVELOPMENT} if quick else {needs.DEVELOPMENT, needs.DEFAULT}
    targets = ["tests"] if quick else ["tests", "all"]
    renders = channel.renders(channel.ensure(None, anew=False))

    def make() -> int:
        what = [*targets, "--conda-create-envs-only", "--quiet=all"]
        return outcome.of_snakemake(what, project.ROOT)

    with environments.ready(None, names, renders, make) as status:
        yield status


def _run(chain: Sequence[Stage]) -> list[tuple[str, int, float]]:
    """Run stages one after the other, and print what each said when it has ended."""
    results: list[tuple[str, int, float]] = []
    for stage in chain:
        print(f"== {stage.name}: $ {shlex.join(stage.command)}", flush=True)
        start = time.monotonic()
        done = subprocess.run(
            stage.command, cwd=project.ROOT, env=tools.environment(), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        seconds = time.monotonic() - start
        said = done.stdout.decode("utf-8", "replace")
        print(f"\n== {stage.name}, {seconds:.0f} s, said:\n{said}", flush=True)
        results.append((stage.name, done.returncode, seconds))
    return results


def chains(*, quick: bool, pytest: Sequence[str] = ()) -> list[list[Stage]]:
    """Return what to run: a queue from which whoever is free takes the next chain of stages.

    Args:
        quick: without the tests that train, and without those marked slow.
        pytest: further arguments for each pytest.

    Returns:
        Chains, what fails fastest first and then the longest first, so that the workers end at
        about the same time. What is in one chain never runs at once: it shares a log.

    Example:
        >>> chains(quick=True)[0][0].name
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
    keras = [] if quick else [Stage("tests/keras", _in_environment("tests/keras", quick, pytest))]
    tests = [
        Stage("tests/unit", _in_environment("tests/unit", quick, pytest)),
        *keras,
        # How the controls are counted; they themselves run by `./run controls`.
        Stage("tests/irreproducible", _in_environment("tests/irreproducible", True, pytest)),
    ]
    return [lint, tests, *([stage] for stage in _host(quick, pytest))]


def _host(quick: bool, pytest: Sequence[str]) -> list[Stage]:
    """Tests in the Python of the tools, file by file where that is worth it."""
    # Of a part of them a file may have none, which pytest takes for a failure.
    split = not (quick or pytest)
    files = (project.ROOT / "tests" / "workflow").glob("test_*.py")
    workflow = [f"tests/workflow/{file.name}" for file in files] if split else ["tests/workflow"]
    names = sorted(["tests/bootstrap", *workflow], key=lambda name: (_rank(name), name))
    some = ["-m", "not slow"] if quick else []
    return [Stage(name, ("pytest", name, *some, *pytest)) for name in names]


def _rank(name: str) -> int:
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def _in_environment(folder: str, quick: bool, pytest: Sequence[str]) -> tuple[str, ...]:
    """Run pytest where the jobs run: in the locked environment, through Snakemake."""
    # The folder comes last: Snakemake takes a quote at the end of a value away.
    arguments = [*(["-m", "not slow"] if quick else []), *pytest, folder]
    return ("snakemake", "tests", "--config", f"pytest={shlex.join(arguments)}")
