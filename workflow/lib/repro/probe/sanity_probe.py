"""Sanity probe: the graph of a training step, and the first steps of another seed.

Synopsis:
    probe(code, data_folder, parameters, out_folder)       # writes probe.json

Looks for mistakes on which two runs agree bit for bit; `repro.verdict.silent_errors` puts what was
found into words. Nothing of it enters the results.
"""

from __future__ import annotations

import math
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from repro.core.atomic import write_text
from repro.core.canonical_json import Json, pretty
from repro.core.errors import UserError
from repro.core.parameters import ProbeParameters
from repro.core.seeding import Seeds, step_seeds, stream_seed
from repro.data.prepare import part
from repro.data.user_code import Code
from repro.model.class_weight import class_weights, weighted
from repro.model.instrumented_step import TracedStep, pair
from repro.model.training import built, made
from repro.model.training_plan import Plan, columns, rows_of
from repro.probe import frozen_randomness
from repro.probe.reseeded import reseeded
from repro.variables.by_path import states
from repro.watch.graphs import place

STEPS = 2
_EXAMPLES = 256


@dataclass(frozen=True)
class _Trial:
    """The user's model, made again with any seed, and trained on the same few batches."""

    code: Code
    settings: Mapping[str, Json]
    plan: Plan
    data: Path

    def model(self, seed: int) -> Any:
        import keras

        keras.backend.clear_session()
        seeds = Seeds(seed)
        keras.utils.set_random_seed(seeds("global"))
        return built(made(self.code, self.settings, seeds, self.data), self.plan.arrays, self.code)

    def weights(self, seed: int, batches: Sequence[Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Digests of the weights before and after the first steps."""
        model = self.model(seed)
        before = states(model).digests()["weights"]
        step = TracedStep(model, None, len(batches), "epoch")
        step.begin_epoch(np.zeros((len(batches), 2), np.int32))
        with self.code.blamed("model"):
            for batch in batches:
                step(batch)
        return before, states(model).digests()["weights"]


def _raw_batches(plan: Plan) -> list[Any]:
    import tensorflow as tf

    def taken(rows: Any) -> Any:
        def of(array: Any) -> Any:
            return tf.convert_to_tensor(rows_of(array, rows))

        return tf.nest.map_structure(of, data)

    data = columns(plan.arrays)
    return [taken(rows) for rows, _ in zip(plan.batches(0), range(STEPS), strict=False)]


def _augmented(
    augment: Callable[..., Any], batches: Sequence[Any], seeds: Any, code: Code
) -> list[Any]:
    import tensorflow as tf

    function = frozen_randomness.as_trained(augment, batches[0])
    augmented: list[Any] = []
    for batch, seed in zip(batches, seeds, strict=False):
        with code.blamed("augment"):
            x, y = pair(function(*batch[:2], tf.constant(seed)))
        augmented.append((x, y, *batch[2:]) if len(batch) > 1 else (x,))
    return augmented


def _bits_of_order(plan: Plan) -> float:
    """How many bits choose one of the orders that some examples can have."""
    fed = [array for name, array in plan.arrays.items() if name.split(".")[0] in ("x", "y")]
    rows = range(min(plan.size, _EXAMPLES))
    copies = Counter(b"".join(np.asarray(array[row]).tobytes() for array in fed) for row in rows)
    orders = math.lgamma(len(rows) + 1) - sum(math.lgamma(n + 1) for n in copies.values())
    return round(orders / math.log(2), 3)


def _reason(error: Exception, code: Code) -> str:
    """The kind of an error and the user's line; its text may hold addresses and paths."""
    cause = error.__cause__ or error
    frames = [(f.filename, f.lineno or 0) for f in traceback.extract_tb(cause.__traceback__)]
    at = place(frames, code.path)
    return type(cause).__name__ + (f" at {at[0]}, line {at[1]}" if at else "")


def _has_own_fit(model: Any) -> bool:
    import keras

    kind = cast("Any", type(model))
    return kind.fit is not keras.Model.fit


def _noise(
    code: Code, model: Any, raw: Sequence[Any], batches: Sequence[Any], seeds: Any
) -> tuple[list[Mapping[str, object]], str | None]:
    """What was found, and why not all could be looked at."""
    augment, findings = code.function("augment"), list[Mapping[str, object]]()
    # What is not in the step may set variables between two steps.
    setting = code.function("callbacks") is not None or _has_own_fit(model)
    try:
        if augment:
            sources = frozen_randomness.in_augment(augment, raw[0], seeds, code.path)
            findings += [{"augment": True, **asdict(source)} for source in sources]
        sources = frozen_randomness.in_step(model, batches[0], code.path, setting)
        findings += [{"augment": False, **asdict(source)} for source in sources]
    except Exception as error:  # a model that runs eagerly need not be traceable
        return findings, f"the step could not be traced ({_reason(error, code)})"
    return findings, None


def _seeds(
    trial: _Trial, initial: Mapping[str, str], batches: Sequence[Any]
) -> tuple[dict[str, object], str | None]:
    """What another seed does, and why that could not be looked at."""
    first = trial.plan.seed
    other = stream_seed(first, "probe")
    result: dict[str, object] = {
        "first": first, "other": other, "steps": len(batches), "weights": len(initial),
        "idle": False, "error": None,
    }  # fmt: skip
    try:
        weights = trial.weights(other, batches)
    except UserError as error:
        try:
            trial.weights(first, batches)
        except UserError:
            return result, f"its first steps fail by themselves ({_reason(error, trial.code)})"
        return {**result, "error": _reason(error, trial.code)}, None
    if weights[0] == initial and trial.weights(first, batches) == weights:
        # What no seed changes, not even one set by the code itself, is not drawn but given.
        with reseeded(draws=True):
            result["idle"] = trial.weights(first, batches) != weights
    return result, None


def probe(code: Code, data: Path, parameters: ProbeParameters, out: Path) -> None:
    """Looks at an experiment for mistakes on which its runs agree, and writes probe.json.

    Determinism must have begun (`repro.model.determinism.begin`) with the same seed.

    Raises:
        UserError: the user's code fails with the seed of the experiment itself.
    """
    training, first = parameters.training, parameters.seed
    arrays = part(data, "train")
    weights = class_weights(code, arrays, training, parameters.settings)
    plan = Plan(weighted(arrays, weights), {}, training, first, 0, 1)
    trial, augment = _Trial(code, parameters.settings, plan, data), code.function("augment")
    model = trial.model(first)  # first of all, as in training: `augment` may rely on it
    initial = states(model).digests()["weights"]
    raw, seeds = _raw_batches(plan), step_seeds(first, 0, STEPS)
    batches = _augmented(augment, raw, seeds, code) if augment else raw
    sources, blind = _noise(code, model, raw, batches, seeds)
    tried, untried = _seeds(trial, initial, batches)
    whole = "the trace holds epochs alone" if training.trace == "epoch" else None
    whys = {
        "Frozen noise": blind, "A seed that changes nothing": untried,
        "One order for every epoch": whole,
    }  # fmt: skip
    report = {
        "order": {"bits": _bits_of_order(plan), "even": plan.even},
        "noise": sources,
        "seeds": tried,
        "unlooked": {what: why for what, why in whys.items() if why},
    }
    write_text(out / "probe.json", pretty(report))
