"""Silent errors: mistakes on which both runs agree, so that no comparison of bits can find them.

Synopsis:
    inference = seen(report, trained, evaluated)
    mistakes(trace, probe, overlap, inference, facts)     # what to warn of
    unlooked(probe, inference)                            # what could not be looked for, and why

Needs no TensorFlow: everything is read from what the runs and the probe recorded. What
the results show by themselves is found in `repro.sanity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from repro.core.text import shortened
from repro.record.step import Step
from repro.record.trace import Trace
from repro.sanity.in_results import in_results
from repro.sanity.results import ResultFacts
from repro.sanity.silent_error import SilentError

CHANCE_BITS = 30
"""One order in all epochs is reported where chance gives it in less than one of 2**30 cases."""
COINCIDENCE = 0.01
"""Examples in two parts are told only where chance explains less than this share of them."""
_SHOWN = 3


def _sequences(trace: Trace, key: str) -> list[tuple[str, ...]]:
    """Of each whole epoch, one digest for each step."""
    epochs: dict[int, list[str]] = {}
    for line in trace.lines:
        if "step" in line:
            epochs.setdefault(line["epoch"], []).append(line[key])
    steps = max(map(len, epochs.values()), default=0)
    return [tuple(epoch) for epoch in epochs.values() if len(epoch) == steps]


def _one_order(trace: Trace, probe: Mapping[str, Any]) -> Iterator[SilentError]:
    batches, order = _sequences(trace, "batch"), probe["order"]
    planned = len(set(_sequences(trace, "ids")))
    if len(set(batches)) != 1 or order["bits"] * (planned - 1) < CHANCE_BITS:
        return
    # A smaller last batch differs from the others even where all examples became alike.
    if len(set(batches[0] if order["even"] else batches[0][:-1])) < 2:
        return
    yield SilentError(
        "one order for every epoch",
        f"All {len(batches)} epochs were trained on one and the same sequence of "
        f"{len(batches[0])} batches, though the order that was planned differs in each.",
        "Train on the batches that `fit` is given, or draw a fresh order in every epoch from a "
        "seed and the epoch's number.",
    )


def _noise(source: Mapping[str, Any]) -> str:
    of = "`augment`" if source["layer"] is None and source["augment"] else (
        f"the layer `{source['layer']}`" if source["layer"] else "the training step"
    )  # fmt: skip
    at = f" ({source['file']}, line {source['line']})" if source["file"] else ""
    return f"{of}{at}: {source['why']}"


def _frozen_noise(probe: Mapping[str, Any]) -> Iterator[SilentError]:
    if not (sources := probe["noise"]):
        return
    noises = shortened([*map(_noise, sources)], _SHOWN, "; ")
    yield SilentError(
        "frozen noise",
        f"The same random numbers come back at every step, in {noises}.",
        "Draw in `augment` from the seed that it receives, and in a layer from a "
        "keras.random.SeedGenerator that the layer keeps; NumPy and Python draw only once, while "
        "the step is traced.",
    )


def _idle_seed(probe: Mapping[str, Any]) -> Iterator[SilentError]:
    seeds = probe["seeds"]
    if not seeds["idle"]:
        return
    yield SilentError(
        "a seed that changes nothing",
        f"With the seeds {seeds['first']} and {seeds['other']}, all {seeds['weights']} weight "
        f"variables are the same, bit for bit, at the start and after {seeds['steps']} step(s) on "
        "the same batches, though the model draws random numbers.",
        "Seed every initialiser and random layer with `seeds(name)`, and set no global seed in "
        "`model`: else several seeds are one training counted several times.",
    )


_OVERLAPS = (
    ("an `x` that is also in `train`", "in_train", "by_chance"),
    ("an `x` that is also in `validation`", "in_validation", "by_chance_in_validation"),
    ("a `group` that is also in `train`", "group_in_train", ""),
    ("a `group` that is also in `validation`", "group_in_validation", ""),
)
"""What examples of a part may share with another one: in words, and the keys of how many do."""


def _overlapping(overlap: Mapping[str, Mapping[str, Any]]) -> Iterator[SilentError]:
    found: list[str] = []
    for what, count, chance in _OVERLAPS:
        counts = [
            f"{part[count]} of {part['examples']} in `{name}`"
            for name, part in sorted(overlap.items())
            if part.get(count) and part.get(chance, 0.0) <= COINCIDENCE * part[count]
        ]
        found += [f"Examples with {what}: {' and '.join(counts)}."] if counts else []
    if found:
        yield SilentError(
            "overlapping splits",
            " ".join(found),
            "Remove the copies. In parts that `dataset` gives, nothing is moved; where the split "
            "is made for you, give all copies of one example the same `group`, or leave out `id`: "
            "then examples with the same `x` stay together.",
        )


def _learning_evaluation(inference: Mapping[str, Any]) -> Iterator[SilentError]:
    if not (changed := inference["changed"]):
        return
    yield SilentError(
        "evaluation that changes weights",
        f"`predict` and `evaluate` on the test part changed {len(changed)} weight variable(s): "
        f"{shortened(changed, _SHOWN, '; ')}.",
        "Pass `training` on to every layer instead of fixing it to True, and assign no weight in "
        "`call` or `test_step` outside training.",
    )


def _breaking(probe: Mapping[str, Any]) -> Iterator[SilentError]:
    seeds = probe["seeds"]
    if error := seeds["error"]:
        yield SilentError(
            "a seed that breaks the experiment",
            f"With the seed {seeds['first']} the model is made and trained; with the seed "
            f"{seeds['other']} it fails: {error}.",
            "Let nothing in `model` and `augment` rely on one particular seed.",
        )


def _companions(inference: Mapping[str, Any]) -> Iterator[SilentError]:
    found: Mapping[str, Any] = inference.get("companions", {})
    if not found.get("changed"):
        return
    yield SilentError(
        "predictions that depend on the batch",
        f"{found['changed']} of {found['examples']} test examples were predicted otherwise when "
        "other examples shared their batch, at the same place in batches of the same size, by up "
        f"to {float(found['largest_difference']):.3g}.",
        "Let no layer work across the first axis, which holds the examples (`axis=0` in a softmax, "
        "a mean or a norm), nor use the statistics of the batch outside training.",
    )


def _unsaved(inference: Mapping[str, Any]) -> Iterator[SilentError]:
    changed: Sequence[str] = inference.get("changed by training") or ()
    read: Sequence[str] = inference.get("read") or ()
    if names := sorted({*changed} & {*read}):
        yield SilentError(
            "a variable that is not saved",
            f"Training changes {len(names)} variable(s) that predictions read and that are no "
            f"weights of the model: {shortened(names, _SHOWN, '; ')}. The file of weights lacks "
            "them: another model than the trained one is evaluated.",
            "Make it a weight: `self.add_weight(…, trainable=False)` in the layer in place of "
            "tf.Variable, with that layer an attribute of the model.",
        )


def mistakes(
    trace: Trace,
    probe: Mapping[str, Any],
    overlap: Mapping[str, Mapping[str, Any]],
    inference: Mapping[str, Any],
    facts: Sequence[ResultFacts] = (),
) -> list[SilentError]:
    """What is wrong though both runs agree, at most one of each kind; none for a clean experiment.

    The trace is the original's for the first seed, as is what was `seen` of inference; `probe` is
    probe.json, and `overlap` what `prepare` returned, as the manifest of the data keeps it. `facts`
    are those of the original's results, for each seed.

    Example:
        >>> probe = {"order": {"bits": 99.0, "even": True}, "noise": [],
        ...          "seeds": {"idle": False, "error": None}}
        >>> mistakes(Trace({}, ()), probe, {}, {"changed": ["dense/kernel"]})[0].mistake
        'evaluation that changes weights'
    """
    return [
        *_one_order(trace, probe),
        *_frozen_noise(probe),
        *_idle_seed(probe),
        *_breaking(probe),
        *_overlapping(overlap),
        *_learning_evaluation(inference),
        *_companions(inference),
        *_unsaved(inference),
        *in_results(facts),
    ]


def seen(report: Mapping[str, Any], trained: Step, evaluated: Step) -> dict[str, Any]:
    """What is known of inference: its part of metrics.json, and what two manifests add.

    Manifests of earlier versions add nothing.
    """
    return {
        **report,
        "companions": evaluated.process.get("companions", {}),
        "read": evaluated.process.get("unsaved", ()),
        "changed by training": trained.process.get("unsaved", ()),
    }


def unlooked(
    probe: Mapping[str, Any], inference: Mapping[str, Any] = MappingProxyType({})
) -> list[str]:
    """What could not be looked for, each as a sentence with its reason; empty as a rule."""
    reasons: dict[str, str] = dict(probe["unlooked"])
    found: Mapping[str, Any] = inference.get("companions", {})
    if "why" in found:
        reasons["What other examples in a batch do to a prediction"] = found["why"]
    if None in (inference.get("read", ()), inference.get("changed by training", ())):
        reasons["A variable that is not saved"] = "no graph shows which the model uses"
    return [f"{what} was not looked for: {why}." for what, why in reasons.items()]
