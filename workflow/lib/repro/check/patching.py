"""Patching: changes of the script are tried, in copies of it, until its runs agree, and once more.

Synopsis:
    findings = patched(session, reading, findings)
    findings.patch                     # None where nothing was tried
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from repro.check.answer import NOT_SAME, SAME, CheckFindings, first_answer
from repro.check.one_run import RunResult, Watched
from repro.check.outcome import Reading, side_by_side
from repro.check.progress import duration
from repro.check.session import Session
from repro.check.varied import Change
from repro.check.watched_steps import step_findings, suspects
from repro.contain.user_command import UserCommand
from repro.divergence.recorded import read
from repro.ledger.blamed import LedgerCall
from repro.repair.patch import TriedPatch, before_change, changed_files, diff_of, variables_of
from repro.repair.patch_search import FEWEST, Attempt, Remedies, runs_needed, search
from repro.repair.remedies import SILENT, DifferenceCause, Remedy, Sources, candidates

_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")
_PURPOSE = "to try a patch"
_FIXING = {"PYTHONHASHSEED": "hash seed", "TZ": "time zone", "LC_ALL": "locale"}
"""By the variable that is set before the start, the factor that then is not varied."""


def patched(session: Session, reading: Reading, findings: CheckFindings) -> CheckFindings:
    """The same, with the smallest change of the script that was found to make its runs agree."""
    answer = _answer(session, findings)
    trials = _Trials(session, reading, findings)
    if answer == NOT_SAME:
        return _agreeing(trials)
    return _without_silent_errors(trials) if answer == SAME else findings


def _answer(session: Session, findings: CheckFindings) -> str | None:
    """The answer, where it is known how the steps went, and the script may be changed in a copy."""
    steps, outcome = findings.steps, findings.decisive
    if session.options.only or session.containment.kind == "in place":
        return None
    if steps is None or steps.void or outcome is None or outcome.failed:
        return None
    return first_answer(findings).word


def _agreeing(trials: _Trials) -> CheckFindings:
    """With the smallest change under which the runs agree."""
    findings = trials.findings
    first = findings.steps.compared.divergence if findings.steps else None
    blamed = first.call if first else None
    if not trials.candidates(blamed, 1):
        return replace(findings, patch=TriedPatch((), left=blamed))
    trials.announce("until its runs agree")
    found = search(first, trials.candidates, trials.attempt)
    left = found.left.call if found.left else None
    nothing = TriedPatch(
        (), tried=found.tried, complete=found.complete, left=left, helped=found.helped
    )
    if not found.remedies:
        return replace(findings, patch=nothing)
    needed = _needed(findings)
    agreed = trials.agreed(found.remedies, needed)
    if agreed is None:
        return replace(findings, patch=nothing)
    made = TriedPatch(
        found.remedies, diff_of(found.remedies, trials.sources), variables_of(found.remedies),
        agreed, needed, found.tried, found.complete,
        tuple(dict.fromkeys(error.source for error in found.spoiled)),
    )  # fmt: skip
    return replace(findings, patch=made)


def _without_silent_errors(trials: _Trials) -> CheckFindings:
    """With a change after which both runs still agree, and no longer in what is wrong."""
    findings = trials.findings
    errors = [each for each in findings.steps.silent if each.name in SILENT and each.file
              ] if findings.steps else []  # fmt: skip
    kept: Remedies = ()
    left: LedgerCall | None = None
    for error in errors:
        call = LedgerCall(error.name, "", error.file or "", error.line or 0)
        offered = trials.candidates(call, 1 + sum(remedy.seeds for remedy in kept))
        if offered and not trials.number:
            trials.announce("until the warning is gone")
        mending = (each for each in offered if trials.mends((*kept, each), error.name))
        if (remedy := next(mending, None)) is not None:
            kept = (*kept, remedy)
        else:
            left = left or call
    made = TriedPatch((), tried=trials.number, complete=not trials.late, left=left)
    agreed = trials.agreed(kept, FEWEST) if kept else None
    if agreed is not None:
        diff, variables = diff_of(kept, trials.sources), variables_of(kept)
        made = replace(
            made, remedies=kept, diff=diff, variables=variables, agreed=agreed, needed=FEWEST
        )
    return replace(findings, patch=made) if errors else findings


def _needed(findings: CheckFindings) -> int:
    found = findings.finding
    differing = sum(not outcome.same for outcome in findings.outcomes)
    made = len(findings.outcomes)
    if found and found.nondeterministic:
        differing, made = differing + found.unvaried, made + found.runs
    return runs_needed(max(1, differing), made)


@dataclass
class _Trials:
    """The runs of the changed script; `number`: how many changes were run; `late`: whether no time
    was left for one."""

    session: Session
    reading: Reading
    findings: CheckFindings
    number: int = 0
    late: bool = False
    plain: dict[Remedies, RunResult] = field(default_factory=dict[Remedies, RunResult])
    """The runs as it is of each changed script whose runs agreed."""

    @cached_property
    def sources(self) -> Sources:
        """The user's files."""
        command = self.session.command
        return Sources(lambda name: _read(command.folder, name), _main(command))

    @cached_property
    def _steps(self) -> int | None:
        return _steps_of_an_epoch(self.findings.steps.events if self.findings.steps else None)

    def announce(self, until: str) -> None:
        """Says what follows, and how long each attempt takes."""
        self.session.progress.line(
            f"Changes of the script are tried in copies of it, {until}; each takes about "
            f"{duration(2 * (self.session.seconds or 0))}."
        )

    def candidates(self, call: LedgerCall | None, seed: int) -> list[Remedy]:
        """What may mend a difference to which a call leads."""
        found = self.findings.finding
        case = DifferenceCause(
            call,
            found.nondeterministic if found else None,
            found.factors if found else (),
            os.cpu_count() or 1,
            self.session.given,
            self._steps,
        )
        return candidates(case, self.sources, seed)

    def attempt(self, remedies: Remedies) -> Attempt | None:
        """Runs the changed script as it is and varied, both watched."""
        try:
            change = self._change(remedies)
        except ValueError:
            return Attempt(same=False, failed=True)
        if not self.session.time_is_left(_PURPOSE, 2):
            return None
        self.number += 1
        what = "; ".join(remedy.words for remedy in remedies)
        plain = self._run(f"patch {self.number}", what, change, (), "check-1", watch=True)
        if plain.stopped:
            return None
        if not plain.well:
            return Attempt(same=False, failed=True)
        draw = f"check-{len(self.findings.runs)}"
        factors = self._factors(change)
        varied = self._run(f"patch {self.number} varied", what, change, factors, draw, watch=True)
        if varied.stopped:
            return None
        if not varied.well:
            return Attempt(same=False, failed=True)
        return self._compared(remedies, plain, varied)

    def mends(self, remedies: Remedies, error: str) -> bool:
        """Whether runs still agree with a change, and a silent error is gone with no other new."""
        tried = None if self.late else self.attempt(remedies)
        self.late = tried is None
        return bool(tried and tried.same and not tried.spoiled and error not in tried.silent)

    def _compared(self, remedies: Remedies, plain: RunResult, varied: RunResult) -> Attempt:
        same = side_by_side(plain, varied, self.reading).same
        suspected = suspects(self.findings.finding)
        steps = step_findings(plain, varied, None, suspected, outputs_differ=not same)
        first = steps.compared.divergence
        if first and first.call:
            first = replace(first, call=before_change(first.call, remedies, self.sources))
        if same and first is None:
            self.plain[remedies] = plain
        before = {error.name for error in self.findings.steps.silent} if self.findings.steps else ()
        spoiled = [
            before_change(
                LedgerCall(error.name, "", error.file or "", error.line or 0),
                remedies,
                self.sources,
            )
            for error in steps.silent
            if error.name not in before
        ]
        silent = tuple(error.name for error in steps.silent)
        return Attempt(same and first is None, False, first, tuple(spoiled), silent)

    def agreed(self, remedies: Remedies, needed: int) -> int | None:
        """How many varied runs agree with the plain one, up to `needed`; None where one does not.

        One did in the search.
        """
        change = self._change(remedies)
        for number in range(2, needed + 1):
            if not self.session.time_is_left(_PURPOSE):
                return number - 1
            what = f"the patched script, run {number} of {needed}, varied"
            name, draw = f"patched {number}", f"patch-{number}"
            run = self._run(name, what, change, self._factors(change), draw, watch=False)
            if run.stopped:
                return number - 1
            if not side_by_side(self.plain[remedies], run, self.reading).same:
                return None
        return needed

    def _change(self, remedies: Remedies) -> Change:
        return Change(changed_files(remedies, self.sources), variables_of(remedies))

    def _factors(self, change: Change) -> tuple[str, ...]:
        fixed = {_FIXING[name] for name in change.variables}
        return tuple(name for name in self.session.factors() if name not in fixed)

    def _run(
        self, name: str, what: str, change: Change, factors: tuple[str, ...], draw: str, *,
        watch: bool,
    ) -> RunResult:  # fmt: skip
        return self.session.run(name, what, factors, draw, Watched(events=watch), change)


def _steps_of_an_epoch(events: Path | None) -> int | None:
    """How many steps the first epoch of a `fit` had; None where there was none."""
    moments = [each for process in read(events) for each in process.moments] if events else []
    counted = [each for each in moments if each.fit is not None and each.step]
    first = [each for each in counted if (each.fit, each.epoch) == (counted[0].fit, 0)]
    return len(first) or None


def _read(folder: Path, name: str) -> bytes | None:
    """A file of the user's that a run would find in its place, and may change; else None."""
    file = folder / name
    inside = not Path(name).is_absolute() and file.resolve() == folder.resolve() / name
    if not inside or not name.isprintable() or not file.is_file() or not os.access(file, os.W_OK):
        return None
    above = [each for each in file.parents if each != folder and each.is_relative_to(folder)]
    if any((each / mark).exists() for each in above for mark in _ENVIRONMENTS):
        return None
    return file.read_bytes()


def _main(command: UserCommand) -> str | None:
    """The file that a Python runs, from the folder of the command."""
    file = command.script
    if file is None and "-m" in command.words[:-1]:
        path = command.words[command.words.index("-m") + 1].replace(".", "/")
        every = (command.folder / f"{path}{end}" for end in (".py", "/__main__.py"))
        file = next((each for each in every if each.is_file()), None)
    file = file or command.program
    return str(file.relative_to(command.folder)) if file.is_relative_to(command.folder) else None
