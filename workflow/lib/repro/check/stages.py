"""Stages: the runs of a check: for the answer, to find out why, and watched step by step.

Synopsis:
    findings = searched(session, reading, first_runs(session, reading))
    findings = watched(session, reading, findings)
"""

from __future__ import annotations

import errno
import os
import subprocess
import time
from dataclasses import replace

from repro.check.answer import CheckFindings, first_answer
from repro.check.one_run import RunResult, Watched
from repro.check.outcome import Outcome, Reading, side_by_side
from repro.check.progress import duration
from repro.check.session import BUDGET, Session
from repro.check.watched_steps import UNEQUAL, step_findings, suspects, training
from repro.contain.user_command import UserCommand
from repro.core.errors import UserError
from repro.repair.factor_search import search

_CROSSING = os.strerror(errno.EXDEV).encode()
_PATIENCE = 60.0  # seconds for a Python to answer
LONGEST = 12
"""So many of the last lines of a script that failed are shown."""


class ScriptFailed(UserError):
    """The command fails by itself: what it said is shown."""


def first_runs(session: Session, reading: Reading) -> CheckFindings:
    options, command = session.options, session.command.shown
    first = session.run("run 1", f"run 1 of {options.runs}, as it is", (), "check-1")
    if first.stopped:
        return CheckFindings(command, (first,), (), options.rtol)
    if not first.well:
        raise _failed(session, first)
    session.seconds = first.seconds
    reading.expect(first)
    left = duration(first.seconds * (options.runs - 1))
    session.progress.line(f"Run 1 took {duration(first.seconds)}; about {left} more to the answer.")
    runs, outcomes = [first], list[Outcome]()
    session.time_is_left("for the answer", options.runs - 1)
    for number in range(2, options.runs + 1):
        what = f"run {number} of {options.runs}, varied"
        runs.append(_varied_run(session, number, what))
        if runs[-1].stopped:  # by us: what it had written by then says nothing
            break
        outcomes.append(side_by_side(first, runs[-1], reading))
        if not outcomes[-1].same:
            break
    return CheckFindings(command, tuple(runs), tuple(outcomes), options.rtol)


def _varied_run(session: Session, number: int, what: str) -> RunResult:
    """A run with all factors varied; without another path of the folder where that hinders it."""
    result = session.run(f"run {number}", what, session.factors(), f"check-{number}")
    if result.well or _CROSSING not in result.stderr.read_bytes():
        return result
    session.refused["working directory"] = (
        "the command links or renames files between its folder and others by absolute paths"
    )
    return session.run(f"run {number} again", what, session.factors(), f"check-{number}")


def _failed(session: Session, run: RunResult) -> ScriptFailed:
    lines = run.stderr.read_bytes()[-20_000:].decode("utf-8", "replace").splitlines()
    lines = lines or run.stdout.read_bytes()[-20_000:].decode("utf-8", "replace").splitlines()
    for line in lines[-LONGEST:]:
        session.progress.line(f"    {line}")
    said = "It said what stands above." if lines else "It said nothing."
    hint = ""
    if session.containment.kind == "copy":
        hint = ", or say `--in-place` if it cannot run in a copy of its folder"
    return ScriptFailed(
        f"Expected `{session.command.shown}` to end well when it runs as it is. Received exit "
        f"status {run.status}. {said} Mend that first{hint}."
    )


def searched(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with what a difference needs: nothing, or a factor."""
    decisive = findings.decisive
    if decisive is None or findings.runs[-1].stopped:
        return findings
    session.progress.answer(first_answer(findings).sentence)
    session.ends = session.ends or time.monotonic() + BUDGET
    if decisive.same:
        return findings
    first, last = findings.runs[0], findings.runs[-1]
    draw = f"check-{len(findings.runs)}"
    tries = 0

    def differs(factors: tuple[str, ...]) -> bool | None:
        nonlocal tries
        if not session.time_is_left("to find out why"):
            return None
        tries += 1
        what = f"why, run {tries}: {', '.join(factors) or 'nothing'} varied"
        run = session.run(f"why {tries}", what, factors, draw if factors else "check-1")
        if run.stopped:
            return None
        if decisive.failed:
            return not run.well
        return not side_by_side(first, run, reading).same

    found = replace(findings, finding=search(list(last.varied), differs))
    session.progress.known = first_answer(found).sentence
    return found


def watched(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with what two more runs show that are watched step by step."""
    usable = findings.decisive is not None and not findings.runs[-1].stopped
    if session.options.only == "outputs" or not usable or not _may_train(session.command):
        return findings
    if (pair := _watched_runs(session, findings)) is None:
        return replace(findings, late=True)
    if not pair:
        return findings
    plain, other = pair
    first, found, early = findings.runs[0], findings.finding, session.options.steps is not None
    repeats = found is None or found.nondeterministic is False
    void = repeats and not early and not side_by_side(first, plain, reading).same
    outcome = side_by_side(plain, other, reading)

    def with_steps(findings: CheckFindings) -> CheckFindings:
        steps = step_findings(
            plain,
            other,
            UNEQUAL if void else None,
            suspects(findings.finding),
            outputs_differ=not outcome.same,
        )
        return replace(findings, steps=steps)

    if found is not None or void or early or outcome.same:
        return with_steps(findings)
    # It was varied in other ways than the runs before, and shows what they did not.
    runs, outcomes = (*findings.runs, other), (*findings.outcomes, outcome)
    return with_steps(searched(session, reading, replace(findings, runs=runs, outcomes=outcomes)))


def _may_train(command: UserCommand) -> bool:
    """Whether a Python runs the command that has a TensorFlow; in doubt it may."""
    if command.python is None or not command.python_runs_it:
        return False
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('tensorflow') is None)"
    asked = [command.python, "-c", code]
    try:
        done = subprocess.run(
            asked, cwd=command.folder, capture_output=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode != 1


def _watched_runs(
    session: Session, findings: CheckFindings
) -> tuple[RunResult, RunResult] | tuple[()] | None:
    """A run as it is and one that should differ, both watched.

    None where no time was left for them, nothing where no training was seen.
    """
    found, number = findings.finding, len(findings.runs)
    # Where nothing has differed yet, all is varied in yet other ways.
    draw = f"check-{number + 1}" if found is None else f"check-{number}"
    wanted = session.factors() if found is None else found.factors
    watching = Watched(events=True, steps=session.options.steps)
    if watching.steps is None and not session.time_is_left("to watch it step by step", 2):
        return None
    results: list[RunResult] = []
    for name, factors in (("watched run 1", ()), ("watched run 2", wanted)):
        if not session.time_is_left("to watch it step by step"):
            return None
        what = f"{name} of 2, for its steps"
        drawn = draw if factors else "check-1"
        results.append(session.run(name, what, factors, drawn, watching))
        if results[-1].stopped:
            return None
        if not training(results[0]):
            return ()
    return results[0], results[1]
