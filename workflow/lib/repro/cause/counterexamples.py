"""Counterexamples: where all runs agree, further runs that aim at what they had in common.

Synopsis:
    counterexample = counterexamples(runs, repeats, budget, say)
    counterexample.comparison          # of the first run that gave other bits; None as a rule

Two things agree in an original and its repeats though the next run may differ: a small set of text
that had one order under all hash seeds, and a file that every run leaves for the next, since no
repeat sees what the original left. Where there is neither, nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.cause.causes import CAUSES, remedy
from repro.cause.diagnose import Cause
from repro.cause.fault_isolation import Trial
from repro.cause.growth import Growth
from repro.cause.set_order import NotedSet, in_one_order, noted, reordering, steps_with_sets
from repro.cause.setting import Runs, Setting
from repro.cause.trials import scratch
from repro.compare.divergence import Divergence, place
from repro.compare.runs import Comparison
from repro.core.factor_table import FACTORS
from repro.core.text import lasting, shortened
from repro.launch.drawn_values import hash_seed
from repro.launch.reporting import Say
from repro.record.step import Step

_HASH_SEED = "hash seed"
_CANDIDATES = tuple(f"order-{number}" for number in range(1, 65))
_MOST = 3
"""So many further runs at most are made for the sets of a step."""
_READING = ("file outside the inputs", "home", "temporary folder", "working directory")
_FAILED = {"prepare": "prepared data", "train": "length", "evaluate": "metrics"}
_WORK = {"prepare": "`dataset`", "train": "training", "evaluate": "evaluation"}
_SHOWN = 2


@dataclass(frozen=True)
class Repeats:
    """What agrees with the original: the steps of all runs, what was varied, and an early end."""

    steps: Sequence[Step]
    factors: Sequence[str]
    limit: Mapping[str, int] | None

    @property
    def names(self) -> list[str]:
        """The names of the repeats."""
        return sorted({step.run for step in self.steps if step.run != "original"})

    def leaving(self) -> dict[str, list[str]]:
        """Of each step of which a repeat left something, what and where."""
        by_step: dict[str, list[str]] = {}
        for step in self.steps:
            if step.run != "original" and (left := step.process.get("left")):
                named = [f"{lasting(e['path'])} in {e['place']}" for e in left]
                by_step.setdefault(step.name, list(dict.fromkeys(named)))
        return by_step


@dataclass
class Counterexamples:
    """The first run that gave other bits, its cause, what was tried, and what to bear in mind.

    There is no cause where that run varied nothing: then it is to be searched for, which also gives
    the growth of the difference.
    """

    comparison: Comparison | None = None
    causes: list[Cause] = field(default_factory=list[Cause])
    trials: list[Trial] = field(default_factory=list[Trial])
    warnings: list[str] = field(default_factory=list[str])
    growth: Growth | None = None

    def counted(self, trial: Trial) -> Trial:
        """Counts a trial."""
        self.trials.append(trial)
        return trial

    def broken(self, trial: Trial) -> bool:
        """Whether a trial could not be carried out, and so says nothing; then it is warned of."""
        if trial.broken:
            self.warnings.append(
                f"A further run of {_WORK[trial.step]} could not be carried out, and so says "
                f"nothing: {trial.failed}"
            )
        return trial.broken

    def parts(self, seed: int, trial: Trial, label: str) -> str:
        """Keeps that a trial diverges from the original; says where."""
        at = trial.at or Divergence(_FAILED[trial.step])
        self.comparison = Comparison(label, seed, at, {}, trial=True)
        return place(at)


@dataclass
class _Search:
    runs: Runs
    repeats: Repeats
    budget: int
    say: Say
    result: Counterexamples = field(default_factory=Counterexamples)

    def setting(self, step: str, limit: Mapping[str, int] | None) -> Setting:
        return Setting(self.runs, step, lambda _: limit)

    def may(self, count: int) -> bool:
        """Whether so many trials may still be made."""
        return len(self.result.trials) + count <= self.budget


def counterexamples(runs: Runs, repeats: Repeats, budget: int, say: Say) -> Counterexamples:
    """Looks for a run that diverges from the original although no repeat did, in `budget` trials.

    A warning says what could not be tried.
    """
    search = _Search(runs, repeats, budget, say)
    for step, left in repeats.leaving().items():
        if search.result.comparison is None:
            _in_sight(search, step, left)
    if _HASH_SEED in repeats.factors:
        repeated = {step.name for step in repeats.steps if step.run != "original"}
        for step in steps_with_sets(Path(runs.inputs["experiment"])):
            if search.result.comparison is None and step in repeated:
                _reordered(search, step)
    return search.result


def _in_sight(search: _Search, step: str, left: Sequence[str]) -> None:
    """Runs a step twice among the same folders, the second time in sight of what it left there."""
    result, what = search.result, f"{_WORK[step]} leaves {shortened(left, _SHOWN)}"
    if not search.may(2):
        result.warnings.append(
            f"{what}. Whether a later run that finds this gives other bits was not tried: "
            "`search.trials` allows no more trials."
        )
        return
    search.say(f"{what}: it is run twice more, the second time in sight of that.")
    factors, detail = tuple(search.repeats.factors), dict[str, Any]()
    with scratch(search.setting(step, search.repeats.limit)) as trials:
        trial = result.counted(trials.attempt(factors, detail, twice=True))
        if trial.same or result.broken(trial):
            return
        control = result.counted(trials.attempt(factors))
    where = result.parts(
        search.runs.seed, trial, f"a second run of {_WORK[step]}, in sight of what the first left"
    )
    if not control.same:
        return
    evidence = (
        f"{what}; a second run in sight of that gave other bits, one that cannot see it the "
        "original's"
    )
    if trial.failed:
        evidence += f"; it stopped with: {trial.failed}"
    calls = detail.get("calls", ())
    call = next((c for kind in _READING for c in calls if c["source"] == kind), None)
    file, line = (call["file"], call["line"]) if call else (None, None)
    if call:
        evidence += f"; the code calls {call['call']} ({call['source']}) at {file}, line {line}"
    to_do = CAUSES["stale state"].remedy
    result.causes.append(Cause("stale state", where, evidence, to_do, True, 2, file, line))


def _reordered(search: _Search, step: str) -> None:
    """Runs a step under hash seeds that give its sets an order that no run had."""
    sets = in_one_order(
        _noted(search, step), ["0", *(hash_seed(name) for name in search.repeats.names)]
    )
    names = list(_CANDIDATES)
    for _ in range(_MOST):
        if not sets or not search.may(1) or not (name := reordering(sets, names)):
            break
        search.say(f"{_WORK[step]} is run again in another order of {_places(sets)}.")
        names.remove(name)
        detail: dict[str, Any] = {}
        with scratch(search.setting(step, search.repeats.limit)) as trials:
            trial = search.result.counted(trials.attempt((_HASH_SEED,), detail, like=name))
        if search.result.broken(trial):
            break
        if not trial.same:
            _blame(search, trial, sets, name)
            return
        sets = _unmoved(sets, noted(detail))
    if sets:
        search.result.warnings.append(
            f"Of {_places(sets)} the first element was the same in all runs, and no other could be "
            "tried: whether the result depends on it is unknown."
        )


def _noted(search: _Search, step: str) -> list[NotedSet]:
    """The sets over which a step iterates, as a run with nothing varied shows them."""
    result, limit = search.result, search.repeats.limit
    if step == "train" and limit is None:
        limit = {"epochs": 1}
    if not search.may(1):
        result.warnings.append(
            f"Whether {_WORK[step]} depends on the order of a set was not tried: `search.trials` "
            "allows no more trials."
        )
        return []
    detail: dict[str, Any] = {}
    with scratch(search.setting(step, limit)) as trials:
        trial = result.counted(trials.attempt((), detail))
    if result.broken(trial):
        return []
    if trial.failed:
        result.warnings.append(
            f"The sets in {_WORK[step]} were not looked at: the run that notes them stopped with: "
            f"{trial.failed}"
        )
    elif not trial.same:
        result.parts(search.runs.seed, trial, f"a further run of {_WORK[step]} with nothing varied")
        return []
    return noted(detail)


def _blame(search: _Search, trial: Trial, sets: Sequence[NotedSet], name: str) -> None:
    where = search.result.parts(
        search.runs.seed, trial, f"a further run of {_WORK[trial.step]} under another hash seed"
    )
    places = _places(sets)
    evidence = (
        f"with PYTHONHASHSEED={hash_seed(name)}, under which {places} "
        f"{'have' if places.startswith('the sets') else 'has'} another order than in all runs "
        "before, other bits came; with nothing varied the same"
    )
    if trial.failed:
        evidence += f"; it stopped with: {trial.failed}"
    to_do = remedy({"call": "iteration over a set", "source": "hash"}, FACTORS[_HASH_SEED].remedy)
    search.result.causes.append(
        Cause(f"factor: {_HASH_SEED}", where, evidence, to_do, True, 2, sets[0].file, sets[0].line)
    )


def _unmoved(sets: Iterable[NotedSet], now: Sequence[NotedSet]) -> list[NotedSet]:
    """Those that did not come in another order."""
    return [
        before
        for before in sets
        if not any(
            (before.file, before.line) == (after.file, after.line)
            and sorted(before.order) == sorted(after.order)
            and before.order[0] != after.order[0]
            for after in now
        )
    ]


def _places(sets: Sequence[NotedSet]) -> str:
    places = dict.fromkeys(f"{noted_set.file}, line {noted_set.line}" for noted_set in sets)
    return f"{'the set' if len(places) == 1 else 'the sets'} at {shortened(list(places), _SHOWN)}"
