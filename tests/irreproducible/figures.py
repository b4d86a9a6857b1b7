"""Figures: what the controls expect, what the verdicts say, and how often the two agree.

Synopsis:
    case = read(Path("cases/jitter_without_a_seed.py"))
    outcomes = [judged(case, fault_verdict, clean_verdict, steps_per_epoch)]
    for figure in figures(outcomes): print(figure.text())

Pure but for reading the constants of a case.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counts import Figure

RIGHT_CAUSES = 0.85
"""The share of faults whose first cause must be the right one."""

SHORT: tuple[str, ...] = ("1", "10", "epoch")
"""How many steps a shorter repeat would have made."""

Verdict = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """What one control expects: a cause that comes first, or a mistake that is named."""

    name: str
    cause: str | None = None
    where: str = ""
    mistake: str | None = None
    entry: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def expected(self) -> str:
        """In words, for the table."""
        place = f" ({self.where})" if self.where else ""
        return f"{self.cause}{place}" if self.cause else f"mistake: {self.mistake}"


@dataclass(frozen=True)
class Outcome:
    """What the verdicts on one control and its twin say.

    `short` tells for each of `SHORT` whether so few steps would have shown the fault.
    """

    case: Case
    found: bool
    named: str
    right: bool
    alarm: str
    short: Mapping[str, bool]


def read(file: Path) -> Case:
    """The constants of a case, which is not run for that.

    Args:
        file: a file of `cases/`.

    Returns:
        What it expects.

    Raises:
        ValueError: it says neither a cause nor a mistake, or both.
    """
    found: dict[str, Any] = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
        if isinstance(node, ast.Assign) and name in ("CAUSE", "WHERE", "MISTAKE", "ENTRY"):
            found[name.lower()] = ast.literal_eval(node.value)
    if ("cause" in found) == ("mistake" in found):
        raise ValueError(f"Expected either CAUSE or MISTAKE in {file.name}. Received {found}.")
    return Case(file.stem, **found)


def _seen(divergence: Verdict, steps: int, epoch: int) -> bool:
    """Whether a repeat of so many steps reaches the address."""
    at, step = divergence["epoch"], divergence["step"]
    if at is None:  # before training, or only after it
        before = divergence["what"]
        whole = ("prepared data", "fitted preprocessing", "trace layout")
        return before in whole or before.startswith("initial")
    return at * epoch + step < steps if step is not None else (at + 1) * epoch <= steps


def _short(verdict: Verdict, epoch: int) -> dict[str, bool]:
    addresses = [entry["divergence"] for entry in verdict["per_seed"] if entry["divergence"]]
    # Mistakes, and a nondeterministic inference, show without a second training.
    anyway = bool(verdict.get("mistakes")) or not all(i["same"] for i in verdict["inference"])
    lengths = {"1": 1, "10": 10, "epoch": epoch}
    return {
        name: anyway or any(_seen(d, lengths[name], epoch) for d in addresses) for name in SHORT
    }


def _named(case: Case, verdict: Verdict) -> tuple[bool, str, bool]:
    """Whether the fault was found, what was named first, and whether that is right."""
    if case.mistake is not None:
        names = [mistake["mistake"] for mistake in verdict.get("mistakes", ())]
        return bool(names), ", ".join(names), case.mistake in names
    found = verdict["verdict"] == "not met"
    if not found or not verdict["causes"]:
        return found, "", False
    first = verdict["causes"][0]
    said = f"{first['where']} {first['evidence']}"
    right = first["cause"] == case.cause and case.where in said
    return found, f"{first['cause']}: {first['where']}", right


def _alarm(clean: Verdict | None) -> str:
    """What is wrong with the verdict on a correct twin; empty where nothing is."""
    if clean is None:
        return "no verdict"
    names = [mistake["mistake"] for mistake in clean.get("mistakes", ())]
    return ", ".join([*([] if clean["verdict"] == "met" else [clean["verdict"]]), *names])


def judged(case: Case, fault: Verdict | None, clean: Verdict | None, epoch: int) -> Outcome:
    """Compares what a control expects with what was found.

    Args:
        case: the control.
        fault: the verdict on it; None where there is none.
        clean: the verdict on its correct twin.
        epoch: how many steps an epoch of it has.

    Returns:
        The outcome; a missing verdict is a fault not found, and a false alarm.
    """
    if fault is None:
        nothing = dict.fromkeys(SHORT, False)
        return Outcome(case, False, "no verdict", False, _alarm(clean), nothing)
    found, named, right = _named(case, fault)
    short = {name: found and seen for name, seen in _short(fault, epoch).items()}
    return Outcome(case, found, named, found and right, _alarm(clean), short)


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """The counts that the controls are for, each with whether its goal is reached.

    Args:
        outcomes: at least one.

    Returns:
        Recall, right first causes, false alarms, and the recall of shorter repeats.
    """
    n = len(outcomes)
    found, right, alarms = (
        sum(bool(getattr(outcome, what)) for outcome in outcomes)
        for what in ("found", "right", "alarm")
    )
    steps = {"1": "{steps: 1}", "10": "{steps: 10}", "epoch": "one epoch"}
    return [
        Figure("faults found", found, n, found == n),
        Figure("right first causes", right, n, right >= RIGHT_CAUSES * n),
        Figure("false alarms", alarms, n, alarms == 0),
        *(
            Figure(f"found with `repeat` of {steps[name]}", sum(o.short[name] for o in outcomes), n)
            for name in SHORT
        ),
    ]


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines of a Markdown table with one row for each control."""
    yield "| control | found | first cause | expected | right | its correct twin |"
    yield "|---|---|---|---|---|---|"
    for outcome in outcomes:
        found, right = ("yes" if value else "NO" for value in (outcome.found, outcome.right))
        cells = (outcome.case.name, found, outcome.named, outcome.case.expected, right)
        yield f"| {' | '.join(cells)} | {outcome.alarm or 'met'} |"
