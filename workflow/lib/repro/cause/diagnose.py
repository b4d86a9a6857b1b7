"""Diagnose: from where two runs part, and what trials showed, to ranked causes and what to do.

Synopsis:
    causes(Divergence("data order", epoch=0, step=0))                  # likely ones
    causes(divergence, Findings(found, calls, culprit, layers))        # tested ones first
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repro.cause.causes import CAUSES, RANDOM, by_phase, by_quantity
from repro.cause.fault_isolation import Factors, Found
from repro.cause.first_divergent_op import Culprit
from repro.compare.divergence import Divergence, place
from repro.core.factor_table import FACTORS, remedies
from repro.core.text import times


@dataclass(frozen=True)
class Cause:
    """Why runs part. `tested` says whether it was tried out, in `trials` runs, or is only likely.

    `file` and `line` lead to the user's code where they are known.
    """

    cause: str
    where: str
    evidence: str
    remedy: str
    tested: bool = False
    trials: int = 0
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Findings:
    """What the search brought: trials, calls of the user's code, the first odd operation.

    `layers` tells file and line at which each layer is made.
    """

    found: Found | None = None
    calls: Sequence[Mapping[str, Any]] = ()
    culprit: Culprit | None = None
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])


def _seen(findings: Findings, cause: str, sources: Sequence[str] | None = None) -> Any:
    """The call to the first of the cause's sources, or of these, in the functions it speaks of."""
    functions = CAUSES[cause].functions
    if functions and findings.culprit and findings.culprit.reads_state:
        functions = (*functions, "model")  # where most states are made
    for source in sources or CAUSES[cause].sources:
        for call in findings.calls:
            if call["source"] == source and (not functions or call["function"] in functions):
                return call
    return None


def _layer_of(variable: str | None, layers: Mapping[str, Any]) -> str | None:
    """The layer whose name stands in a variable's path, the innermost one."""
    parts = variable.split("/") if variable else []
    return next((part for part in reversed(parts[:-1]) if part in layers), None)


def _random_operation(culprit: Culprit) -> bool:
    return "Random" in culprit.op or "PyFunc" in culprit.op or "Rng" in culprit.op


def _located(divergence: Divergence, findings: Findings) -> Cause:
    """The cause that the address tells, with the operation and the line where they are known."""
    cause, where = by_quantity(divergence.what).name, place(divergence)
    if divergence.what == "weights" and divergence.step is None:
        cause = "update"  # the last step left the same: what came behind it did not
    evidence = (
        f"everything before was the same, bit for bit, and the runs part at {place(divergence)}"
    )
    culprit, layer = findings.culprit, _layer_of(divergence.variable, findings.layers)
    if divergence.what in ("data order", "batch content") and culprit and culprit.op == "Variable":
        culprit = None  # the two runs looked into had parted before, and tell nothing of the batch
    file = line = None
    if culprit is not None:
        received = culprit.op == "Placeholder"  # by the step, so the address tells more
        of_phase = by_phase(culprit.phase)
        cause = of_phase.name if of_phase else cause if received else "update"
        layer = culprit.layer
        if cause == "forward pass" and layer and _random_operation(culprit):
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
        made = findings.layers.get(layer)
        if made and file is None:
            file, line = made["file"], made["line"]
    call = _seen(findings, cause)
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
        file, line = (call["file"], call["line"]) if file is None else (file, line)
    source = call["source"] if call is not None else None
    return Cause(cause, where, evidence, CAUSES[cause].remedy_for(source), file=file, line=line)


def _told(call: Mapping[str, Any]) -> str:
    return f"{call['call']} ({call['source']}) at {call['file']}, line {call['line']}"


def _race(located: Cause, findings: Findings, evidence: str, trials: int) -> Cause:
    call = _seen(findings, "a race")
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    remedy = CAUSES["a race"].remedy_for(call["source"] if call is not None else None)
    return Cause("a race", located.where, evidence, remedy, True, trials, file, line)


def _by_factor(factors: Factors, located: Cause, found: Found, calls: Any) -> Cause:
    named, wanted = " and ".join(factors), set(factors)
    of_them = [trial for trial in found.trials if wanted <= set(trial.factors)]
    without = [trial for trial in found.trials if not wanted & set(trial.factors)]
    parted, agreed = sum(not t.same for t in of_them), sum(t.same for t in without)
    evidence = (
        f"differs when the {named} {'changes' if len(factors) == 1 else 'change together'}: "
        f"{parted} of {len(of_them)} trials with it gave other bits than the original, "
        f"{agreed} of {len(without)} without it gave the same"
    )
    source = FACTORS[factors[0]].source
    call = next((call for call in calls if call["source"] == source), None)
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
    if failed := next((t.failed for t in of_them if t.failed), None):
        evidence += f"; it then stopped with: {failed}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    prefix = "factor" if len(factors) == 1 else "factors"
    trials = len(of_them) + len(without)
    remedy = remedies(factors)
    return Cause(f"{prefix}: {named}", located.where, evidence, remedy, True, trials, file, line)


def _tested(located: Cause, findings: Findings) -> Iterator[Cause]:
    found = findings.found
    assert found is not None
    count = sum(not trial.factors for trial in found.trials)
    agreed = sum(trial.same for trial in found.trials if not trial.factors)
    again = f"run again {times(count)} with nothing varied, it gave "
    racing = _seen(findings, "a race") is not None
    # Whoever stops or slows down by the clock changes the bits as rarely as a race does.
    drawn = RANDOM[:3] if located.cause == "update" else RANDOM[:2]
    drawing = _seen(findings, located.cause, drawn) is not None
    if found.kind == "random":
        evidence = f"{again}other bits each time: it is random by itself"
        if racing:
            yield _race(located, findings, evidence, count)
        yield _with(located, evidence, count)
    elif found.kind == "a race":
        evidence = (
            f"{again}the original's bits {times(agreed) if agreed else 'never'}, and others too"
        )
        if drawing and not racing:
            yield _with(located, evidence, count)
        yield _race(located, findings, evidence, count)
        if racing or not drawing:
            yield located
    elif found.kind == "stale state":
        evidence = (
            f"{again}the same bits each time, which are not the original's: something outside the "
            "declared inputs has changed since, such as a file that the original left"
        )
        remedy = CAUSES["environment"].remedy
        yield Cause("environment", located.where, evidence, remedy, True, count)
        yield located
    elif found.kind == "factor":
        for factors in found.factors:
            yield _by_factor(factors, located, found, findings.calls)
        yield located
    elif found.kind == "not reproduced":
        total = len(found.trials)
        evidence = (
            f"run again {times(total)}, with the factors varied and not, it gave the original's "
            "bits every time: what made the runs part is rare"
        )
        if drawing and not racing:
            yield located
        yield replace(_race(located, findings, evidence, total), tested=False)
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
    return [located] if findings.found is None else list(_tested(located, findings))
