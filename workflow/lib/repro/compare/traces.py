"""Traces: the first step at which two traces of one seed diverge. Standard library alone.

Synopsis:
    parted_at(read(original), read(repeat), stopped=None)       # None where every step is the same
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from repro.compare.divergence import Divergence
from repro.record.trace import CLASS_WEIGHTS, Trace

_STEP = {
    "ids": "data order",
    "batch": "batch content",
    "lr": "learning rate",
    "loss": "loss",
    "weights": "weights",
}
_EPOCH = {"weights": "weights", "optimizer": "optimizer state", "seeds": "seed states"}


def parted_at(
    left: Trace, right: Trace, stopped: Mapping[str, int] | None = None
) -> Divergence | None:
    """Where two traces first diverge; `stopped` is what `stops` says of the right one."""
    return _initial(left, right) or _steps(left, right, stopped)


def _odd(left: Mapping[str, Any], right: Mapping[str, Any]) -> str | None:
    """The first key, in the left one's order, under which two mappings differ."""
    keys = [*left, *(key for key in right if key not in left)]
    missing = object()
    return next((k for k in keys if left.get(k, missing) != right.get(k, missing)), None)


def _initial(left: Trace, right: Trace) -> Divergence | None:
    weights: list[Mapping[str, Any]] = [t.header.get(CLASS_WEIGHTS, {}) for t in (left, right)]
    if name := _odd(*weights):
        return Divergence("class weights", variable=name)
    for group, what in _EPOCH.items():
        if name := _odd(left.header["initial"][group], right.header["initial"][group]):
            return Divergence(f"initial {what}", variable=name)
    if name := _odd(left.header, right.header):
        return Divergence("trace layout", variable=name)
    return None


def _line(
    left: Mapping[str, Any], right: Mapping[str, Any], variables: list[str]
) -> Divergence | None:
    epoch, step = left["epoch"], left.get("step")
    if (epoch, step) != (right["epoch"], right.get("step")):
        return Divergence("length", epoch, step)
    for key, what in _STEP.items() if step is not None else _EPOCH.items():
        if left[key] == right[key]:
            continue
        if step is None:
            name = _odd(left[key], right[key])
        elif key == "weights":
            pairs = zip(variables, left[key], right[key], strict=True)
            name = next(variable for variable, a, b in pairs if a != b)
        else:
            name = None
        return Divergence(what, epoch, step, name)
    return None


def _taken_in_another_order(divergence: Divergence, left: Trace, right: Trace) -> bool:
    """Whether both runs have the batch that the other one took, at another step of the epoch."""
    left_batches, right_batches = (
        {line["step"]: line["batch"] for line in trace.lines
         if "step" in line and line["epoch"] == divergence.epoch}
        for trace in (left, right)
    )  # fmt: skip
    return (
        left_batches[divergence.step] in right_batches.values()
        and right_batches[divergence.step] in left_batches.values()
    )


def stops(original: Trace, limit: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """The limit, where the original went on after it; None where a repeat ends with it."""
    if limit is None:
        return None
    if "epochs" in limit:
        beyond = any(line["epoch"] >= limit["epochs"] for line in original.lines)
    else:
        beyond = sum("step" in line for line in original.lines) > limit["steps"]
    return limit if beyond else None


def expected(
    original: Trace, stopped: Mapping[str, int] | None
) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """The lines that the repeat must have, and whether it stops within an epoch."""
    lines = original.lines
    if stopped is None:
        return lines, False
    if "epochs" in stopped:
        return [line for line in lines if line["epoch"] < stopped["epochs"]], False
    steps = [number for number, line in enumerate(lines) if "step" in line]
    end = steps[stopped["steps"] - 1] + 1
    within = "step" in lines[end]
    return lines[: end if within else end + 1], within


def _steps(left: Trace, right: Trace, stopped: Mapping[str, int] | None) -> Divergence | None:
    (wanted, within), lines = expected(left, stopped), right.lines
    for a, b in zip(wanted, lines, strict=False):
        if divergence := _line(a, b, left.header["variables"]):
            batch = divergence.what == "batch content"
            if batch and _taken_in_another_order(divergence, left, right):
                return replace(divergence, what="data order")
            return divergence
    if within and len(lines) == len(wanted) + 1 and "step" not in lines[-1]:
        lines = lines[:-1]  # its state where it stopped, which the original has not
    if len(wanted) != len(lines):
        longer = max(wanted, lines, key=len)[min(len(wanted), len(lines))]
        return Divergence("length", longer["epoch"], longer.get("step"))
    return None
