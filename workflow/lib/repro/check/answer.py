"""Answer: what a check found, and its sentence.

Synopsis:
    answer = answered(findings)
    answer.word, answer.status, answer.sentence
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from repro.check.one_run import RunResult
from repro.check.outcome import STDERR, STDOUT, Outcome
from repro.check.progress import duration
from repro.check.watched_steps import SeenError, StepFindings, told
from repro.content.summary import summarised
from repro.core.factor_table import FACTORS
from repro.core.text import counted, listed, shortened, times
from repro.repair.by_hand import told_of_patch
from repro.repair.factor_search import FactorFinding
from repro.repair.patch import TriedPatch

_REMEDIES: Mapping[str, str] = {
    "home": "Read files by paths beside `__file__` or of the command line, not in the home folder.",
    "working directory": "Read files by paths beside `__file__`, or of the command line.",
    "processors": "Set the numbers of threads and workers in the script, as with "
    "`tf.config.threading.set_intra_op_parallelism_threads`.",
    "network": "Fetch data before, and read them from files.",
}
"""What to do in a script, where the workflow's own words (`FACTORS`) speak of an experiment."""

SAME, NOT_SAME, CANNOT_TELL = "same", "not the same", "cannot tell"
LATE = "No time was left to watch it step by step (--budget)."
STATUS: Mapping[str, int] = {SAME: 0, NOT_SAME: 1, CANNOT_TELL: 3}


@dataclass(frozen=True)
class CheckFindings:
    """What the runs of a check gave; the first is the plain one, the others were varied.

    `outcomes`: the comparison of each later run with the first, but of one that was stopped.
    `finding`: what the search for a factor found, None where there was none. `rtol`: the tolerance
    that was asked for. `steps`: what watching showed, None where nothing was watched. `late`:
    whether no time was left to watch.
    `patch`: what became of the changes of the script that were tried; None where none were.
    `refused`: why the system refused a run after the answer; None where it did not.
    """

    command: str
    runs: tuple[RunResult, ...]
    outcomes: tuple[Outcome, ...]
    rtol: float = 0.0
    finding: FactorFinding | None = None
    steps: StepFindings | None = None
    late: bool = False
    patch: TriedPatch | None = None
    refused: str | None = None

    @property
    def decisive(self) -> Outcome | None:
        """The first comparison in which something differs, else the last one."""
        differing = [outcome for outcome in self.outcomes if not outcome.same]
        return (*differing, *self.outcomes[-1:], None)[0]


@dataclass(frozen=True)
class CheckAnswer:
    """The answer in a word, and in a sentence or a few; `details` say how far apart, in lines."""

    word: str
    sentence: str
    details: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status that goes with it."""
        return STATUS[self.word]


def answered(findings: CheckFindings) -> CheckAnswer:
    """The answer to whether the results are the same, and where the runs first diverge."""
    answer = first_answer(findings)
    if findings.steps is None:
        return replace(answer, sentence=f"{answer.sentence} {LATE}") if findings.late else answer
    warnings = [_warning(error) for error in findings.steps.silent]
    more = told(findings.steps, same=answer.word == SAME)
    see = "But see" if answer.word == SAME else "See also"
    above = f"{see} {'the warning' if len(warnings) == 1 else 'the warnings'} above."
    mended = told_of_patch(findings.patch) if findings.patch else ""
    sentence = " ".join(filter(None, (answer.sentence, more, mended, above if warnings else "")))
    return replace(answer, sentence=sentence, details=(*answer.details, *warnings))


def _warning(error: SeenError) -> str:
    where = f" ({error.file}, line {error.line})" if error.file else ""
    return f"Warning: {error.sentence}{where}"


def first_answer(findings: CheckFindings) -> CheckAnswer:
    """The answer by the outputs alone."""
    stopped = [run for run in findings.runs if run.stopped]
    outcome = findings.decisive
    if outcome is None or (stopped and outcome.same):
        return CheckAnswer(CANNOT_TELL, _never_ended(findings, stopped))
    if outcome.failed:
        return CheckAnswer(NOT_SAME, f"Not the same: {_failed(findings)}{_why(findings)}")
    if outcome.differing and not any(each.readable for each in outcome.differing):
        names = shortened([each.name for each in outcome.differing], 3)
        sentence = f"Undecided: {names} could not be read, and the bytes differ."
        return CheckAnswer(CANNOT_TELL, sentence)
    if outcome.differing:
        details = summarised(outcome.differing).sentences
        names = shortened([each.name for each in outcome.differing], 3)
        count = f"{len(outcome.differing)} of {counted(len(outcome.comparisons), 'output')}"
        verb = "differs" if len(outcome.differing) == 1 else "differ"
        what = f"Not the same: {count} {verb} ({names})."
        return CheckAnswer(NOT_SAME, f"{what}{_why(findings)}", details)
    return _same(findings, outcome)


def _never_ended(findings: CheckFindings, stopped: Sequence[RunResult]) -> str:
    run = (*stopped, findings.runs[-1])[0]
    why = run.stopped or "no second run was made"
    return f"Undecided: {run.name} was ended after {duration(run.seconds)}, since {why}."


def _failed(findings: CheckFindings) -> str:
    varied = next(run for run in findings.runs if run.well != findings.runs[0].well)
    count = counted(len(varied.varied), "factor")
    return f"it succeeded as it is, and failed with status {varied.status} with {count} varied."


def _why(findings: CheckFindings) -> str:
    found = findings.finding
    if found is None:
        return ""
    tried = f" (tested in {counted(found.runs, 'more run')})"
    if found.nondeterministic:
        return f" It differs also when nothing is varied{tried}."
    if found.nondeterministic is None and not found.complete:
        return " No time was left to find out why (--budget)."
    words = [FACTORS[name].words for name in found.factors]
    if not words:
        return ""
    if not found.complete:
        return f" No time was left to find out on what it depends: {listed(words, 4)}."
    together = " together" if len(words) > 1 else ""
    return f" It depends on {listed(words)}{together}{tried}. {_remedy(found.factors[0])}"


def _remedy(factor: str) -> str:
    return _REMEDIES.get(factor, FACTORS[factor].remedy)


def _same(findings: CheckFindings, outcome: Outcome) -> CheckAnswer:
    printed = findings.runs[0].stdout.exists() and findings.runs[0].stdout.stat().st_size > 0
    written = [each for each in outcome.comparisons if each.name not in (STDOUT, STDERR)]
    if not printed and not written:
        sentence = "Undecided: the command wrote no file and printed nothing to compare."
        return CheckAnswer(CANNOT_TELL, sentence)
    counts = [counted(len(written), "file")] * bool(written) + ["printed text"] * printed
    varied = max(len(run.varied) for run in findings.runs[1:])
    tolerated = sum(each.tolerated for outcome in findings.outcomes for each in outcome.comparisons)
    again = "the second time with" if len(findings.runs) == 2 else "but for the first time with"
    close = f", {counted(tolerated, 'number')} only within --rtol {findings.rtol:g}"
    return CheckAnswer(
        SAME,
        f"The same: it ran {times(len(findings.runs))}, {again} "
        f"{counted(varied, 'factor')} varied, and gave the same {listed(counts)}"
        f"{close if tolerated else ''}.",
        ("A rare race may not have shown: `--runs N` runs it more often.",),
    )
