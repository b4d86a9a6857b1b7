"""Scripts: runs `check` over scripts as users write them, and counts what it found.

Synopsis:
    python tests/scripts/scripts.py [--program check.pyz] [--python PYTHON] [--only NAME ...]
        [--six] [--further 10] [--jobs 1] [--folder FOLDER]

Runs each script with its fault and without, prints a table, then how many faults were found, how
many with the right step and line, how many clean scripts gave a false alarm, how many patches were
verified, and how many of those that were shown did not hold in further runs, each with its exact
95 % interval, and how long it took. The exit status is 0 only where every goal is reached.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bootstrap"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import command_line
import project  # it makes the library importable
import twins
import users_python
from outcomes import Answer, Outcome, Report, figures, judged, patch_figures, table, times
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.data.module_loader import module
from table import Case, Kind, Twin, chosen, six

LIMIT = 900  # seconds for one run of `check`
FURTHER = 10  # runs of each script with the patch that was shown for it
FACTORS = {"PYTHONHASHSEED": "hash seed", "TZ": "time zone", "LC_ALL": "locale"}
ANSWERS = (b"The same", b"Not the same", b"Undecided")  # how its answers begin


def answered(
    program: Path,
    python: str,
    place: twins.Place,
    limit: float = LIMIT,
    options: Sequence[str] = (),
    further: int = 0,
) -> Answer:
    """Runs `check` on a script.

    Args:
        program: `check.pyz`.
        python: the Python of the script.
        place: where the script is; `check` leaves its report there, and the output in
            `check.log` beside the folder.
        limit: how many seconds it may take.
        options: more options of `check`.
        further: so many further runs of the script with the patch, if one was shown.

    Returns:
        Its answer.
    """
    command = [sys.executable, str(program), *options, "--", python, place.script]
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=place.folder, env=place.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    with (
        (place.folder.parent / "check.log").open("wb") as log,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(_logged, process, log)
        status: int | None = None
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(limit)
        seconds = time.monotonic() - began
        with suppress(ProcessLookupError):  # what it may have left, and itself if it is late
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        answer = first.result()
    report = _report(place.folder / "check" / "report.json")
    shown = report["patch"] if report else None
    holds = None
    if further and shown and shown["changes"]:
        holds = _holds(program, python, place, shown["variables"], further)
    return Answer(status, report, seconds, answer and answer - began, holds)


def _holds(
    program: Path, python: str, place: twins.Place, variables: Mapping[str, str], further: int
) -> bool:
    """Whether the patched script gives the same in so many further runs, all varied."""
    patched = twins.patched(place, variables)
    kept = [option for name in variables for option in ("--keep", FACTORS[name])]
    options = ["--only", "outputs", "--runs", str(further + 1), "--budget", "1h", *kept]
    again = answered(program, python, patched, LIMIT * further, options)
    return not again.fault and again.report is not None and again.report["answer"] == "same"


def _logged(process: subprocess.Popen[bytes], log: BinaryIO) -> float | None:
    """Writes down what a process prints; the moment at which it answers first."""
    answer: float | None = None
    assert process.stdout
    with process.stdout as lines:
        for line in lines:
            log.write(line)
            log.flush()
            if answer is None and line.startswith(ANSWERS):
                answer = time.monotonic()
    return answer


def _report(file: Path) -> Report | None:
    """What `check` wrote; None where there is nothing, or something that is no report."""
    try:
        return checked(json.loads(file.read_text("utf-8")), "check", str(file))
    except (OSError, ValueError, UserError) as error:
        print(error, file=sys.stderr)
        return None


def packed(folder: Path) -> Path:
    """Makes `check.pyz` of the source that is here.

    Returns:
        Its path.
    """
    pack = module("pack", project.ROOT / "workflow" / "scripts" / "pack.py")
    program = folder / "check.pyz"
    program.write_bytes(pack.packed(pack.members_of_check()))
    return program


def outcome(
    program: Path,
    python: str,
    case: Case,
    folder: Path,
    options: Sequence[str] = (),
    further: int = 0,
) -> Outcome:
    """Runs `check` on those twins of a script that are asked for.

    Args:
        program: `check.pyz`.
        python: the Python of the script.
        case: the script.
        folder: a folder that may be filled.
        options: more options of `check`.
        further: runs of each script with the patch that was shown for it.
    """
    answers: dict[Twin, Answer] = {}
    for twin in Twin:
        if twin in case.twins and (twin is Twin.CLEAN or case.kind is not Kind.NONE):
            mended = twin is Twin.CLEAN
            place = twins.make(case, folder / case.name / twin.value, mended=mended)
            answers[twin] = answered(program, python, place, LIMIT, options, further)
    found = judged(case, answers.get(Twin.FAULTY), answers.get(Twin.CLEAN))
    print(f"{case.name}: {found.said}; clean: {found.clean}", file=sys.stderr, flush=True)
    return found


def run_all(
    cases: Sequence[Case],
    program: Path,
    python: str,
    folder: Path,
    jobs: int,
    options: Sequence[str] = (),
    further: int = 0,
) -> list[Outcome]:
    """Runs `check` over scripts, so many at once; the arguments are those of `outcome`."""

    def one(case: Case) -> Outcome:
        return outcome(program, python, case, folder, options, further)

    with ThreadPoolExecutor(jobs) as pool:
        return [*pool.map(one, cases)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the scripts and prints the figures.

    Args:
        arguments: the command line; by default that of the process.

    Returns:
        0 where every goal is reached, else 1.
    """
    parser = command_line.parser("scripts.py", "Runs `check` over scripts.", jobs=1)
    parser.add_argument("--program", type=Path, help="check.pyz; by default it is made")
    parser.add_argument("--python", help="the Python of the scripts; by default one is made")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these")
    which.add_argument("--six", action="store_true", help="one twin of each that CI runs")
    parser.add_argument(
        "--further", type=int, default=None, metavar="N",
        help=f"runs of each script with the patch that was shown ({FURTHER}; 0 with --six)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    further = options.further if options.further is not None else FURTHER * (not options.six)
    cases = six() if options.six else chosen(options.only)
    python = options.python or str(users_python.ensured())
    with command_line.working_folder(options.folder, "scripts-") as folder:
        program = options.program.resolve() if options.program else packed(folder)
        outcomes = run_all(cases, program, python, folder, options.jobs, further=further)
    counts = [*figures(outcomes), *patch_figures(outcomes, further), times(outcomes)]
    return command_line.printed(table(outcomes), counts)


if __name__ == "__main__":
    sys.exit(main())
