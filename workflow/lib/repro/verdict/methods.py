"""Methods: the paragraph that a paper's Methods section may take over.

Synopsis:
    methods(case, answers(case))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from repro.compare.divergence import place
from repro.core.canonical_json import decoded
from repro.core.parameters import TrainParameters
from repro.core.text import capital, counted, listed, times
from repro.drift.facts import facts
from repro.stats import detection_power
from repro.stats.goal_answer import MET, Answer
from repro.verdict.case import Case
from repro.verdict.sentences import extent, seeds

_DIGITS = 12


def methods(case: Case, answers: Mapping[str, Answer]) -> str:
    """What was done and found, with n, scope and bound, in one paragraph fit for a paper.

    Empty where nothing is known of the training.
    """
    if not case.context.trained:
        return ""
    parts = [
        *_trained(case),
        *_recipe(case),
        *_repeated(case),
        *_supported(case, answers),
        *_bound(case),
    ]
    return " ".join(part for part in parts if part)


def _trained(case: Case) -> Iterator[str]:
    step = case.context.trained
    assert step is not None
    environment, used = facts(step), step.digests
    training = decoded(TrainParameters, step.parameters).training
    packages = environment["packages"]
    given = case.parameters.seeds
    numbers = sorted({c.seed for c in case.comparisons}) if given == "auto" else given
    versions = {"TensorFlow": "tensorflow", "Keras": "keras", "NumPy": "numpy"}
    named = listed([f"{name} {packages[key]}" for name, key in versions.items()])
    lock = environment["installed"]["lock"].rpartition(":")[2][:_DIGITS]
    yield (
        f"The model was trained with {seeds(numbers)} for at most "
        f"{counted(training.epochs, 'epoch')} in batches of {training.batch_size}, with "
        "TensorFlow's deterministic operations, under Python "
        f"{environment['python']['version']}, {named}, in an environment locked by digests "
        f"(conda-lock.yml, sha256 {lock}…; program {used['code'][:_DIGITS]}…, code of the "
        f"experiment {used['experiment'][:_DIGITS]}…)."
    )


def _recipe(case: Case) -> Iterator[str]:
    """What a reader could not guess, where the configuration asks for it."""
    step = case.context.trained
    assert step is not None
    parameters = decoded(TrainParameters, step.parameters)
    training = parameters.training
    for source in parameters.pretrained.values():
        name = PurePosixPath(source.path).name
        yield f"It began with weights from elsewhere ({name}, sha256 {source.sha256[:_DIGITS]}…)."
    if training.drop_remainder:
        yield "In each epoch the examples that fill no whole batch were left out."
    if weights := step.process.get("class_weight"):
        named = listed([f"{name}: {weight:.4g}" for name, weight in weights.items()])
        yield f"Training examples were weighted by their class ({named})."
    if best := training.best_epoch:
        extreme = "smallest" if best.direction == "min" else "largest"
        yield f"The weights of the epoch with the {extreme} {best.monitor} were evaluated."


def _repeated(case: Case) -> Iterator[str]:
    runs = {comparison.run for comparison in case.comparisons}
    if not runs:
        yield "It was not repeated."
        return
    varied = sum(factor["varied"] for factor in case.context.factors)
    changed = f", with {counted(varied, 'factor')} varied that must not matter"
    again = seeds([c.seed for c in case.comparisons])
    diverged = sum(c.divergence is not None for c in case.comparisons)
    whole = len(case.comparisons)
    outcome = (
        f"{diverged} of {counted(whole, 'comparison')} diverged"
        if diverged
        else "every bit that was compared was the same"
    )
    yield (
        f"Everything was executed again {times(len(runs))} with {again}, in processes "
        f"of their own{changed if varied else ''}, "
        f"{extent(case.comparisons, case.evaluated)}: {outcome}."
    )
    if case.further and case.further.divergence:
        yield f"{capital(case.further.run)} diverged at {place(case.further.divergence)}."
    if case.nondeterministic_inference:
        yield "The same weights, evaluated twice, gave other bits."
    yield f"Where: {case.context.scope}."


def _supported(case: Case, answers: Mapping[str, Answer]) -> Iterator[str]:
    met = [goal for goal, answer in answers.items() if answer.verdict == MET]
    if "bitwise" in met:
        where = "one setup" if case.context.setups == 1 else "more than one setup"
        part = "The result is" if case.whole else "As far as it was repeated, the result is"
        yield f"{part} the same, bit for bit, within that scope, which is {where}."
    elif "metrics" in met:
        yield f"Of the metrics: {answers['metrics'].sentence.partition(': ')[2]}"
    elif "documented" in met:
        yield "The experiment is documented and can be executed again; more is not claimed."
    else:
        yield "None of the goals bitwise, metrics and documented is supported so far."


def _bound(case: Case) -> Iterator[str]:
    if case.comparisons and not case.first:
        limits = detection_power.limits(case.parameters.repeats)
        yield capital(limits)
