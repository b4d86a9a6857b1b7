"""Experiment patch: a change of an experiment's code that mends a cause, tried out in a copy.

Synopsis:
    patch = tried_patch(("digits.py", 12), calls, trials, ("clock", "home"))
    patch.diff, patch.verified_runs       # None where there is none, or runs still differ

A trial compares with the original; with a change these would never agree, so here the runs of the
changed experiment are compared with one another.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from repro.cause.trials import Trials
from repro.ledger.blamed import UNSEEDED, LedgerCall
from repro.ledger.set_order import HASH, lines_on_hash_seed
from repro.repair import at_call, at_seed, at_start
from repro.repair.edits import Edit, edited, unified
from repro.repair.source import UserSource, parsed

VARIED = 2
"""So many runs of the changed experiment, with everything varied, must agree with one unvaried."""
MOST = 2
"""So many changes at most are tried."""
_MADE_OF = ("system entropy", "clock", "process id")


@dataclass(frozen=True)
class TriedChange:
    """A change with which the runs agreed: as a diff, and in a sentence; in so many runs."""

    diff: str
    verified_runs: int
    sentence: str


def tried_patch(
    place: tuple[str, int],
    calls: Sequence[Mapping[str, Any]],
    trials: Trials,
    varied: Sequence[str],
) -> TriedChange | None:
    """The first change of a line that makes runs agree.

    Args:
        place: the file of the experiment, by its name in it, and the line.
        calls: those that the experiment's code was seen to make.
    """
    here = [call for call in calls if (call["file"], call["line"]) == place]
    if not here:
        return None
    experiment = Path(trials.setting.runs.inputs["experiment"])
    file = experiment / place[0] if experiment.is_dir() else experiment
    source = parsed(place[0], file.read_bytes()) if file.is_file() else None
    offered = _offered(source, here) if source else iter(())
    for _, (words, edits) in zip(range(MOST), offered, strict=False):
        assert source
        changed = edited(source.content, edits)
        with trials.copied(experiment, place[0], changed) as other:
            if not other.agree(varied, VARIED):
                continue
        shown = experiment.name if not experiment.is_dir() else f"{experiment.name}/{place[0]}"
        return TriedChange(
            unified(_relative(experiment, shown), source.content, changed),
            1 + VARIED,
            f"It {words}. With it, {_WHAT[trials.setting.step]} {1 + VARIED} times"
            f"{trials.as_far()}, {VARIED} of them with everything varied, gave the same bits. "
            "Results with it are others than before: apply it, and run all again.",
        )
    return None


_WHAT = {"prepare": "preparing", "train": "training", "evaluate": "evaluating"}


def _relative(experiment: Path, shown: str) -> str:
    """The path from the project, where it is known; a verdict names no folder of a machine."""
    if experiment.is_absolute() or ".." in experiment.parts:
        return shown
    return (experiment.parent / shown).as_posix()


def _offered(
    source: UserSource, calls: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Sequence[Edit]]]:
    """What each change does, and its edits."""
    for each in calls:
        call = LedgerCall(each["source"], each["call"], source.name, each["line"])
        for words, edits in _at(source, call):
            if edits and source.stays_python(edits):
                yield f"{words} ({source.name}, line {call.line})", edits


def _at(source: UserSource, call: LedgerCall) -> Iterator[tuple[str, Sequence[Edit]]]:
    written = _stream(source, call)
    if call.source == UNSEEDED and written:
        yield "gives the generator a seed of `seeds`", at_seed.seeded(source, call, 1, written)
    elif call.source in _MADE_OF and written:
        words = "takes the seed from `seeds`"
        yield words, at_seed.constant_seed(source, call, 1, written)
    elif call.source == "listing order":
        yield f"sorts what {call.call} lists", at_call.in_listed_order(source, call)
    elif call.source == HASH:
        edits = at_start.with_import(source, "zlib", at_call.without_hash(source, call))
        yield "takes a checksum in place of hash()", edits
        yield "sorts the set before it is gone through", _sorted_sets(source, call)
    elif call.source == "file times":
        yield "sorts files by name", at_call.by_name(source, call)
    words = "takes results in the order in which they were asked for"
    yield words, at_call.in_asked_order(source, call)


def _stream(source: UserSource, call: LedgerCall) -> Callable[[int], str] | None:
    """How a seed is written: by `seeds`, where a function around the line receives it."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    around = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, functions) and node.lineno <= call.line <= (node.end_lineno or 0)
    ]
    if not any(each.arg == "seeds" for node in around for each in _arguments(node)):
        return None
    name = call.call.rpartition(".")[2]
    # Of one name there is one stream, which two generators must not share.
    used = {
        each.args[0].value
        for each in source.all_calls()
        if each.args and isinstance(each.args[0], ast.Constant)
    }
    names = (each for n in count(1) if (each := name if n == 1 else f"{name} {n}") not in used)
    free = [*islice(names, 1 + len(source.calls(call.call, call.line)))]
    return lambda number: f'seeds("{free[number - 1]}")'


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _sorted_sets(source: UserSource, call: LedgerCall) -> Sequence[Edit]:
    lines = [
        line
        for line in lines_on_hash_seed(source.content, {})
        if line.number == call.line and line.source != HASH
    ]
    edits: list[Edit] = []
    for line in lines:
        blamed = LedgerCall(line.source, line.text, source.name, line.number)
        edits += at_call.sorted_set(source, blamed)
    return edits
