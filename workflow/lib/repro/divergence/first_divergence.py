"""First divergence: the first event that differs between two watched runs, or that one lacks.

Synopsis:
    first_divergence(left, right)      # folders of events; None where all agree
    compared_steps(left, right).agreed

Events are aligned by what they are (process, model) and how often that was there before, not by
their place in the file. Beside the divergence stands the call that explains it best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.divergence.named_call import BY_NATURE, CallsSideBySide, named_call
from repro.divergence.recorded import Key, Moment, WatchedProcess, read
from repro.ledger.blamed import LedgerCall

_KINDS = ("seed", "weight", "other")
"""Of several variables that differ in one step, the one to name: causes before effects."""


@dataclass(frozen=True)
class StepDivergence:
    """Where two runs first differ.

    Args:
        step: of the model, from 1; 0 for initial values.
        after: the last step of that model before it at which the same was compared and agreed;
            less than `step - 1` where steps between were left out for their cost.
        variable: its path; empty where the batch differs or an event is missing.
        what: `initial value`, `batch`, `value`, `missing in the first run`, `missing in the second
            run`.
        others: paths of other variables that differ in the same event.
        agreed: steps, of all models, that agreed before it.
    """

    step: int
    after: int
    epoch: int | None
    fit: int | None
    model: str
    variable: str
    what: str
    others: tuple[str, ...]
    agreed: int
    call: LedgerCall | None


@dataclass(frozen=True)
class StepComparison:
    """How many steps were compared and agreed, and the first divergence, if there is one.

    Args:
        agreed: a step that was left out is one of them as soon as a later one agrees.
        left_out: of these, the steps at which, for their cost, no variables were compared.
        undecided: steps that were left out, and none of their model was compared later.
    """

    agreed: int
    left_out: int
    divergence: StepDivergence | None
    undecided: int = 0


def first_divergence(left: Path, right: Path) -> StepDivergence | None:
    """The first event that differs between two runs' folders of events; None where all agree."""
    return compared_steps(left, right).divergence


def compared_steps(left: Path, right: Path, suspects: Sequence[str] = BY_NATURE) -> StepComparison:
    """Compares two runs' events, process by process, in the order of the left run.

    Args:
        suspects: the sources, of those that differ by their nature, that may be named.
    """
    agreed = left_out = undecided = 0
    for one, other in _paired(read(left), read(right)):
        found = _compared(one, other, suspects)
        agreed, left_out = agreed + found.agreed, left_out + found.left_out
        undecided += found.undecided
        if found.divergence:
            first = replace(found.divergence, agreed=agreed)
            return StepComparison(agreed, left_out, first, undecided)
    return StepComparison(agreed, left_out, None, undecided)


_NONE = WatchedProcess((), (), (), (), {}, ended=False, deterministic=False)


def _paired(
    left: Sequence[WatchedProcess], right: Sequence[WatchedProcess]
) -> Iterable[tuple[WatchedProcess, WatchedProcess]]:
    """Processes that trained, by what they were started with and occurrence.

    What is left of both is paired by the script alone, since a name of a temporary file may be
    among the arguments; for the rest there is an empty one.
    """
    ours, theirs = ([each for each in run if each.moments] for run in (left, right))
    pairs: dict[int, WatchedProcess] = {}
    for parts in (None, 1):
        taken = {id(process) for process in pairs.values()}
        waiting = _numbered([each for each in theirs if id(each) not in taken], parts)
        single = [each for each in ours if id(each) not in pairs]
        for key, process in _numbered(single, parts).items():
            if key in waiting:
                pairs[id(process)] = waiting[key]
    yield from ((process, pairs.get(id(process), _NONE)) for process in ours)
    taken = {id(process) for process in pairs.values()}
    yield from ((_NONE, process) for process in theirs if id(process) not in taken)


def _numbered(
    processes: Iterable[WatchedProcess], parts: int | None
) -> dict[tuple[tuple[str, ...], int], WatchedProcess]:
    """By so many parts of the identity, and how often that was there before."""
    seen = Counter[tuple[str, ...]]()
    found: dict[tuple[tuple[str, ...], int], WatchedProcess] = {}
    for process in processes:
        key = process.identity[:parts]
        seen[key] += 1
        found[key, seen[key]] = process
    return found


@dataclass
class _Progress:
    """How far the comparison of two processes has come."""

    agreed: int = 0
    left_out: int = 0
    variables: dict[str, int] = field(default_factory=dict[str, int])
    batches: dict[str, int] = field(default_factory=dict[str, int])
    waiting: Counter[str] = field(default_factory=Counter[str])

    def agree(self, one: Moment, other: Moment) -> None:
        """Nothing differed at this moment, as far as both runs looked."""
        if one.step == 0:
            return  # new variables say nothing of what was trained before
        if not (_unread(one) or _unread(other)):
            self.batches[one.model] = one.step
        if one.variables is None or other.variables is None:
            self.waiting[one.model] += 1
            return
        self.variables[one.model] = one.step
        left_out = self.waiting.pop(one.model, 0)
        self.agreed += left_out + 1
        self.left_out += left_out

    def after(self, moment: Moment, what: str) -> int:
        """The last step before at which the same was compared."""
        if what.startswith("missing"):
            return moment.step - 1
        return (self.batches if what == "batch" else self.variables).get(moment.model, 0)


def _compared(
    left: WatchedProcess, right: WatchedProcess, suspects: Sequence[str]
) -> StepComparison:
    ours, theirs = (_by_identity(run.moments) for run in (left, right))
    progress, calls = _Progress(), CallsSideBySide(left, right)
    divergence = None
    for moment in _merged(left.moments, right.moments, ours):
        one, other = ours.get(moment.identity), theirs.get(moment.identity)
        calls.take(one, other)
        if moment.step == 0 and (one is None or other is None):
            continue  # variables that are made and never used may be gone by then, or not
        different = _different(one, other)
        if different is not None:
            what, variables = different
            call = named_call(
                calls.until_now(),
                suspects,
                initial=what == "initial value",
                deterministic=left.deterministic and right.deterministic,
            )
            divergence = _divergence(moment, what, variables, progress, call)
            break
        assert one is not None
        assert other is not None
        progress.agree(one, other)
    undecided = sum(progress.waiting.values())
    return StepComparison(progress.agreed, progress.left_out, divergence, undecided)


def _divergence(
    moment: Moment,
    what: str,
    variables: Iterable[Key],
    progress: _Progress,
    call: LedgerCall | None,
) -> StepDivergence:
    names = tuple(dict.fromkeys(path for path, *_ in variables))
    return StepDivergence(
        step=moment.step,
        after=progress.after(moment, what),
        epoch=moment.epoch,
        fit=moment.fit,
        model=moment.model,
        variable=names[0] if names else "",
        what=what,
        others=names[1:],
        agreed=progress.agreed,
        call=call,
    )


def _by_identity(moments: Iterable[Moment]) -> dict[tuple[str, int], Moment]:
    return {moment.identity: moment for moment in moments}


def _merged(
    left: Sequence[Moment],
    right: Sequence[Moment],
    ours: Mapping[tuple[str, int], Moment],
) -> Iterable[Moment]:
    """All moments in the left run's order; those of the right alone where they come there."""
    places = {moment.identity: place for place, moment in enumerate(right)}
    position = 0
    for moment in left:
        place = places.get(moment.identity, position - 1)
        yield from (each for each in right[position:place] if each.identity not in ours)
        position = max(position, place + 1)
        yield moment
    yield from (moment for moment in right[position:] if moment.identity not in ours)


def _different(one: Moment | None, other: Moment | None) -> tuple[str, list[Key]] | None:
    """What differs, and of the variables which, the one to name first; None where nothing does."""
    if one is None or other is None:
        return f"missing in the {'first' if one is None else 'second'} run", []
    if one.batch != other.batch and not _unread(one) and not _unread(other):
        return "batch", []
    variables = _differing(one, other)
    if not variables:
        return None
    return "value" if one.step else "initial value", variables


def _single(variables: Iterable[Key]) -> set[str]:
    """The paths that one variable alone has."""
    return {path for path, count in Counter(path for path, *_ in variables).items() if count == 1}


def _unread(moment: Moment) -> bool:
    """Whether its batch was left out, with its variables."""
    return moment.variables is None and moment.batch is None


def _differing(one: Moment, other: Moment) -> list[Key]:
    if one.variables is None or other.variables is None:
        return []
    ours, theirs = one.variables, other.variables
    keys = dict.fromkeys([*ours, *theirs])
    if one.step == 0:  # one that is made and never used may be gone by then, or not
        other_shapes = _single(ours) & _single(theirs)
        keys = [key for key in keys if (key in ours and key in theirs) or key[0] in other_shapes]
    found = [key for key in keys if ours.get(key) != theirs.get(key)]
    return sorted(found, key=lambda key: _KINDS.index(key[3]))
