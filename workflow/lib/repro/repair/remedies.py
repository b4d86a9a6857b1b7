"""Remedies: which changes of a script are worth a try, by where its runs first diverge and why.

Synopsis:
    for remedy in candidates(case, sources, 1): remedy.words, remedy.edits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from repro.divergence.named_call import UNSEEDED, LedgerCall
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER
from repro.ledger.watched_calls import DRAW, KERAS_SEED, LISTING, SEED
from repro.repair import at_call, at_start
from repro.repair.edits import Edit
from repro.repair.source import UserSource, parsed

_IN_PARALLEL = ("threads", "processes", "unordered stream")
_ENTROPY = ("clock", "process id", "system entropy")
_BY_GLOBAL_SEED = (KERAS_SEED, DRAW, UNSEEDED, SEED)
ONE_ORDER = "one order for every epoch"
"""The silent error of `repro.hook.silent` that a global seed brings to `fit` on arrays."""
_SETS_SEED = ("set_random_seed", "set_seed")


@dataclass(frozen=True)
class Remedy:
    """A change: edits of files, or variables of the environment; `words`: what it does, and where.

    `seeds`: how many numbers from the one that it was made with on it uses up.
    """

    words: str
    edits: tuple[Edit, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    seeds: int = 0


@dataclass(frozen=True)
class DifferenceCause:
    """Why runs differ, as far as it is known.

    `call`: the call to blame. `nondeterministic`: they differ with nothing varied; None where that
    is not known. `factors`: on which they depend. `processors`: how many a run as it is has.
    """

    call: LedgerCall | None
    nondeterministic: bool | None
    factors: tuple[str, ...]
    processors: int = 1


@dataclass
class Sources:
    """The user's files, by their name from the folder of the command; `main`: the script's."""

    read: Callable[[str], bytes | None]
    main: str | None
    _known: dict[str, UserSource | None] = field(default_factory=dict[str, UserSource | None])

    def of(self, name: str | None) -> UserSource | None:
        """A file; None where it cannot be edited."""
        if name is None:
            return None
        if name not in self._known:
            content = self.read(name)
            self._known[name] = None if content is None else parsed(name, content)
        return self._known[name]


def candidates(case: DifferenceCause, sources: Sources, seed: int) -> list[Remedy]:
    """The remedies that may act on a case, the likeliest first.

    Args:
        seed: the first number that no remedy has used yet.
    """
    found = dict[object, Remedy]()
    call = case.call
    at = sources.of(call.file) if call else None
    every = list[Remedy]()
    if call and at:
        every += _at_call(call, at, seed, case.processors)
    if main := sources.of(sources.main):
        every += _at_start(case, main, seed)
    if "hash seed" in case.factors or (call and call.source in (HASH, ORDER, TEXT_ORDER)):
        every.append(Remedy("fixes Python's hash seed", variables=(("PYTHONHASHSEED", "0"),)))
    for remedy in every:
        if remedy.edits or remedy.variables:
            found.setdefault((remedy.edits, remedy.variables), remedy)
    return [*found.values()]


def _at_call(call: LedgerCall, source: UserSource, seed: int, processors: int) -> Iterator[Remedy]:
    def remedy(words: str, edits: Sequence[Edit]) -> Remedy:
        return Remedy(f"{words} ({source.name}, line {call.line})", tuple(edits))

    if call.source == UNSEEDED:
        edits = tuple(at_call.seeded(source, call, seed))
        words = f"gives {call.call} a seed ({source.name}, line {call.line})"
        yield Remedy(words, edits, seeds=len(edits))
    elif call.source == LISTING:
        yield remedy(f"sorts what {call.call} lists", at_call.in_listed_order(source, call))
    elif call.source in (ORDER, TEXT_ORDER):
        yield remedy("sorts the set before it is gone through", at_call.sorted_set(source, call))
    elif call.source == HASH:
        edits = at_call.without_hash(source, call)
        imported = at_start.imported(source, "zlib") if edits else ()
        yield remedy("takes a checksum in place of hash()", (*imported, *edits))
    elif call.source == ONE_ORDER:
        words = "lets each epoch go through the examples in another order, as it did without a seed"
        edits = at_call.in_fresh_order(source, call, seed)
        module = at_start.tensorflow(source) if edits else ()
        yield Remedy(f"{words} ({source.name}, line {call.line})", (*module, *edits), seeds=1)
    elif call.source == "processors":
        words = "fixes the number of processors that it counts"
        yield remedy(words, at_call.fixed_count(source, call, processors))
    elif call.source == "file times":
        yield remedy("sorts files by name", at_call.by_name(source, call))
    elif call.source in (SEED, *_ENTROPY):
        edits = tuple(at_call.constant_seed(source, call, seed))
        words = f"makes the seed a fixed number ({source.name}, line {call.line})"
        yield Remedy(words, edits, seeds=1)
    yield remedy(
        "takes results in the order in which they were asked for",
        at_call.in_asked_order(source, call),
    )


def _at_start(case: DifferenceCause, main: UserSource, seed: int) -> Iterator[Remedy]:
    source = case.call.source if case.call else None
    threads = Remedy("sets the number of threads within an operation",
                     tuple(at_start.threads(main, case.processors)))  # fmt: skip
    may_be_threads = source in (None, *_IN_PARALLEL)
    if "processors" in case.factors and may_be_threads:
        yield threads
    if case.nondeterministic is False or source not in (None, *_IN_PARALLEL, *_BY_GLOBAL_SEED):
        return
    seeds = _named(case.call) or not any(name in main.content.decode() for name in _SETS_SEED)
    seeding = Remedy("sets all seeds once, after the imports",
                     tuple(at_start.seed(main, seed)), seeds=1)  # fmt: skip
    operations = tuple(at_start.determinism(main))
    if seeds and source not in _IN_PARALLEL:
        yield seeding
    yield Remedy("lets one worker read the data", tuple(at_call.one_worker(main)))
    if source in (None, *_IN_PARALLEL):
        yield Remedy("asks TensorFlow for deterministic operations", operations)
    if seeds:
        words = "sets all seeds once, and asks TensorFlow for deterministic operations"
        yield Remedy(words, (*seeding.edits, *operations), seeds=1)
    if not case.factors and may_be_threads:  # of what differs anyway, no factor was looked for
        yield threads


def _named(call: LedgerCall | None) -> bool:
    """Whether a call says that the global seed is missing, or set too late."""
    return call is not None and call.source in _BY_GLOBAL_SEED
