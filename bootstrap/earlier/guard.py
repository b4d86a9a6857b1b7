"""Guard: no run overwrites earlier results before it has listed them and, at a terminal, asked.

Synopsis:
    makes = guard.watch(["all"], config, Wish.ASK)      # before Snakemake runs
    if makes:
        guard.remember(config)                          # after it

Away from a terminal it lists and goes on, as ever; `--store` puts them aside first, anywhere.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from display import asking
from repro.audit.results import CODE, Results, read
from repro.core import layout
from repro.core.errors import UserError
from repro.core.text import listed, shortened
from repro.record.step import Step

from earlier import origin, overwritten, store

RESULTS = Path("results")
_SHOWN = 6
_WORDS = {"prepare": "data", "train": "training", "evaluate": "evaluation", "compare": "verdict"}
_QUESTION = "Put them aside first? [yes; overwrite: go on without; Enter: change nothing]"


class Wish(Enum):
    """What the user said beforehand of results that would be overwritten."""

    ASK, STORE, OVERWRITE = "ask", "store", "overwrite"


def watch(command: Sequence[str], config: Any, wish: Wish) -> bool:
    """List what a command line of Snakemake would overwrite, and put it aside if that is wanted.

    Returns:
        Whether it makes anything, as far as can be known.

    Raises:
        UserError: the user, when asked, wanted to change nothing.
        CouldNotRun: it could not be put aside.
    """
    if not _any_there():
        _nothing_lost(wish)
        return True
    with ThreadPoolExecutor(1) as beside:  # Snakemake takes as long to answer as the rest takes
        plan = beside.submit(overwritten.plan, command)
        results = read(RESULTS)
        _remember(results, config)
    rows = plan.result()
    _warn(rows, command, results, config, wish)
    return rows is None or any(row.pending for row in rows)


def _warn(
    rows: Sequence[overwritten.Row] | None, command: Sequence[str], results: Results, config: Any,
    wish: Wish,
) -> None:  # fmt: skip
    if rows is None:
        _say("Snakemake does not say what this run would overwrite.")
        return _put_aside(origin.experiments(results), results, config, wish)
    lost = overwritten.steps(rows, command, results)
    if not lost:
        return _nothing_lost(wish)
    _say(f"This run makes these results again, and overwrites them: {_listed(lost, results)}.")
    if wish is Wish.ASK and asking.possible():
        wish = _asked()
    if wish is Wish.ASK:
        _say("`--store` would put them aside under runs/ first.")
    names = {str(results.steps[name].experiment) for name in lost}
    return _put_aside(sorted(names), results, config, wish)


def _put_aside(names: Sequence[str], results: Results, config: Any, wish: Wish) -> None:
    for name in names if wish is Wish.STORE else ():
        _say(_told(store.put_aside(results, config, name)))


def _nothing_lost(wish: Wish) -> None:
    if wish is Wish.STORE:
        _say("Nothing would be overwritten, so nothing was put aside.")


def remember(config: Any) -> None:
    """Keep what the results that are there now were made of, before somebody edits it."""
    if _any_there():
        _remember(read(RESULTS), config)


def _remember(results: Results, config: Any) -> None:
    with suppress(OSError, UserError):  # whoever misses it later hears so
        origin.remember(results, config)


def _any_there() -> bool:
    manifests = RESULTS.rglob(f"*{layout.SUFFIX}")
    return any(file.relative_to(RESULTS).as_posix() != CODE for file in manifests)


def _asked() -> Wish:
    answer = asking.answer(_QUESTION)
    if answer in ("y", "yes"):
        return Wish.STORE
    if answer == "overwrite":
        return Wish.OVERWRITE
    raise UserError(
        "Nothing was run and nothing was changed. `--store` puts the results aside without a "
        "question, `--overwrite` goes on without them."
    )


def _listed(lost: Sequence[str], results: Results) -> str:
    """The steps by experiment and run: "digits (original: data, training of seed 0; verdict)"."""
    experiments: dict[str, dict[str, list[str]]] = {}
    order = list(layout.STEPS)
    steps = [results.steps[name] for name in lost]
    for step in sorted(steps, key=lambda step: (step.seed or 0, order.index(step.name))):
        runs = experiments.setdefault(str(step.experiment), {})
        runs.setdefault(step.run, []).append(_called(step))
    return "; ".join(f"{name} ({'; '.join(_of_runs(runs))})" for name, runs in experiments.items())


def _of_runs(runs: dict[str, list[str]]) -> Iterator[str]:
    for run in sorted(runs, key=lambda run: (not run, run)):
        steps = shortened(runs[run], _SHOWN)
        yield f"{run}: {steps}" if run else steps


def _called(step: Step) -> str:
    word = _WORDS.get(step.name, step.name)
    seed = step.names.get("seed")
    return word if seed is None else f"{word} of seed {seed}"


def _told(stored: store.StoredRun) -> str:
    if stored.before:
        return f"They lie in {stored.folder} already."
    if not stored.missing:
        return f"Put aside in {stored.folder}."
    parts = listed(stored.missing)
    return f"Put aside in {stored.folder}, without {parts}: changed since, or not in this folder."


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
