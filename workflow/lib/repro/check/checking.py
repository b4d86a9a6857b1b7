"""Checking: runs a command as it is and varied, compares, and finds out what a difference needs.

Synopsis:
    checked = check(options, progress)
    checked.answer.sentence, checked.report
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.check.answer import CheckAnswer, CheckFindings, answered
from repro.check.outcome import Reading
from repro.check.patching import patched
from repro.check.progress import Progress, duration
from repro.check.session import BUDGET, CheckOptions, Session
from repro.check.stages import first_runs, searched, watched
from repro.check.varied import not_asked
from repro.contain.folder_copy import FolderCopy
from repro.contain.in_place import InPlace
from repro.contain.overlay import overlay, takes_layers
from repro.contain.place import CommandFolders, Containment
from repro.contain.scratch import scratch
from repro.contain.user_command import UserCommand, user_command
from repro.content.tensor_reader import TensorReader
from repro.core.atomic import sentence_for_system_errors
from repro.core.errors import CouldNotRun
from repro.core.text import counted, times
from repro.launch.isolation import SHARED_MEMORY


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
    with scratch(_places(options, temporary, home)) as ours:
        containment, refusal = _containment(options, folders, ours)
        session = Session(
            options, command, containment, ours, progress, dict(os.environ), home, ends
        )
        python = [command.python or "python3"]
        with TensorReader(python, _without_traces(ours)) as tensors:
            reader = tensors if command.python else None
            reading = Reading(reader, options.rtol, options.ignore)
            _announce(session, refusal)
            findings = explained(session, reading, first_runs(session, reading))
        kept = {**not_asked(session.factors(), options.keep), **session.refused}
        answer, left_out = answered(findings), tuple(containment.left_out)
        return Checked(command, containment.kind, findings, answer, kept, left_out)


def explained(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with what more runs show; where the system refuses one, the answer stands."""
    try:
        for stage in (searched, watched, patched):
            findings = stage(session, reading, findings)
    except (CouldNotRun, OSError) as error:
        session.progress.line(f"No more was found out, and the answer stands. {error}")
        return replace(findings, refused=str(error))
    return findings


def _places(options: CheckOptions, temporary: Path, home: Path | None) -> list[Path]:
    """Where what the runs write may go, the best first."""
    places = [temporary, Path("/var/tmp"), *([home / ".cache"] if home else []), SHARED_MEMORY]
    if options.in_place or not options.overlay:
        return places
    return sorted(places, key=lambda place: not takes_layers(place))


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


def _more(options: CheckOptions) -> str:
    """What runs are for that follow the answer."""
    watching = "to watch its training steps"
    if options.only == "outputs":
        return "find out why"
    if options.only == "steps" or options.in_place:
        return f"find out why, and {watching}"
    return f"find out why, {watching}, and to try out a patch"


def _announce(session: Session, refusal: str | None) -> None:
    options, say = session.options, session.progress.line
    count = counted(len(session.factors()), "factor")
    more = times(options.runs - 1)
    say(
        f"check: `{session.command.shown}` will run {times(options.runs)} for the answer: once as "
        f"it is, and {more} with {count} varied that must not matter; then a few more times to "
        f"{_more(options)}, for at most {duration(options.budget or BUDGET)}."
    )
    caught = {
        "overlay": "What it writes is caught, and your files stay as they are",
        "copy": "It runs in a copy of its folder; what it writes elsewhere is really written",
        "in place": "It runs in its folder, and what it writes stays there",
    }[session.containment.kind]
    why = f" (the system gives no overlay: {refusal})" if refusal else ""
    say(f"{caught}{why}. What it sends elsewhere is sent each time (REPRO_CHECK=1 is set).")
