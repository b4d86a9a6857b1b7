"""Checking: runs a command as it is and varied, compares, and finds out what a difference needs.

Synopsis:
    checked = check(options, progress)
    checked.answer.sentence, checked.report
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.check.answer import CheckAnswer, CheckFindings, answered, first_answer
from repro.check.factor_search import search
from repro.check.one_run import RunResult, Watched
from repro.check.options import BUDGET, CheckOptions
from repro.check.outcome import Outcome, Reading, side_by_side
from repro.check.progress import Progress, duration
from repro.check.session import Session
from repro.check.varied import not_asked
from repro.check.watched_steps import UNEQUAL, step_findings, training
from repro.contain.folder_copy import FolderCopy
from repro.contain.in_place import InPlace
from repro.contain.overlay import overlay
from repro.contain.place import CommandFolders, Containment
from repro.contain.scratch import scratch
from repro.contain.user_command import UserCommand, user_command
from repro.content.tensor_reader import TensorReader
from repro.core.atomic import sentence_for_system_errors
from repro.core.errors import UserError
from repro.core.text import counted, times

_CROSSING = os.strerror(errno.EXDEV).encode()
LONGEST = 12
"""So many of the last lines of a script that failed are shown."""


class ScriptFailed(UserError):
    """The command fails by itself: what it said is shown."""


@dataclass(frozen=True)
class Checked:
    """A check that came to its end."""

    command: UserCommand
    containment: str
    findings: CheckFindings
    answer: CheckAnswer
    not_varied: Mapping[str, str]
    left_out: tuple[str, ...]


def check(options: CheckOptions, progress: Progress) -> Checked:
    """Runs a command at least twice, and answers.

    Raises:
        UserError: there is no such command, it fails by itself, or its folder is too large to copy.
        CouldNotRun: the system refused.
    """
    folder = Path.cwd()
    _check_writable(options.out)
    command = user_command(options.words, folder)
    home = Path(os.environ["HOME"]).resolve() if os.environ.get("HOME") else None
    temporary = Path(tempfile.gettempdir()).resolve()
    beside = command.script.resolve().parent if command.script and command.script.exists() else None
    folders = CommandFolders(folder.resolve(), beside, home, temporary, options.out.resolve())
    ends = None if options.budget is None else time.monotonic() + options.budget
    with scratch([temporary, Path("/var/tmp"), *([home / ".cache"] if home else [])]) as ours:
        containment, refusal = _containment(options, folders, ours)
        session = Session(
            options, command, containment, ours, progress, dict(os.environ), home, ends
        )
        python = [command.python or "python3"]
        with TensorReader(python, _without_traces(ours)) as tensors:
            reader = tensors if command.python else None
            reading = Reading(reader, options.rtol, options.ignore)
            _announce(session, refusal)
            findings = _searched(session, reading, _first_answer(session, reading))
            findings = _watched(session, reading, findings)
        kept = {**not_asked(session.factors(), options.keep), **session.refused}
        answer, left_out = answered(findings), tuple(containment.left_out)
        return Checked(command, containment.kind, findings, answer, kept, left_out)


def _without_traces(ours: Path) -> dict[str, str]:
    """The user's environment, in which reading tensors leaves nothing in the user's own folders."""
    own = {"KERAS_HOME": str(ours / "keras"), "MPLCONFIGDIR": str(ours / "matplotlib")}
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"}


def _check_writable(out: Path) -> None:
    """Finds out, before anything runs, whether a report can be written; leaves nothing there.

    Raises:
        CouldNotRun: it cannot.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    with sentence_for_system_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
        for folder in missing:
            folder.rmdir()


def _containment(
    options: CheckOptions, folders: CommandFolders, ours: Path
) -> tuple[Containment, str | None]:
    """The best way to catch what is written, and why it is not an overlay."""
    if options.in_place:
        return InPlace(folders, ours), None
    if not options.overlay:
        return FolderCopy(folders, ours), None
    made = overlay(folders, ours)
    return (FolderCopy(folders, ours), made) if isinstance(made, str) else (made, None)


def _announce(session: Session, refusal: str | None) -> None:
    options, say = session.options, session.progress.line
    count = counted(len(session.factors()), "circumstance")
    more = times(options.runs - 1)
    say(
        f"check: `{session.command.shown}` will run {times(options.runs)} for the answer: once as "
        f"it is, and {more} with {count} changed that must not matter; then a few more times to "
        f"find out why, and to watch its training steps, for at most "
        f"{duration(options.budget or BUDGET)}."
    )
    caught = {
        "overlay": "What it writes is caught, and your files stay as they are",
        "copy": "It runs in a copy of its folder; what it writes elsewhere is really written",
        "in place": "It runs in its folder, and what it writes stays there",
    }[session.containment.kind]
    why = f" (the system gives no overlay: {refusal})" if refusal else ""
    say(f"{caught}{why}. What it sends elsewhere is sent each time (REPRO_CHECK=1 is set).")


def _first_answer(session: Session, reading: Reading) -> CheckFindings:
    options, command = session.options, session.command.shown
    first = session.run("run 1", f"run 1 of {options.runs}, as it is", (), "check-1")
    if first.stopped:
        return CheckFindings(command, (first,), (), options.rtol)
    if not first.well:
        raise _failed(session, first)
    session.seconds = first.seconds
    left = duration(first.seconds * (options.runs - 1))
    session.progress.line(f"Run 1 took {duration(first.seconds)}; about {left} more to the answer.")
    runs, outcomes = [first], list[Outcome]()
    for number in range(2, options.runs + 1):
        what = f"run {number} of {options.runs}, varied"
        runs.append(_varied_run(session, number, what))
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


def _searched(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with what a difference needs: nothing, or a factor."""
    decisive = findings.decisive
    if decisive is None or findings.runs[-1].stopped:
        return findings
    session.progress.line(first_answer(findings).sentence)
    session.ends = session.ends or time.monotonic() + BUDGET
    if decisive.same:
        return findings
    first, last = findings.runs[0], findings.runs[-1]
    draw = f"check-{len(findings.runs)}"
    tries = 0

    def differs(factors: tuple[str, ...]) -> bool | None:
        nonlocal tries
        if not session.time_is_left():
            return None
        tries += 1
        what = f"why, run {tries}: {', '.join(factors) or 'nothing'} varied"
        run = session.run(f"why {tries}", what, factors, draw if factors else "check-1")
        if run.stopped:
            return None
        if decisive.failed:
            return not run.well
        return not side_by_side(first, run, reading).same

    return replace(findings, finding=search(list(last.varied), differs))


def _watched(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with what two more runs show that are watched step by step."""
    usable = findings.decisive is not None and not findings.runs[-1].stopped
    if session.options.only_outputs or not usable or not session.command.python_runs_it:
        return findings
    steps = session.options.steps
    vary, found = findings.runs[-1].varied, findings.finding
    wanted = tuple(vary) if found is None else found.factors
    results: list[RunResult] = []
    for name, factors in (("steps 1", ()), ("steps 2", wanted)):
        if not session.time_is_left():
            return findings
        draw = f"check-{len(findings.runs)}" if factors else "check-1"
        what = f"watching its steps, run {name[-1]} of 2"
        results.append(session.run(name, what, factors, draw, Watched(events=True, steps=steps)))
        if results[-1].stopped or not training(results[0]):
            return findings
    repeats = found is None or found.nondeterministic is False
    outputs = side_by_side(findings.runs[0], results[0], reading) if repeats and not steps else None
    void = UNEQUAL if outputs is not None and not outputs.same else None
    differ = not side_by_side(results[0], results[1], reading).same
    found_steps = step_findings(results[0], results[1], void, outputs_differ=differ)
    return replace(findings, steps=found_steps)
