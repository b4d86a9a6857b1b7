"""Diagnose: from where two runs diverge, and what trials showed, to ranked causes and what to do.

Synopsis:
    causes(Divergence("data order", epoch=0, step=0))                  # likely ones
    causes(divergence, Findings(outcome, calls, culprit, layers))      # tested ones first
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repro.cause.causes import CAUSES, RACING, RANDOM, WORKERS, by_phase, by_quantity, remedy
from repro.cause.experiment_patch import TriedChange
from repro.cause.fault_isolation import Factors, Found
from repro.cause.first_divergent_op import Culprit
from repro.compare.divergence import BEFORE_TRAINING, Divergence, place
from repro.core.factor_table import FACTORS, remedies
from repro.core.text import times


@dataclass(frozen=True)
class Cause:
    """Why runs diverge. `tested`: it was tried out, in `trials` runs; else it is only likely.

    `file` and `line` lead to the user's code where they are known. `patch` mends it, tried out.
    """

    cause: str
    where: str
    evidence: str
    remedy: str
    tested: bool = False
    trials: int = 0
    file: str | None = None
    line: int | None = None
    patch: TriedChange | None = None


@dataclass(frozen=True)
class Findings:
    """What the search brought: trials, calls of the user's code, the first odd operation.

    `layers` tells file and line at which each layer is made. `lacking` are functions that the
    experiment could define and does not.
    """

    found: Found | None = None
    calls: Sequence[Mapping[str, Any]] = ()
    culprit: Culprit | None = None
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    lacking: Collection[str] = ()


_AFTER_BATCH = ("learning rate", "loss", "weights")


def _call(
    calls: Sequence[Mapping[str, Any]], sources: Sequence[str], functions: Sequence[str] = ()
) -> Mapping[str, Any] | None:
    """The call to the first of these sources, in one of these functions, or in any."""
    return next(
        (
            call
            for source in sources
            for call in calls
            if call["source"] == source and (not functions or call["function"] in functions)
        ),
        None,
    )


def _seen(
    findings: Findings, cause: str, sources: Sequence[str] | None = None
) -> Mapping[str, Any] | None:
    """The call to the first of the cause's sources, or of these, in the functions it speaks of."""
    functions = CAUSES[cause].functions
    if functions and findings.culprit and findings.culprit.reads_state:
        functions = (*functions, "model")  # where most states are made
    return _call(findings.calls, sources or CAUSES[cause].sources, functions)


def _layer_of(variable: str | None, layers: Mapping[str, Any]) -> str | None:
    """The layer whose name stands in a variable's path, the innermost one."""
    parts = variable.split("/") if variable else []
    return next((part for part in reversed(parts[:-1]) if part in layers), None)


def _draws(culprit: Culprit, findings: Findings) -> bool:
    """Whether an operation draws; one that calls Python, only where that was seen to draw."""
    if "PyFunc" in culprit.op:
        return _seen(findings, "a random layer", RANDOM[:2]) is not None
    return "Random" in culprit.op or "Rng" in culprit.op


def _racing(divergence: Divergence, findings: Findings) -> Mapping[str, Any] | None:
    """The call that starts what may race before the place where runs diverge.

    Keras' workers make batches: where these are the same, they had no part in what came after. What
    starts in training has none in how it starts.
    """
    before = divergence.what in BEFORE_TRAINING
    behind = divergence.step is not None and divergence.what in _AFTER_BATCH
    sources = RACING if before or behind else (*WORKERS, *RACING)
    functions = [name for name in by_quantity(divergence.what).functions if name != "training"]
    return _call(findings.calls, sources, functions if before else ())


def _located(divergence: Divergence, findings: Findings) -> Cause:
    """The cause that the address tells, with the operation and the line where they are known."""
    cause, where = by_quantity(divergence.what, findings.lacking).name, place(divergence)
    if divergence.what == "weights" and divergence.step is None:
        cause = "update"  # the last step left the same: what came behind it did not
    evidence = (
        "everything before was the same, bit for bit, and the runs first diverge at "
        f"{place(divergence)}"
    )
    culprit, layer = findings.culprit, _layer_of(divergence.variable, findings.layers)
    if divergence.what in ("data order", "batch content") and culprit and culprit.op == "Variable":
        culprit = None  # the two runs had diverged before, and show nothing of the batch
    if divergence.what == "class weights":
        culprit = None  # nothing of a step decides them
    file = line = None
    if culprit is not None:
        received = culprit.op == "Placeholder"  # by the step, so the address tells more
        of_phase = by_phase(culprit.phase)
        cause = of_phase.name if of_phase else cause if received else "update"
        layer = culprit.layer
        if cause == "forward pass" and layer and _draws(culprit, findings):
            cause = "a random layer"
        where = f"{where}, operation {culprit.op} ({culprit.name})"
        evidence += (
            f"; in a step looked into, the first operation that gave other values from the same "
            f"input is {culprit.name}"
            if culprit.phase != "other"
            else f"; {culprit.name} was changed between two steps, outside the step itself"
        )
        file, line = culprit.file, culprit.line
    if layer:
        where = f"layer {layer}, {where}"
        layer_site = findings.layers.get(layer)
        if layer_site and file is None:
            file, line = layer_site["file"], layer_site["line"]
    call = _seen(findings, cause)
    if call is not None:
        evidence += f"; the code calls {_call_in_words(call)}"
        file, line = (call["file"], call["line"]) if file is None else (file, line)
    return Cause(cause, where, evidence, CAUSES[cause].remedy_for(call), file=file, line=line)


def _call_in_words(call: Mapping[str, Any]) -> str:
    return f"{call['call']} ({call['source']}) at {call['file']}, line {call['line']}"


def _race(located: Cause, call: Mapping[str, Any] | None, evidence: str, trials: int) -> Cause:
    if call is not None:
        evidence += f"; the code calls {_call_in_words(call)}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    to_do = CAUSES["a race"].remedy_for(call)
    return Cause("a race", located.where, evidence, to_do, True, trials, file, line)


def _by_factor(factors: Factors, located: Cause, outcome: Found, calls: Any) -> Cause:
    named, wanted = " and ".join(factors), set(factors)
    with_them = [trial for trial in outcome.trials if wanted <= set(trial.factors)]
    without = [trial for trial in outcome.trials if not wanted & set(trial.factors)]
    diverged, agreed = sum(not t.same for t in with_them), sum(t.same for t in without)
    evidence = (
        f"differs when the {named} {'changes' if len(factors) == 1 else 'change together'}: "
        f"{diverged} of {len(with_them)} trials with it gave other bits than the original, "
        f"{agreed} of {len(without)} without it gave the same"
    )
    factor = FACTORS[factors[0]]
    call = _call(calls, [source for source in (factor.source, factor.also) if source])
    if call is not None:
        evidence += f"; the code calls {_call_in_words(call)}"
    if failed := next((t.failed for t in with_them if t.failed), None):
        evidence += f"; it then stopped with: {failed}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    prefix = "factor" if len(factors) == 1 else "factors"
    trials = len(with_them) + len(without)
    to_do = remedy(call, remedies(factors)) if len(factors) == 1 else remedies(factors)
    return Cause(f"{prefix}: {named}", located.where, evidence, to_do, True, trials, file, line)


def _tested(
    located: Cause, racing: Mapping[str, Any] | None, findings: Findings
) -> Iterator[Cause]:
    outcome = findings.found
    assert outcome is not None
    count = sum(not trial.factors for trial in outcome.trials)
    agreed = sum(trial.same for trial in outcome.trials if not trial.factors)
    again = f"rerun {times(count)} with nothing varied, it gave "
    # Whoever stops or slows down by the clock changes the bits as rarely as a race does.
    drawn = RANDOM[:3] if located.cause == "update" else RANDOM[:2]
    drawing = _seen(findings, located.cause, drawn) is not None
    if outcome.kind == "random":
        evidence = f"{again}other bits each time: it is nondeterministic"
        race = [_race(located, racing, evidence, count)] if racing else []
        # A draw without a seed is enough for that; threads may be harmless.
        yield from () if drawing else race
        yield _with(located, evidence, count)
        yield from (replace(each, tested=False) for each in race if drawing)
    elif outcome.kind == "a race":
        evidence = (
            f"{again}the original's bits {times(agreed) if agreed else 'never'}, and others too"
        )
        if drawing and not racing:
            yield _with(located, evidence, count)
        yield _race(located, racing, evidence, count)
        if racing or not drawing:
            yield located
    elif outcome.kind == "stale state":
        evidence = (
            f"{again}the same bits each time, which are not the original's: something outside the "
            "declared inputs has changed since, such as a file that the original left"
        )
        to_do = CAUSES["environment"].remedy
        yield Cause("environment", located.where, evidence, to_do, True, count)
        yield located
    elif outcome.kind == "factor":
        for factors in outcome.factors:
            yield _by_factor(factors, located, outcome, findings.calls)
        yield located
    elif outcome.kind == "not reproduced":
        total = len(outcome.trials)
        evidence = (
            f"rerun {times(total)}, with the factors varied and not, it gave the original's "
            "bits every time: what made the runs diverge is rare"
        )
        if drawing and not racing:
            yield located
        yield replace(_race(located, racing, evidence, total), tested=False)
        if racing or not drawing:
            yield located
    else:
        yield located


def _with(located: Cause, evidence: str, trials: int) -> Cause:
    return replace(located, evidence=f"{evidence}; {located.evidence}", tested=True, trials=trials)


def causes(divergence: Divergence, findings: Findings | None = None) -> list[Cause]:
    """Causes of a divergence: tested ones, then likely ones, best first.

    Without findings the address alone tells a likely cause.
    """
    findings = findings or Findings()
    located = _located(divergence, findings)
    if findings.found is None:
        return [located]
    return list(_tested(located, _racing(divergence, findings), findings))
