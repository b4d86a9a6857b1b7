"""Bitwise: whether every bit was the same when everything was run again in the same setup.

Synopsis:
    bitwise(case).verdict
"""

from __future__ import annotations

from repro.stats.goal_answer import INCONCLUSIVE, MET, NOT_MET, Answer
from repro.verdict import sentences
from repro.verdict.case import Case


def bitwise(case: Case) -> Answer:
    """What is found for the goal `bitwise`; `met` speaks of what was repeated, with scope and n."""
    name = case.name
    if not case.comparisons:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because no repeat was made (`repeat: off`), so that there is "
            "nothing to compare the original with.",
        )
    if case.context.programs > 1 or (case.context.setups > 1 and case.first):
        return Answer(INCONCLUSIVE, sentences.elsewhere(name, case.first, case.context))
    if case.first:
        compared = [case.further] if case.further else case.comparisons
        sentence = sentences.not_met(name, compared, case.causes, case.trials, case.mistakes)
        return Answer(NOT_MET, sentence)
    if odd := case.nondeterministic_inference:
        return Answer(
            NOT_MET,
            f"{name}: training gave the same bits, evaluation did not. The weights of "
            f"{sentences.seeds(odd)}, evaluated twice, gave other bits.",
        )
    text = sentences.met(
        name, case.comparisons, case.context, case.evaluated, case.mistakes, case.whole
    )
    return Answer(MET, text)
