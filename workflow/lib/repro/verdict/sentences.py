"""Sentences: a verdict in words, for someone who has never seen the code.

Synopsis:
    met("digits", comparisons, context, evaluated, mistakes, whole)
    not_met("digits", comparisons, causes, trials, mistakes)

They speak of setups, never of teams, as the ACM's *repeatable* and *reproduced* do: whose setup it
is, a program cannot know.
"""

from __future__ import annotations

from collections.abc import Sequence

from repro.cause.causes import in_words
from repro.cause.diagnose import Cause
from repro.cause.fault_isolation import Trial
from repro.compare.divergence import place
from repro.compare.runs import Comparison
from repro.core.text import capital, counted, listed
from repro.verdict.case import Context


def seeds(numbers: Sequence[int]) -> str:
    """ "seed 0", or "seeds 0 and 1"."""
    names = [str(number) for number in dict.fromkeys(numbers)]
    return f"{'seed' if len(names) == 1 else 'seeds'} {listed(names)}"


def extent(comparisons: Sequence[Comparison], evaluated: bool) -> str:
    """How far runs were compared; the words follow "gave the same bits as the original"."""
    if stopped := next((c.stopped for c in comparisons if c.stopped), None):
        ((unit, count),) = stopped.items()
        end = unit[:-1] if count == 1 else counted(count, unit[:-1])
        return f"from the raw data to the end of the first {end} of training"
    return f"from the raw data to the {'predictions' if evaluated else 'end of training'}"


def met(
    name: str,
    comparisons: Sequence[Comparison],
    context: Context,
    evaluated: bool,
    mistakes: Sequence[str],
    whole: bool,
) -> str:
    """The sentence where every bit was the same: in one setup, or in several.

    `mistakes` are the names of what is wrong although the runs agree; `whole` says that everything
    was repeated, with every seed.
    """
    runs = {comparison.run for comparison in comparisons}
    varied = sum(factor["varied"] for factor in context.factors)
    under = f"{counted(varied, 'factor')} varied that must not matter"
    one_setup = context.setups == 1
    where = f"on {context.where} and in this environment"
    where = where if one_setup else f"in more than one setup ({context.scope})"
    head = f"same bits, {'same' if one_setup else 'other'} setup"
    head += "" if whole else ", as far as it was repeated"
    head += f", with {_warnings(mistakes)}" if mistakes else ""
    numbers = [c.seed for c in comparisons]
    each_of = "" if len(set(numbers)) == 1 else "each of the "
    repeats = f"{counted(len(runs), 'repeat')} of {each_of}{seeds(numbers)}"
    return (
        f"{name}: {head}. {repeats}, with {under if varied else 'nothing varied'}, gave the same "
        f"bits as the original, "
        f"{extent(comparisons, evaluated)}, "
        f"{where}."
        f"{f' {capital(context.elsewhere)}.' if context.elsewhere else ''}{warning(mistakes)}"
    )


def elsewhere(name: str, first: Comparison | None, context: Context) -> str:
    """The sentences where other setups or programs keep the goal `bitwise` from being judged.

    `first` is the first comparison whose runs diverge, if any do.
    """
    at = first.divergence if first else None
    also = f"they first diverge at {place(at)}" if at else "their bits are the same"
    how = "in different setups" if context.programs == 1 else "by different programs"
    return (
        f"{name}: inconclusive, because the runs were made {how}, and the goal `bitwise` "
        f"promises the same bits of one only; {also}. The setups: {context.scope}. To judge "
        "it, make the original again where the repeat was made."
    )


def _warnings(mistakes: Sequence[str]) -> str:
    return "a warning" if len(mistakes) == 1 else f"{len(mistakes)} warnings"


def warning(mistakes: Sequence[str]) -> str:
    """What is wrong although the runs agree, as a sentence to add; empty where nothing is."""
    if not mistakes:
        return ""
    return f" But the runs agree on what is likely wrong: {listed(mistakes)}."


def _diverging(comparisons: Sequence[Comparison]) -> str:
    """Which runs diverge, and where first."""
    first = next(c for c in comparisons if c.divergence)
    assert first.divergence is not None
    of_seed = [c for c in comparisons if c.seed == first.seed]
    diverged = sum(c.divergence is not None for c in of_seed)
    if first.trial:
        return (
            f"With seed {first.seed}, no repeat diverges from the original, but one more run does: "
            f"{first.run}, at {place(first.divergence)}"
        )
    if len(of_seed) == 1:
        who, at = "the repeat first diverges", ""
    else:
        verb = "diverges" if diverged == 1 else "diverge"
        who = f"{diverged} of {len(of_seed)} repeats {verb}"
        at = "" if diverged == 1 else ", the first"
    text = f"With seed {first.seed}, {who} from the original{at} at {place(first.divergence)}"
    every = {c.seed for c in comparisons}
    affected = {c.seed for c in comparisons if c.divergence}
    if len(every) == 1:
        return text
    return f"{text}; affected: {len(affected)} of {counted(len(every), 'seed')}"


def _why(causes: Sequence[Cause], trials: Sequence[Trial]) -> str:
    if not causes:
        return ""
    first, words = causes[0], in_words(causes[0].cause)
    at = f"; see {first.file}, line {first.line}" if first.file and first.line else ""
    if trials and first.cause == "a race" and all(trial.same for trial in trials):
        many = counted(len(trials), "trial")
        return f" That was not reproduced in {many}, so it is rare; likely {words}{at}."
    if not first.tested:
        return f" Likely cause (not tested): {words}{at}."
    alone = any(not trial.same and not trial.factors for trial in trials)
    itself = alone and first.cause not in ("a race", "environment", "stale state")
    head = "Cause, nondeterministic" if itself else "Cause"
    return f" {head} (tested in {counted(first.trials, 'trial')}): {words}{at}."


def not_met(
    name: str,
    comparisons: Sequence[Comparison],
    causes: Sequence[Cause],
    trials: Sequence[Trial],
    mistakes: Sequence[str],
) -> str:
    """The sentences where runs diverged: what, where, why; `causes` come best first."""
    whats = {c.divergence.what for c in comparisons if c.divergence}
    head = "not the same bits"
    if whats <= {"predictions", "metrics"}:
        head = "training gave the same bits, evaluation did not"
    return (
        f"{name}: {head}. {_diverging(comparisons)}.{_why(causes, trials)}"
        f"{f' Besides, likely wrong: {listed(mistakes)}.' if mistakes else ''}"
    )
