"""Named call: of what was called before a divergence, the call that explains it best.

Synopsis:
    calls = CallsSideBySide(left, right)
    calls.take(one, other)                # moment by moment, up to the divergence
    named_call(calls.until_now(), BY_NATURE, initial=False, deterministic=False)

That is the first call whose results differ; where none does, one that may differ and is suspected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.divergence.recorded import Moment, Site, WatchedProcess
from repro.ledger.blamed import UNSEEDED, LedgerCall
from repro.ledger.environment_reads import WHOLE
from repro.ledger.watched_calls import KERAS_SEED, SURROUNDINGS, TEMPORARY_NAME, VALUED

BY_NATURE = (
    UNSEEDED, "system entropy", "unordered stream", "threads", "processes", "another program",
    "network", "process id", TEMPORARY_NAME, "clock",
)  # fmt: skip
"""Sources that differ in each run by their nature, the likeliest first."""
_MAKING_SEEDS = (UNSEEDED, "system entropy", "process id")
_SETTINGS = (WHOLE, *SURROUNDINGS)

Calls = Mapping[Site, tuple[int, str]]
"""What was called before a moment: how often by then, and the results' digest."""


class CallsSideBySide:
    """What two processes called before each moment that both have.

    What one of them called before a moment of its own alone counts to the next that both have.
    """

    def __init__(self, left: WatchedProcess, right: WatchedProcess) -> None:
        self._left, self._right = _Side(left), _Side(right)
        self._pairs: list[tuple[Calls, Calls]] = []

    def take(self, one: Moment | None, other: Moment | None) -> None:
        """Goes on to a moment, as both have it, or one alone."""
        self._left.take(one)
        self._right.take(other)
        if one and other:
            self._pairs.append((self._left.given(), self._right.given()))

    def until_now(self) -> Sequence[tuple[Calls, Calls]]:
        """What was called up to the last moment; where that is missing, what was instead of it."""
        if not (self._left.lacking or self._right.lacking):
            return self._pairs
        return [*self._pairs, (self._left.given(), self._right.given())]


class _Side:
    """The calls of one of them that stand beside no other's yet."""

    def __init__(self, process: WatchedProcess) -> None:
        self._process = process
        self._taken = set[tuple[str, int]]()
        self._calls: dict[Site, tuple[int, str]] = {}
        self.lacking = False

    def take(self, moment: Moment | None) -> None:
        self.lacking = moment is None
        if moment:
            self._taken.add(moment.identity)
            self._calls.update(moment.calls)

    def given(self) -> Calls:
        """These calls, which are given away; where a moment is lacking, with those behind them."""
        calls, self._calls = self._calls, {}
        if not self.lacking:
            return calls
        behind = (each for each in self._process.moments if each.identity not in self._taken)
        following = next(behind, None)
        return {**calls, **(following.calls if following else self._process.last_calls)}


def named_call(
    calls: Sequence[tuple[Calls, Calls]],
    suspects: Sequence[str],
    *,
    initial: bool,
    deterministic: bool,
) -> LedgerCall | None:
    """The first call that differs; else the likeliest suspect.

    Args:
        calls: of both runs, before each moment.
        suspects: the sources that may be named where no result differs, the likeliest first.
        initial: whether it is an initial value that differs, which Keras draws from seeds.
        deterministic: whether TensorFlow's operations were.
    """
    every, differing = _walked(calls)
    if initial and any(site[0] == KERAS_SEED for site, _ in differing):
        differing = [each for each in differing if _seeds_keras(each[0])]
    for site, count in differing[:1]:
        return LedgerCall(*_behind(site, every[:count]))
    suspected = [site for site in every if site[0] in suspects]
    if deterministic:  # then these keep the order of their elements, whatever their arguments say
        suspected = [site for site in suspected if not _in_parallel(site)]
    once = {site for site in suspected if site[0] == TEMPORARY_NAME and _often(site, calls) == 1}
    # One name alone has no order.
    suspected.sort(key=lambda site: (suspects.index(site[0]), site in once))
    return LedgerCall(*suspected[0]) if suspected else None


def _walked(
    calls: Sequence[tuple[Calls, Calls]],
) -> tuple[list[Site], list[tuple[Site, int]]]:
    """All calls as they came, and those that differ, each with how many came before it."""
    every: dict[Site, None] = {}
    differing: list[tuple[Site, int]] = []
    for ours, theirs in calls:
        for site in dict.fromkeys([*ours, *theirs]):
            if site[0] in VALUED and ours.get(site) != theirs.get(site):
                differing.append((site, len(every)))
            every[site] = None
    return [*every], differing


def _often(site: Site, calls: Sequence[tuple[Calls, Calls]]) -> int:
    return max(side[site][0] for pair in calls for side in pair if site in side)


def _in_parallel(site: Site) -> bool:
    return site[0] in ("threads", "unordered stream") and site[1].startswith("tensorflow.data.")


def _seeds_keras(site: Site) -> bool:
    return site[0] == KERAS_SEED or site[1] == "random.seed"


def _behind(site: Site, before: Sequence[Site]) -> Site:
    """What gave a call that differs its numbers, of those before it; or the call itself."""
    if site[0] == "seed":
        return _made_from(before) or site
    unseeded = [each for each in before if each[0] == UNSEEDED]
    if site[0] == KERAS_SEED:
        unseeded = [each for each in unseeded if each[1] == "random.seed"]
    elif not (site[1].startswith("numpy.random.") and site[1].count(".") > 2):
        return site
    return unseeded[-1] if unseeded else site


def _made_from(before: Sequence[Site]) -> Site | None:
    """The call from which a seed that differs was likely made.

    Scripts also ask the clock for how long they take, and read settings: that counts right before
    the seed only.
    """
    last = before[-1] if before else None
    if last and last[0] == "clock":
        return last
    making = next((site for site in reversed(before) if site[0] in _MAKING_SEEDS), None)
    return making or (last if last and last[0] in _SETTINGS else None)
