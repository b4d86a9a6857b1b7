"""Watched steps: what two runs with the hook showed, step by step, in words.

Synopsis:
    found = step_findings(left, right, None, outputs_differ=True)
    told(found, same=False)      # "The runs first diverge at step 1 of sequential: ..."
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.check.one_run import RunResult
from repro.core.factor_table import FACTORS
from repro.core.text import counted
from repro.divergence.first_divergence import (
    StepComparison,
    StepDivergence,
    compared_steps,
)
from repro.divergence.named_call import BY_NATURE
from repro.divergence.recorded import read
from repro.ledger.blamed import LedgerCall
from repro.ledger.environment_reads import WHOLE
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER
from repro.ledger.watched_calls import KERAS_SEED, TEMPORARY_NAME
from repro.repair.factor_search import FactorFinding

UNEQUAL = (
    "the outputs of the watched run differ from those of the plain one, so that the hook may have "
    "changed what it watches"
)
_ALSO: Mapping[str, Sequence[str]] = {
    "hash seed": (TEXT_ORDER, ORDER),
    "time zone": ("time zone",),
    "temporary folder": (TEMPORARY_NAME,),
    "processors": ("unordered stream", "threads", "processes"),
    "load": ("unordered stream", "threads", "processes"),
}
"""By factor, sources through which it acts, beside the one that the table of factors names."""
_OF_ENVIRONMENT = (
    "hash seed", "time zone", "locale", "environment size", "home", "temporary folder",
    "working directory", "processors",
)  # fmt: skip
"""Factors that act through environment variables too."""

_SAID: Mapping[str, str] = {
    KERAS_SEED: "{call}, called by Keras there ({source}; keras.utils.set_random_seed seeds it)",
    HASH: "{call} (of text, it depends on the hash seed)",
    ORDER: "{call} (it may go through a set of text, whose order depends on the hash seed)",
    TEXT_ORDER: "{call} (it goes through a set of text, whose order depends on the hash seed)",
}
"""By source, what to say of a call in place of its source alone."""


@dataclass(frozen=True)
class SeenError:
    """A mistake that gives the same wrong results in every run, and where it is, if known."""

    name: str
    sentence: str
    file: str | None
    line: int | None


@dataclass(frozen=True)
class StepFindings:
    """What two watched runs showed.

    `void`: why nothing can be said of the steps. `outputs_differ`: whether the outputs of these two
    runs do. `unseen`: what the hook could not watch. `events`: those of the first of them.
    """

    void: str | None
    compared: StepComparison
    outputs_differ: bool
    silent: tuple[SeenError, ...] = ()
    unseen: tuple[str, ...] = ()
    events: Path | None = None

    @property
    def seen(self) -> bool:
        """Whether any training was seen."""
        compared = self.compared
        return compared.agreed + compared.undecided > 0 or compared.divergence is not None


def suspects(finding: FactorFinding | None) -> Sequence[str]:
    """The sources to blame where no recorded result differs.

    Where the command repeats with nothing varied, a generator without a seed is none of them.
    """
    if finding is None or finding.nondeterministic is not False:
        return BY_NATURE
    acting = (_sources(name) for name in finding.factors)
    return (*dict.fromkeys(each for sources in acting for each in sources), "another program")


def _sources(factor: str) -> Sequence[str]:
    own = FACTORS[factor].source
    whole = (WHOLE,) if factor in _OF_ENVIRONMENT else ()
    return (*([own] if own else ()), *_ALSO.get(factor, ()), *whole)


def step_findings(
    left: RunResult,
    right: RunResult,
    void: str | None,
    suspected: Sequence[str] = BY_NATURE,
    *,
    outputs_differ: bool,
) -> StepFindings:
    """Compares the events of two watched runs; `void` where one of them counts for nothing."""
    assert left.events
    assert right.events
    compared = compared_steps(left.events, right.events, suspected)
    if void:
        compared = StepComparison(0, 0, None)
    silent, unseen = _silent_errors(left.events), _unseen(left.events)
    return StepFindings(void, compared, outputs_differ, silent, unseen, left.events)


def training(run: RunResult) -> bool:
    """Whether a watched run showed any training."""
    return run.events is not None and any(process.moments for process in read(run.events))


def _silent_errors(events: Path) -> tuple[SeenError, ...]:
    found: dict[SeenError, None] = {}
    for process in read(events):
        for each in process.findings:
            error = SeenError(each["name"], each["sentence"], each.get("file"), each.get("line"))
            found.setdefault(error)
    return tuple(found)


def _unseen(events: Path) -> tuple[str, ...]:
    """What the hook could not watch, by its own notes."""
    said: dict[str, None] = {}
    for file in sorted((events.parent / "found").glob("*.json")):
        with suppress(OSError, ValueError):
            said |= dict.fromkeys(json.loads(file.read_text("utf-8")).get("left out", ()))
    return tuple(said)


def told(found: StepFindings, *, same: bool) -> str:
    """What watching found, in a sentence or two, beside the answer `same`; may be empty."""
    if found.void:
        return f"Nothing can be said of single steps: {found.void}."
    first = found.compared.divergence
    if first is None:
        return _all_agreed(found, same=same) if found.seen else ""
    agreed = ""
    if first.agreed:
        agreed = f", after {counted(first.agreed, 'step')} that agreed{_looked_at(found.compared)}"
    call = f" See {_near(first.call)}." if first.call else ""
    return f"The runs first diverge at {where(first)}{agreed}.{call}"


def _all_agreed(found: StepFindings, *, same: bool) -> str:
    compared = found.compared
    steps = counted(compared.agreed, "training step")
    agreed = f"{steps} agreed, bit for bit{_looked_at(compared)}"
    last = ""
    if compared.undecided:
        last = f"in the last {counted(compared.undecided, 'step')}, at which nothing was looked at"
    if same:
        return f"Step by step: {agreed}." + f" What happens {last}, is not known." * bool(last)
    where = "so it arises outside of them" + f" or {last}" * bool(last)
    if not found.outputs_differ:
        where = "and so did the outputs: this time it did not show"
    return f"In two watched runs {agreed}, {where}."


def _looked_at(compared: StepComparison) -> str:
    """How many steps were looked at, where that is not all of them."""
    if not compared.left_out:
        return ""
    return f" (looked at: {compared.agreed - compared.left_out} of them, to take little time)"


def _near(call: LedgerCall) -> str:
    said = _SAID.get(call.source, "{call} ({source})")
    said = said.format(call=call.call, source=call.source)
    return f"{call.file}, line {call.line}: {said}"


def where(first: StepDivergence) -> str:
    """The step, model and variable of a divergence, in words."""
    variable = f" of {first.variable}" if first.variable else ""
    known = {"initial value": "the initial value", "batch": "the batch", "value": "the value"}
    what = known.get(first.what, f"a step that is {first.what}")
    model = f" of {first.model}" if first.model else ""
    if first.step == 0:
        when = f"after step {first.after}" if first.after else "before the first step"
        return f"{what}{variable}, {when}{model}"
    return f"step {_steps(first)}{model}: {what}{variable}"


def _steps(first: StepDivergence) -> str:
    """The step at which it is, or the first and the last at which it may be."""
    earliest = first.after + 1
    if earliest >= first.step:
        return str(first.step)
    between = "or" if earliest + 1 == first.step else "to"
    return f"{earliest} {between} {first.step}"
