"""Silent errors: mistakes on which both runs agree, so that no comparison of bits can find them.

Synopsis:
    mistakes(trace, probe, overlap, inference)     # what to warn of
    unlooked(probe)                                # what could not be looked for, and why

Needs no TensorFlow: everything is read from what the runs and the probe recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.text import shortened
from repro.record.trace import Trace

CHANCE_BITS = 30
"""One order in all epochs is told only where chance does so in fewer than one of 2**30 cases."""
COINCIDENCE = 0.01
"""Examples in two parts are told only where chance explains less than this share of them."""
_SHOWN = 3


@dataclass(frozen=True)
class SilentError:
    """What is wrong though both runs agree: its name, what was seen, what to do."""

    mistake: str
    evidence: str
    remedy: str


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
        "`model`: else several seeds are one training told several times.",
    )


def _overlapping(overlap: Mapping[str, Mapping[str, Any]]) -> Iterator[SilentError]:
    shared = {
        name: part
        for name, part in sorted(overlap.items())
        if part["in_train"] and part["by_chance"] <= COINCIDENCE * part["in_train"]
    }
    if not shared:
        return
    counts = [f"{p['in_train']} of {p['examples']} in `{name}`" for name, p in shared.items()]
    yield SilentError(
        "overlapping splits",
        f"Examples with an `x` that is also in `train`: {' and '.join(counts)}.",
        "Remove the copies, give all copies of one example the same `group`, or leave out `id`: "
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


def mistakes(
    trace: Trace,
    probe: Mapping[str, Any],
    overlap: Mapping[str, Mapping[str, Any]],
    inference: Mapping[str, Any],
) -> list[SilentError]:
    """What is wrong though both runs agree, at most one of each kind; none for a clean experiment.

    The trace is the original's for the first seed, as is `inference` of metrics.json; `probe` is
    probe.json, and `overlap` what `prepare` returned, as the manifest of the data keeps it.

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
    ]


def unlooked(probe: Mapping[str, Any]) -> list[str]:
    """What could not be looked for, each as a sentence with its reason; empty as a rule."""
    return [f"{what} was not looked for: {why}." for what, why in probe["unlooked"].items()]
