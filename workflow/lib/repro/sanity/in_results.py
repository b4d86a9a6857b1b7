"""In results: the silent errors that results show by themselves, in words.

Synopsis:
    in_results([facts_of(data, folder), …])      # a SilentError for each kind that is there
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from repro.core.text import shortened
from repro.sanity.one_answer import SHARE
from repro.sanity.progress import FALL
from repro.sanity.results import ResultFacts
from repro.sanity.silent_error import SilentError

T = TypeVar("T")
_SHOWN = 3


def in_results(facts: Sequence[ResultFacts]) -> list[SilentError]:
    """At most one silent error of each kind, of the first seed that has it; `facts` by seed."""
    return [*_not_finite(facts), *_constant(facts), *_one_answer(facts), *_stall(facts)]


def _found(
    facts: Sequence[ResultFacts], of: Callable[[ResultFacts], T | None]
) -> Iterator[tuple[T, str]]:
    """The first that there is, and words that name its seed where there are several."""
    for each in facts:
        if found := of(each):
            yield found, f" with seed {each.seed}" if len(facts) > 1 else ""
            return


def _not_finite(facts: Sequence[ResultFacts]) -> Iterator[SilentError]:
    for found, seed in _found(facts, lambda each: each.nonfinite):
        kinds: list[str] = []
        for kind, counts in found.items():
            named = [f"{name} ({count})" for name, count in counts.items()]
            kinds.append(f"{kind}: {shortened(named, _SHOWN, ', ')}")
        yield SilentError(
            "numbers that are not finite",
            f"NaN or infinity stands{seed} in {'; in '.join(kinds)}.",
            "Begin at the first of these. Remove or impute such inputs; for a loss that overflows, "
            "take a smaller learning rate, clip gradients, or use `from_logits=True`.",
        )


def _constant(facts: Sequence[ResultFacts]) -> Iterator[SilentError]:
    for found, seed in _found(facts, lambda each: each.constant):
        yield SilentError(
            "constant predictions",
            f"All test examples get the same prediction{seed}, though their labels differ, in "
            f"{shortened([f'`{name}`' for name in found], _SHOWN, ', ')}.",
            "Look at the last layer (a softmax over one unit is always 1), at units that no "
            "example activates, and at whether the inputs reach it.",
        )


def _one_answer(facts: Sequence[ResultFacts]) -> Iterator[SilentError]:
    for found, seed in _found(facts, lambda each: each.one_answer):
        yield SilentError(
            "no better than one answer for all",
            f"On {found.examples} test examples{seed} the {found.measure} is {found.model:.3g}; "
            f"that of {found.answer}, for every example, {found.baseline:.3g}. That the model "
            f"avoids {SHARE:.0%} of that answer's errors or more is ruled out (p = {found.p:.2g}).",
            "Look at whether labels and inputs still belong together, at the loss and at the "
            "learning rate.",
        )


def _stall(facts: Sequence[ResultFacts]) -> Iterator[SilentError]:
    for found, seed in _found(facts, lambda each: each.stall):
        several = f"{found.count} losses" if found.count > 1 else "loss"
        why = "They are all the same"
        if found.p is not None:
            why = f"A fall by {FALL:.0%} is ruled out (p = {found.p:.2g})"
        yield SilentError(
            "a loss that never falls",
            f"The first {several} of the training{seed}: {found.first:.3g} on average; the last: "
            f"{found.last:.3g}. {why}.",
            "Look at whether gradients reach the weights, at `trainable`, at the learning rate, "
            "and at whether the loss is to be made smaller at all.",
        )
