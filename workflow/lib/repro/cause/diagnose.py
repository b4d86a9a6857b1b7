"""Diagnose: from where two runs part, and what trials showed, to ranked causes and what to do.

Synopsis:
    causes(Divergence("data order", epoch=0, step=0))                  # likely ones
    causes(divergence, Findings(found, calls, culprit, layers))        # tested ones first
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repro.cause import remedies
from repro.cause.fault_isolation import Factors, Found
from repro.cause.first_divergent_op import Culprit
from repro.compare.divergence import Divergence, place


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


_CAUSES = {
    "prepared data": "data content",
    "initial weights": "initialisation",
    "initial seed states": "a random layer",
    "initial optimizer state": "initialisation",
    "trace layout": "initialisation",
    "data order": "data order",
    "batch content": "augmentation",
    "learning rate": "update",
    "loss": "forward pass",
    "weights": "gradient",
    "optimizer state": "update",
    "seed states": "a random layer",
    "length": "update",
    "history": "evaluation",  # of the same weights at every step: a metric, or what a callback logs
    "final weights": "update",
    "metrics": "evaluation",
    "predictions": "evaluation",
}
_PHASES = {
    "augmentation": "augmentation",
    "forward": "forward pass",
    "gradient": "gradient",
    "update": "update",
}
_FUNCTIONS = {
    "data content": ("dataset", "import"),
    "initialisation": ("model", "import"),
    "a random layer": ("model", "training", "import"),
    "augmentation": ("augment", "training", "import"),
}
_RANDOM = ("generator without a seed", "system entropy", "clock", "process id", "hash",
           "another program")  # fmt: skip
_RACING = ("threads", "processes", "unordered stream")


def _seen(findings: Findings, sources: Sequence[str], cause: str) -> Any:
    """The call to the first of these sources, in the functions that the cause speaks of."""
    functions = _FUNCTIONS.get(cause, ())
    if functions and findings.culprit and findings.culprit.reads_state:
        functions = (*functions, "model")  # where most states are made
    for source in sources:
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
    cause, where = _CAUSES.get(divergence.what, "environment"), place(divergence)
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
        cause = _PHASES.get(culprit.phase, cause if received else "update")
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
    call = _seen(findings, _RANDOM, cause)
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
        file, line = (call["file"], call["line"]) if file is None else (file, line)
    source = call["source"] if call is not None else None
    return Cause(cause, where, evidence, remedies.of(cause, source), file=file, line=line)


def _told(call: Mapping[str, Any]) -> str:
    return f"{call['call']} ({call['source']}) at {call['file']}, line {call['line']}"


def times(count: int) -> str:
    """How often: "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"


def _race(located: Cause, findings: Findings, evidence: str, trials: int) -> Cause:
    call = _seen(findings, _RACING, "a race")
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    remedy = remedies.of("a race", call["source"] if call is not None else None)
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
    source = remedies.SOURCE_OF_FACTOR.get(factors[0])
    call = next((call for call in calls if call["source"] == source), None)
    if call is not None:
        evidence += f"; the code calls {_told(call)}"
    if failed := next((t.failed for t in of_them if t.failed), None):
        evidence += f"; it then stopped with: {failed}"
    file, line = (call["file"], call["line"]) if call is not None else (located.file, located.line)
    prefix = "factor" if len(factors) == 1 else "factors"
    trials = len(of_them) + len(without)
    remedy = remedies.of_factor(factors)
    return Cause(f"{prefix}: {named}", located.where, evidence, remedy, True, trials, file, line)


def _tested(located: Cause, findings: Findings) -> Iterator[Cause]:
    found = findings.found
    assert found is not None
    count = sum(not trial.factors for trial in found.trials)
    agreed = sum(trial.same for trial in found.trials if not trial.factors)
    again = f"run again {times(count)} with nothing varied, it gave "
    racing = _seen(findings, _RACING, "a race") is not None
    # Whoever stops or slows down by the clock changes the bits as rarely as a race does.
    drawn = _RANDOM[:3] if located.cause == "update" else _RANDOM[:2]
    drawing = _seen(findings, drawn, located.cause) is not None
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
    elif found.kind == "left behind":
        evidence = (
            f"{again}the same bits each time, which are not the original's: something outside the "
            "declared inputs has changed since, such as a file that the original left"
        )
        where = located.where
        yield Cause("environment", where, evidence, remedies.of("environment", None), True, count)
        yield located
    elif found.kind == "factor":
        for factors in found.factors:
            yield _by_factor(factors, located, found, findings.calls)
        yield located
    elif found.kind == "not seen again":
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
    """Causes of a divergence, best first.

    Args:
        divergence: where the runs part.
        findings: what trials showed; without them the address alone tells a likely cause.

    Returns:
        Tested causes, then likely ones.
    """
    findings = findings or Findings()
    located = _located(divergence, findings)
    return [located] if findings.found is None else list(_tested(located, findings))
