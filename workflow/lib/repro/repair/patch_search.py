"""Patch search: the smallest set of remedies under which a script's runs agree.

Synopsis:
    found = search(first, candidates, attempt)     # attempt(remedies) runs the changed script
    found.remedies, found.tried

It follows the runs: the remedies for the first difference are tried one by one. One that brings
agreement ends the search; with one that moves the difference elsewhere the search goes on from
there; any other is dropped. In the end each remedy that was kept must have been needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from repro.divergence.first_divergence import StepDivergence
from repro.ledger.blamed import LedgerCall
from repro.repair.remedies import Remedy

MOST = 8
"""So many sets of remedies at most are tried."""
MISSED = 0.05
"""The probability with which a patch may pass that mends nothing."""
FEWEST = 2


@dataclass(frozen=True)
class Attempt:
    """What two runs with some remedies showed.

    `failed`: the changed script fails. `first`: where they first diverge, where they were seen to.
    `spoiled`: what is wrong in both of them though it was not before: the silent error in place of
    a source, and its line. `silent`: the names of all silent errors.
    """

    same: bool
    failed: bool = False
    first: StepDivergence | None = None
    spoiled: tuple[LedgerCall, ...] = ()
    silent: tuple[str, ...] = ()


Remedies = tuple[Remedy, ...]
Trying = Callable[[Remedies], "Attempt | None"]
"""Runs the script with some remedies; None where no time is left for it."""
Candidates = Callable[["LedgerCall | None", int], Sequence[Remedy]]


@dataclass(frozen=True)
class PatchSearch:
    """What the search found.

    `remedies`: empty where none made the runs agree. `complete`: whether it came to its end.
    `tried`: how many sets. `left`: where the runs diverged under what helped furthest; `helped`:
    that, where it was not enough.
    """

    remedies: Remedies
    complete: bool
    tried: int
    left: StepDivergence | None
    spoiled: tuple[LedgerCall, ...] = ()
    helped: Remedies = ()


class _OutOfTime(Exception):
    """No time is left for another attempt."""


@dataclass
class _Search:
    attempt: Trying
    candidates: Candidates
    at: StepDivergence | None
    kept: Remedies = ()
    tried: dict[Remedies, Attempt] = field(default_factory=dict[Remedies, Attempt])
    second: Remedies | None = None
    """What agrees, but spoils something."""
    doubtful: Remedies = ()
    """Those that were kept before the runs agreed, and may not be needed."""

    def try_(self, remedies: Remedies) -> Attempt:
        if remedies not in self.tried:
            found = self.attempt(remedies) if len(self.tried) < MOST else None
            if found is None:
                raise _OutOfTime
            self.tried[remedies] = found
        return self.tried[remedies]

    def agreeing(self) -> Remedies | None:
        """The first set that agrees and spoils nothing; else one that agrees; else None."""
        while (found := self._next()) is not None:
            if found.same:
                return self.kept
        return self.second

    def _next(self) -> Attempt | None:
        """Keeps the first remedy for the present difference that agrees, or moves it elsewhere."""
        for remedy in self._offered(self.at.call if self.at else None, self.kept):
            found = self.try_((*self.kept, remedy))
            if found.same:
                self.doubtful = self.kept
            if found.same and found.spoiled:
                self.second = self.second or (*self.kept, remedy)
                if unspoiled := self._unspoiled((*self.kept, remedy), found):
                    return unspoiled
            elif found.same or (not found.failed and _moved(self.at, found.first)):
                self.kept, self.at = (*self.kept, remedy), found.first
                return found
        return None

    def _offered(self, call: LedgerCall | None, kept: Remedies) -> list[Remedy]:
        seed = 1 + sum(remedy.seeds for remedy in kept)
        # By their words: with another seed it is the same remedy.
        known = {remedy.words for remedy in kept}
        return [each for each in self.candidates(call, seed) if each.words not in known]

    def _unspoiled(self, remedies: Remedies, found: Attempt) -> Attempt | None:
        """Keeps these remedies with one for what they spoil, if there is one."""
        for error in found.spoiled:
            for remedy in self._offered(error, remedies):
                better = self.try_((*remedies, remedy))
                if better.same and not better.spoiled:
                    self.kept = (*remedies, remedy)
                    return better
        return None

    def needed(self, remedies: Remedies) -> Remedies:
        """Those without which the runs do not agree."""
        for remedy in self.doubtful:
            rest = tuple(each for each in remedies if each is not remedy)
            found = self.try_(rest)
            if found.same and not found.spoiled:
                remedies = rest
        return remedies


def _moved(before: StepDivergence | None, after: StepDivergence | None) -> bool:
    """Whether the steps agree for longer, or all of them, or differ through another call."""
    if before is None or after is None:
        return after is not before
    if after.agreed != before.agreed:
        return after.agreed > before.agreed
    return after.call is not None and after.call != before.call


def search(first: StepDivergence | None, candidates: Candidates, attempt: Trying) -> PatchSearch:
    """Looks for the smallest set of remedies that makes the runs agree.

    Args:
        first: where the runs of the script as it is diverge.
        candidates: the remedies for a difference, with the first number that is free for a seed.
    """
    looking = _Search(attempt, candidates, first)
    found, complete = None, True
    try:
        found = looking.agreeing()
        found = looking.needed(found) if found else None
    except _OutOfTime:
        complete = found is not None or len(looking.tried) >= MOST
        found = found or looking.second
    spoiled = looking.tried[found].spoiled if found else ()
    helped = () if found else looking.kept
    return PatchSearch(found or (), complete, len(looking.tried), looking.at, spoiled, helped)


def runs_needed(differing: int, made: int) -> int:
    """So many further runs would have shown the difference with 95 %, at the rate of its coming.

    Args:
        differing: the runs that differed from the first one, at least 1, of those that were `made`.

    Example:
        >>> runs_needed(2, 2), runs_needed(1, 2), runs_needed(1, 10)
        (2, 5, 29)
    """
    if differing >= made:
        return FEWEST
    return max(FEWEST, math.ceil(math.log(MISSED) / math.log(1 - differing / made)))
