"""Outcomes: what `check` answered, against what the table expects, and how often the two agree.

Synopsis:
    outcomes = [judged(case, answer_on_the_fault, answer_on_the_clean_one)]
    for figure in figures(outcomes): print(figure.text())

Pure but for reading the lines of the faulty scripts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import median
from typing import Any

from counts import Figure
from table import Case, Kind, Step, right_lines

FOUND, PLACE = 0.95, 0.85
"""The shares of faults that must be found, and found with the right step and line."""

FIRST_ANSWER = 2.2
"""The median time to the first answer that is allowed, in plain runs of the script."""

STATUSES = {"same": 0, "not the same": 1, "cannot tell": 3}

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One run of `check`: its exit status, None where it took too long, its report, if any, and
    how many seconds it took, all and up to the first answer; `holds`: whether the script with the
    patch gave the same in further runs, None where there were none."""

    status: int | None
    report: Report | None
    seconds: float
    first: float | None = None
    holds: bool | None = None

    @property
    def fault(self) -> str:
        """What is wrong with `check` itself; empty where nothing is."""
        if self.status is None:
            return "took too long"
        if self.report is None:
            return f"no report, exit status {self.status}"
        if self.report["answer"] not in STATUSES:
            return f"answered {self.report['answer']!r}"
        due = STATUSES[self.report["answer"]]
        # A silent error may fail it although the runs agree.
        if self.status != due and not (self.status == 1 and self.report["silent_errors"]):
            return f"exit status {self.status} with the answer {self.report['answer']!r}"
        return ""

    @property
    def plain(self) -> float | None:
        """The seconds of the plain run of the script."""
        runs = self.report["runs"] if self.report else []
        return runs[0]["seconds"] if runs else None


@dataclass(frozen=True)
class Outcome:
    """What came out for one script.

    `said` is the answer on the fault in brief; `found`, `step` and `line` are None where that twin
    did not run. `alarm` is what is wrong with the answer on the clean script, and `hooked` tells
    whether the hooked run's outputs equal the unhooked one's; None where that twin did not run.
    `verified`: whether a patch for the fault was confirmed; `patched`: whether there is one for the
    clean script; likewise.
    """

    case: Case
    found: bool | None
    step: bool | None
    line: bool | None
    said: str
    alarm: str | None
    hooked: bool | None
    answers: tuple[Answer, ...]
    verified: bool | None = None
    patched: bool | None = None

    @property
    def clean(self) -> str:
        """The answer on the clean script in brief; empty where it did not run."""
        return "" if self.alarm is None else self.alarm or "same"


def judged(case: Case, fault: Answer | None, clean: Answer | None) -> Outcome:
    """Compares what a script is expected to show with what was answered.

    Args:
        case: the script.
        fault: the answer on it with its fault; None where that did not run, or it has none.
        clean: the answer on it without; None where that did not run.

    Returns:
        The outcome; an answer that is missing is a fault not found, and a false alarm.
    """
    answers = tuple(answer for answer in (fault, clean) if answer is not None)
    seen = None if clean is None else (_alarm(clean), _hooked(clean))
    alarm, hooked = seen or (None, None)
    patched = None if clean is None else bool(_changes(clean))
    if fault is None:
        return Outcome(case, None, None, None, "", alarm, hooked, answers, None, patched)
    if fault.fault or fault.report is None:
        said = fault.fault
        return Outcome(case, False, False, False, said, alarm, hooked, answers, False, patched)
    judge = _silent if case.kind is Kind.SILENT else _diverging
    found, step, line, said = judge(case, fault.report)
    verified = bool(_changes(fault)) and fault.report["patch"]["confirmed"]
    said += "; patch verified" if verified else ""
    return Outcome(case, found, step, line, said, alarm, hooked, answers, verified, patched)


def _changes(answer: Answer) -> Sequence[str]:
    patch = answer.report.get("patch") if answer.report else None
    return patch["changes"] if patch else ()


def _alarm(clean: Answer) -> str:
    if clean.fault or clean.report is None:
        return clean.fault
    names = [error["name"] for error in clean.report["silent_errors"]]
    answer = clean.report["answer"]
    return ", ".join([*([] if answer == "same" else [answer]), *names])


def _hooked(clean: Answer) -> bool:
    steps = clean.report["steps"] if clean.report else None
    return steps is not None and steps["void"] is None


def _at(case: Case, call: Report | None) -> bool:
    """Whether a call is in one of the lines that are to blame."""
    if call is None or not call["file"] or PurePath(call["file"]).name != case.script.name:
        return False
    return call["line"] in right_lines(case)


def _silent(case: Case, report: Report) -> tuple[bool, bool, bool, str]:
    """Whether that error was warned of, and at its line; its name stands for the step."""
    errors = report["silent_errors"]
    own = [error for error in errors if error["name"] == case.error]
    said = ", ".join(f"{error['name']} (line {error['line']})" for error in errors)
    return bool(own), bool(own), any(_at(case, error) for error in own), said


def _diverging(case: Case, report: Report) -> tuple[bool, bool, bool, str]:
    """Whether the runs were found to differ, and from the right step and line on."""
    if report["answer"] != "not the same":
        return False, False, False, report["answer"]
    steps = report["steps"]
    divergence = steps["divergence"] if steps and steps["void"] is None else None
    if divergence is None:
        return True, False, False, "no step diverges"
    call = divergence["call"]
    place = f"line {call['line']} ({call['call']})" if call else "no line"
    step = case.step is Step.ANY or divergence["step"] == case.step
    said = f"step {divergence['step']}, {divergence['what']}, {place}"
    return True, step, _at(case, call), said


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """The counts that the scripts are for, each with whether its goal is reached.

    Args:
        outcomes: at least one.

    Returns:
        Faults found, right steps, right steps and lines, false alarms, runs that the hook changed.
    """
    faults = [outcome for outcome in outcomes if outcome.found is not None]
    clean = [outcome for outcome in outcomes if outcome.alarm is not None]
    n = len(faults)
    found, step = (sum(bool(getattr(o, what)) for o in faults) for what in ("found", "step"))
    place = sum(bool(o.step and o.line) for o in faults)
    alarms = sum(bool(outcome.alarm) for outcome in clean)
    hooked = sum(outcome.hooked is True for outcome in clean)
    return [
        Figure("faults found", found, n, found >= FOUND * n),
        Figure("right step, or silent error named", step, n),
        Figure("right step and line", place, n, place >= PLACE * n),
        Figure("false alarms", alarms, len(clean), alarms == 0),
        Figure("clean scripts whose hooked run equals the unhooked one", hooked, len(clean),
               hooked == len(clean)),
    ]  # fmt: skip


def patch_figures(outcomes: Sequence[Outcome], further: int = 0) -> list[Figure]:
    """The counts of causes and patches, of the faults that make runs differ.

    Args:
        outcomes: at least one.
        further: how often each script ran with the patch that was shown for it.

    Returns:
        First causes that are right, patches that were verified, clean scripts with a patch, and
        patches with which further runs differed.
    """
    faults = [o for o in outcomes if o.found is not None and o.case.kind is not Kind.SILENT]
    clean = [o for o in outcomes if o.patched is not None]
    changed = sum(o.patched is True for o in clean)
    held = [answer.holds for o in outcomes for answer in o.answers if answer.holds is not None]
    failed = held.count(False)
    return [
        Figure("first cause right", sum(o.line is True for o in faults), len(faults)),
        Figure("patches verified", sum(o.verified is True for o in faults), len(faults)),
        Figure("patches that changed a clean script", changed, len(clean), changed == 0),
        Figure(
            f"patches that did not hold in {further} further runs", failed, len(held), failed == 0
        ),
    ]


@dataclass(frozen=True)
class Times:
    """Medians over all runs of `check`: seconds, and multiples of the script's plain run."""

    seconds: float
    whole: float | None
    first: float | None

    @property
    def enough(self) -> bool:
        """Whether the first answer comes soon enough."""
        return self.first is not None and self.first <= FIRST_ANSWER

    def text(self) -> str:
        """In words."""
        whole, first = (
            "unknown" if value is None else f"{value:.1f} plain runs of the script"
            for value in (self.whole, self.first)
        )
        return (
            f"median time of `check`: {self.seconds:.0f} s or {whole}; "
            f"up to the first answer: {first} (at most {FIRST_ANSWER})"
        )


def times(outcomes: Sequence[Outcome]) -> Times:
    """The medians of all answers that there are.

    Args:
        outcomes: at least one.
    """
    answers = [answer for outcome in outcomes for answer in outcome.answers]
    whole = [a.seconds / a.plain for a in answers if a.plain]
    first = [a.first / a.plain for a in answers if a.plain and a.first]
    return Times(
        median(answer.seconds for answer in answers),
        median(whole) if whole else None,
        median(first) if first else None,
    )


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines of a Markdown table with one row for each script."""
    yield "| script | expected | found | answer | step | line | clean | seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    words = {True: "yes", False: "NO", None: ""}
    for o in outcomes:
        cells = [o.case.name, "" if o.found is None else o.case.expected, words[o.found]]
        cells += [o.said, words[o.step], words[o.line], o.clean]
        seconds = " + ".join(f"{answer.seconds:.0f}" for answer in o.answers)
        yield f"| {' | '.join([*cells, seconds])} |"
