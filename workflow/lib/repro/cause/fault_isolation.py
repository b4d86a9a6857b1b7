"""Fault isolation: whether a step is nondeterministic, or depends on a factor, and on which.

Synopsis:
    outcome = search(suspects, likely, attempt, budget)
    outcome.kind          # random, a race, stale state, factor, not reproduced, not finished

First the step is run again with nothing varied, several times; only where those runs
agree with the original are factors tried: all of them, then, by halves, fewer (delta
debugging: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE
Trans. Software Eng. 28, 2002). Pure: `attempt` does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from repro.compare.divergence import Divergence

UNVARIED = 3
"""Runs without variation that must agree with the original before a factor is tried."""
AGAIN = 2
"""Further runs in which a factor that was found must change the bits; else it was a race."""

Factors = tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """One step run again: what was varied, whether it gave the original's bits, and which bits.

    `mark` tells trials with other bits apart; `failed` is the sentence of one that broke off, and
    `broken` says that the user's code was not what stopped it; `at` is where it diverges from the
    original.
    """

    step: str
    factors: Factors
    same: bool
    mark: str
    failed: str | None = None
    at: Divergence | None = None
    broken: bool = False


Attempt = Callable[[Factors], Trial]


class BudgetSpent(Exception):
    """The budget of trials is used up."""


class Unsteady(Exception):
    """What changed the bits once did not do so again."""


@dataclass(frozen=True)
class Found:
    """What the trials say.

    `kind` is one of: `random` (other bits each time, with nothing varied), `a race` (other
    bits in some of the runs), `stale state` (the same bits each time, which are not the
    original's), `factor` (named in `factors`, each alone or all together), `not reproduced`,
    `not finished`.
    """

    kind: str
    trials: tuple[Trial, ...]
    factors: tuple[Factors, ...] = ()


@dataclass
class _Attempts:
    attempt: Attempt
    budget: int
    trials: list[Trial] = field(default_factory=list[Trial])

    def __call__(self, factors: Factors) -> Trial:
        if len(self.trials) >= self.budget:
            raise BudgetSpent
        trial = self.attempt(factors)
        self.trials.append(trial)
        return trial


def _unvaried(attempts: _Attempts) -> str | None:
    """The kind, where runs with nothing varied already differ from the original; else None."""
    marks: list[str] = []
    for _ in range(UNVARIED):
        trial = attempts(())
        marks.append("" if trial.same else trial.mark)
        # Two that differ from the original and from one another leave nothing to ask.
        if len(marks) > 1 and len({"", *marks}) == len(marks) + 1:
            return "random"
    if set(marks) == {""}:
        return None
    return "stale state" if len(set(marks)) == 1 else "a race"


def _smallest(suspects: Factors, attempts: _Attempts) -> Factors:
    """Fewest factors that together change the bits: all of `suspects` together do (ddmin)."""
    remaining, pieces = list(suspects), 2
    while len(remaining) > 1:
        size = -(-len(remaining) // pieces)
        parts = [remaining[start : start + size] for start in range(0, len(remaining), size)]
        others = [[f for f in remaining if f not in part] for part in parts] if pieces > 2 else []
        chosen = (*parts, *others)
        guilty = next((part for part in chosen if not attempts(tuple(part)).same), None)
        if guilty is not None:
            remaining, pieces = guilty, 2 if guilty in parts else max(pieces - 1, 2)
        elif pieces >= len(remaining):
            break
        else:
            pieces = min(len(remaining), 2 * pieces)
    return tuple(remaining)


def _factors(
    suspects: Factors, likely: Iterable[str], attempts: _Attempts, culprits: list[Factors]
) -> None:
    """Adds to `culprits` every factor, or smallest set of them, that changes the bits by itself."""

    def add(guilty: Factors) -> None:
        if any(attempts(guilty).same for _ in range(AGAIN)):
            raise Unsteady
        culprits.append(guilty)

    for factor in likely:
        if not attempts((factor,)).same:
            add((factor,))
    while True:
        rest = tuple(
            factor for factor in suspects if all(factor not in named for named in culprits)
        )
        if not rest or attempts(rest).same:
            return
        add(_smallest(rest, attempts))


def search(
    suspects: Sequence[str], likely: Callable[[], Iterable[str]], attempt: Attempt, budget: int
) -> Found:
    """Finds out what a divergence depends on, in at most `budget` trials.

    `suspects` are the factors that were varied in the repeat; `likely` those of them to try one by
    one before the others, asked for when the search comes to factors, since a first trial may have
    told.
    """
    attempts = _Attempts(attempt, budget)
    named: list[Factors] = []
    try:
        kind = _unvaried(attempts)
        if kind is None:
            _factors(tuple(suspects), likely(), attempts, named)
            kind = "factor" if named else "not reproduced"
    except BudgetSpent:
        kind = "factor" if named else "not finished"
    except Unsteady:
        kind, named = "a race", []
    return Found(kind, tuple(attempts.trials), tuple(named))
