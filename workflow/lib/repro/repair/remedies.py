"""Remedies: which changes of a script are worth a try, by where its runs first diverge and why.

Synopsis:
    for remedy in candidates(case, sources, 1): remedy.words, remedy.edits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from repro.ledger.blamed import UNSEEDED, LedgerCall
from repro.ledger.environment_reads import WHOLE
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER
from repro.ledger.watched_calls import DRAW, KERAS_SEED, LISTING, SEED, TEMPORARY_NAME
from repro.repair import at_call, at_seed, at_silent, at_start
from repro.repair.edits import Edit
from repro.repair.source import UserSource, parsed

_IN_PARALLEL = ("threads", "processes", "unordered stream")
_MAKING_SEEDS = (
    SEED, "clock", "process id", "system entropy", WHOLE, "environment variable", "network", "home",
    "working directory", "temporary folder", TEMPORARY_NAME, "locale", "time zone",
)  # fmt: skip
_BY_GLOBAL_SEED = (KERAS_SEED, DRAW, UNSEEDED, SEED)
ONE_ORDER = "one order for every epoch"
FROZEN_NOISE = "frozen noise"
RESET = "generator reset in every epoch"
NOT_DETERMINISTIC = "determinism asked for and off"
OVERLAPPING = "overlapping splits"
SILENT = (ONE_ORDER, FROZEN_NOISE, RESET, NOT_DETERMINISTIC, OVERLAPPING)
"""The silent errors of `repro.hook.silent` for which there are remedies."""
_SETS_SEED = ("set_random_seed", "set_seed")
_VARIABLES = {"time zone": ("TZ", ("TZ",), "UTC"), "locale": ("LC_ALL", ("LC_ALL", "LANG"), "C")}
"""By factor: the variable that fixes it, those that say what it is now, and what else it is."""


@dataclass(frozen=True)
class Remedy:
    """A change: edits of files, or variables of the environment; `words`: what it does, and where.

    `seeds`: how many numbers from the one that it was made with on it uses up. `better`: whether it
    changes what is computed even where runs agree, for the better.
    """

    words: str
    edits: tuple[Edit, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    seeds: int = 0
    better: bool = False


@dataclass(frozen=True)
class DifferenceCause:
    """Why runs differ, as far as it is known.

    `call`: the call to blame. `nondeterministic`: they differ with nothing varied; None where that
    is not known. `factors`: on which they depend. `processors`: how many a run as it is has.
    `given`: the user's environment variables. `steps`: how many an epoch of `fit` has, if known.
    """

    call: LedgerCall | None
    nondeterministic: bool | None
    factors: tuple[str, ...]
    processors: int = 1
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    steps: int | None = None


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
        every += _at_call(call, at, seed, case)
    if call and call.source in SILENT:
        every += _for_silent_error(call, at, seed, case.steps) if at else ()
    elif main := sources.of(sources.main):
        every += _of_environment(case, main)
        every += _at_start(case, main, seed)
    if "hash seed" in case.factors or (call and call.source in (HASH, ORDER, TEXT_ORDER)):
        every.append(Remedy("fixes Python's hash seed", variables=(("PYTHONHASHSEED", "0"),)))
    for remedy in every:
        if _is_python(remedy, sources) if remedy.edits else remedy.variables:
            found.setdefault((remedy.edits, remedy.variables), remedy)
    return [*found.values()]


def _is_python(remedy: Remedy, sources: Sources) -> bool:
    def stays(name: str) -> bool:
        source = sources.of(name)
        assert source
        return source.stays_python(edit for edit in remedy.edits if edit.file == name)

    return all(stays(name) for name in {edit.file for edit in remedy.edits})


def _at_call(
    call: LedgerCall, source: UserSource, seed: int, case: DifferenceCause
) -> Iterator[Remedy]:
    def remedy(words: str, edits: Sequence[Edit], seeds: int = 0) -> Remedy:
        return Remedy(_where(words, call), tuple(edits), seeds=seeds)

    if call.source == UNSEEDED:
        edits = at_seed.seeded(source, call, seed)
        yield remedy(f"gives {call.call} a seed", edits, seeds=len(edits))
    elif call.source == LISTING:
        yield remedy(f"sorts what {call.call} lists", at_call.in_listed_order(source, call))
    elif call.source in (ORDER, TEXT_ORDER):
        yield remedy("sorts the set before it is gone through", at_call.sorted_set(source, call))
    elif call.source == HASH:
        edits = at_call.without_hash(source, call)
        words = "takes a checksum in place of hash()"
        yield remedy(words, at_start.with_import(source, "zlib", edits))
    elif call.source == "processors":
        words = "fixes the number of processors that it counts"
        yield remedy(words, at_call.fixed_count(source, call, case.processors))
    elif call.source == "file times":
        yield remedy("sorts files by name", at_call.by_name(source, call))
    elif call.source in _MAKING_SEEDS:
        edits = at_seed.constant_seed(source, call, seed)
        yield remedy("makes the seed a fixed number", edits, seeds=1)
        edits = at_seed.from_a_generator(source, call, seed)
        words = f"takes from a generator, which a seed sets, what {call.call} gives"
        yield remedy(words, at_start.with_import(source, "random", edits), seeds=1)
        words = "lets the names of temporary files begin with a number, so that their order is one"
        if call.source == TEMPORARY_NAME:
            yield remedy(words, at_call.numbered_names(source, call))
    words = "takes results in the order in which they were asked for"
    yield remedy(words, at_call.in_asked_order(source, call))


def _where(words: str, call: LedgerCall) -> str:
    return f"{words} ({call.file}, line {call.line})"


def _for_silent_error(
    call: LedgerCall, source: UserSource, seed: int, steps: int | None
) -> Iterator[Remedy]:
    def remedy(words: str, edits: Sequence[Edit], seeds: int = 0) -> Remedy:
        return Remedy(_where(words, call), tuple(edits), seeds=seeds, better=True)

    if call.source == ONE_ORDER:
        words = "lets each epoch go through the examples in another order"
        edits = at_silent.in_fresh_order(source, call, seed)
        module = at_start.tensorflow(source) if edits else ()
        yield remedy(words, (*module, *edits), seeds=1)
        yield remedy(words, at_silent.going_on(source, call, steps))
    elif call.source == FROZEN_NOISE:
        words = "draws other numbers in each epoch, from a generator that goes on"
        yield remedy(words, at_silent.drawn_on(source, call, seed), seeds=1)
    elif call.source == RESET:
        words = "sets the seed once, so that other numbers follow each time"
        yield from (remedy(words, edits) for edits in at_silent.set_once(source, call))
    elif call.source == NOT_DETERMINISTIC:
        words = "asks for deterministic operations without an argument, since it takes none"
        yield remedy(words, at_silent.asked_without_argument(source, call))
    elif call.source == OVERLAPPING:
        words = "cuts both parts from one order that stays, and shuffles what is trained on"
        yield remedy(words, at_silent.cut_once(source, call, seed), seeds=1)


def _of_environment(case: DifferenceCause, main: UserSource) -> Iterator[Remedy]:
    """What fixes a factor for the script: a line in it, or else a variable before its start."""
    for factor, (name, now, otherwise) in _VARIABLES.items():
        if factor in case.factors:
            value = next((case.given[each] for each in now if case.given.get(each)), otherwise)
            words = f"fixes the {factor}"
            if value.isprintable() and not {'"', "\\"} & {*value}:
                yield Remedy(
                    f"{words} within the script", tuple(at_start.variable(main, name, value))
                )
            yield Remedy(words, variables=((name, value),))


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
