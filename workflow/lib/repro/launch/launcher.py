"""Launcher: starts a step in a process whose settings come from one table.

Synopsis:
    python code.pyz launch --run repeat --intra 2 --vary 'clock,home' -- train --out …

Hash seed, threads, locale and the like act before Python's first line, so they are set
outside the process that does the work. All runs start here; the original with nothing
varied, a repeat with every factor that is on. `check` lets a step refuse to work otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Required, TypedDict

from repro.core.canonical_json import canonical
from repro.core.digest import sha256_variable
from repro.core.errors import CouldNotRun, UserError
from repro.core.factor_table import STRESS
from repro.launch.command import FACTORS, KEPT, NODE, NotVaried, StepCommand, settings
from repro.launch.isolation import die_with, mounted_below, reason
from repro.launch.stale_state import FRESH
from repro.launch.supervise import busy, signals_held, waited
from repro.launch.variations import BY_PARENT, VARIATIONS, processors, variables
from repro.record.environment_lock import for_life

DIRECTORY = "REPRO_DIRECTORY"
"""The folder that a step's relative paths start from, whatever its working directory is."""

SAID_LAST = "REPRO_SAID_LAST"
"""Set by whoever reads from the logs of several jobs what went wrong, to say it once and last."""

JOBS = "REPRO_JOBS"
"""Names the file from which whoever draws bars on a terminal reads how far jobs are."""

NOTES = "REPRO_NOTES"
"""The number under which a step finds that file open: it may not see the folder."""

RUN = "REPRO_RUN"
"""The name of the run from which the values of factors are drawn."""


def launch(
    run: str,
    intra: int,
    vary: Sequence[str],
    arguments: Sequence[str],
    twice: bool = False,
    passed: Sequence[str] = (),
) -> NoReturn:
    """Starts a step of the same program under the table's settings; returns only by exiting.

    With nothing to vary this process becomes the step. Else the step is a child, and this
    process waits for it and clears away what was made for it.

    Args:
        run: `original`, or the name from which the values of factors are drawn: a repeat's, in a
            trial as well.
        intra: threads within an operation.
        twice: whether the step runs once more among the same folders, in sight of what it left;
            something must be varied then, and the second run's outputs stay.
        passed: environment variables that the step shall see as they are here.

    Raises:
        UserError: a factor that does not exist, or any factor for the original.
    """
    if odd := [name for name in vary if name not in VARIATIONS]:
        raise UserError(
            f"Expected `--vary` to name some of {', '.join(VARIATIONS)}. Received {odd[0]!r}. "
            "Correct it."
        )
    if vary and run == "original":
        raise UserError(
            f"Expected nothing to be varied in the original. Received {', '.join(vary)}. "
            "Leave `--vary` out."
        )
    here = Path.cwd()
    for_life(Path(sys.prefix))
    seen = (*KEPT, SAID_LAST, *passed)
    environment = {name: os.environ[name] for name in seen if name in os.environ}
    environment |= {**settings(intra), RUN: run, DIRECTORY: str(here), **_notes()}
    program, given = Path(sys.argv[0]).absolute(), tuple(arguments)
    start = StepCommand(run, program, given, given, environment, here, here, Path())
    if not vary:
        _become(start)
    raise SystemExit(_supervised(start, vary, twice))


def _notes() -> dict[str, str]:
    """The variable for the file of notes, open; none where nobody draws, or on another machine."""
    try:
        number = os.open(os.environ[JOBS], os.O_WRONLY | os.O_APPEND)
    except (KeyError, OSError):
        return {}
    os.set_inheritable(number, True)
    return {NOTES: str(number)}


def _become(start: StepCommand) -> NoReturn:
    os.chdir(start.directory)  # also where it is the same: something else may lie there now
    command = [sys.executable, str(start.program), *start.arguments]
    os.execve(sys.executable, command, dict(start.environment))


class FactorEntry(TypedDict, total=False):
    """Of one factor: whether it was `varied`, and `how` it was or `why` it was not."""

    factor: Required[str]
    varied: Required[bool]
    how: str
    why: str


def _supervised(start: StepCommand, vary: Sequence[str], twice: bool) -> int:
    parent, entries = os.getpid(), dict[str, FactorEntry]()

    def step() -> NoReturn:
        varied = _varied(start, [name for name in vary if name not in BY_PARENT], entries)
        ordered = [entries[name] for name in VARIATIONS if name in entries]
        die_with(parent)
        varied = varied.having(**{FACTORS: canonical(ordered), FRESH: str(start.fresh)})
        if twice:
            _once(varied)
        _become(varied)

    with signals_held() as before, _fresh(start.run) as fresh:
        start = replace(start, fresh=fresh)
        _varied(start, [name for name in vary if name in BY_PARENT], entries)
        with busy(processors() if STRESS in vary else 0):
            return waited(step, before)


def _varied(
    start: StepCommand, names: Sequence[str], entries: dict[str, FactorEntry]
) -> StepCommand:
    """The start with the factors varied, in the table's order; what was done goes to `entries`."""
    for name in (name for name in VARIATIONS if name in names):
        try:
            start, how = VARIATIONS[name](start)
            entries[name] = {"factor": name, "varied": True, "how": how}
        except (NotVaried, OSError) as error:
            expected = isinstance(error, NotVaried)
            why = str(error) if expected else f"the system says: {reason(error)}"
            entries[name] = {"factor": name, "varied": False, "why": why}
    return start


def _once(start: StepCommand) -> None:
    """Runs the step in a child; ends this process where the step failed."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        die_with(parent)
        _become(start)
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        os._exit(code if code > 0 else 128 - code)


@contextmanager
def _fresh(run: str) -> Generator[Path]:
    """A new folder, removed at the end unless something is mounted in it."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{run}-")).resolve()
    except OSError as error:
        raise CouldNotRun(
            f"Expected to make a folder for temporary files. Received from the system: "
            f"{error.strerror}. Make room, or name another place in TMPDIR, and run again."
        ) from None
    try:
        yield folder
    finally:
        # What the step mounted is gone with it; if not, nothing may be removed through it.
        if not mounted_below(folder):
            shutil.rmtree(folder, ignore_errors=True)


def node() -> dict[str, str]:
    """The node of a cluster that this process runs on, for a manifest; empty where nothing says."""
    return {"node": os.environ[NODE]} if os.environ.get(NODE) else {}


def factors() -> list[FactorEntry]:
    """An entry for each factor, whether varied for this process or not; none in the original.

    Raises:
        UserError: the variable was not set by `launch`.
    """
    text = os.environ.get(FACTORS, "[]")
    try:
        entries = json.loads(text)
        if all(entry["factor"] in VARIATIONS and "varied" in entry for entry in entries):
            return entries
    except (ValueError, KeyError, TypeError):
        pass
    raise _refusal(FACTORS, ["[]"], text)


def varied() -> tuple[str, ...]:
    """The factors that were varied for this process."""
    return tuple(entry["factor"] for entry in factors() if entry["varied"])


def run() -> str:
    """The name from which the values of this process' factors are drawn."""
    return os.environ.get(RUN, "original")


def path(text: str) -> Path:
    """A path from the command line, starting from the folder where the launcher ran."""
    return Path(os.environ.get(DIRECTORY, "")) / text


def check(intra: int, passed: Mapping[str, str] | None = None) -> None:
    """Refuses to work in a process that was not started by `launch` with what is asked for.

    Args:
        intra: threads within an operation.
        passed: the digests of the environment variables that reach the step from the user's shell.

    Raises:
        UserError: a setting is missing or has another value than what was varied explains, or a
            variable of the user's is another than the one that was planned with.
    """
    names = varied()
    wanted: dict[str, Sequence[str]] = {name: [value] for name, value in settings(intra).items()}
    wanted[FACTORS] = [os.environ.get(FACTORS, "[]")]
    for factor in names:
        wanted |= variables(factor, run())
    for name, values in wanted.items():
        if (actual := os.environ.get(name)) not in values:
            raise _refusal(name, values, actual)
    for name, expected in (passed or {}).items():
        if sha256_variable(os.environ.get(name, "")) != expected:
            raise UserError(
                f"Expected the environment variable {name} to have the value with which the jobs "
                f"were planned ({expected}). Received another or none in a job. Let it reach the "
                "jobs as it is in your shell."
            )


def _refusal(name: str, values: Sequence[str], actual: str | None) -> UserError:
    return UserError(
        f"Expected the environment variable {name} to be {' or '.join(map(repr, values))}. "
        f"Received {actual!r}. Start the step through the workflow, which sets it."
    )
