"""Steps: the work of each, by the parameters that it is called with.

Synopsis:
    seed = begin(parameters)
    process = done(Work(load(path), inputs, out, None, None, say), parameters)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from repro.checkpoint.resume import CheckpointPolicy
from repro.core import layout
from repro.core.parameters import (
    EvaluateParameters,
    Parameters,
    PrepareParameters,
    ProbeParameters,
    SeededParameters,
    TrainParameters,
)
from repro.core.seeding import Seeds
from repro.data.dataset import IDS, SPLIT
from repro.data.prepare import prepare
from repro.data.user_code import Code
from repro.launch.reporting import Say
from repro.model import evaluation, training
from repro.probe import sanity_probe
from repro.watch.recorded_values import Look
from repro.watch.training_progress import ProgressReport


def begin(parameters: Parameters) -> int:
    """Seeds everything, before any line of the user's code runs; returns the root seed."""
    from repro.model import determinism

    if isinstance(parameters, SeededParameters):
        determinism.begin(Seeds(parameters.seed)("global"), parameters.threads)
        return parameters.seed
    assert isinstance(parameters, PrepareParameters)
    # What prepares data seldom needs TensorFlow, which takes seconds to import.
    determinism.begin_when_imported(Seeds(parameters.data_seed)("global"), parameters.threads)
    return parameters.data_seed


@dataclass(frozen=True)
class Work:
    """What a step is given, once the user's code is loaded; its outputs go to `out`.

    `say` tells the user a line, and the log as well; `report` is told how far a training is.
    """

    code: Code
    inputs: Mapping[str, Path]
    out: Path
    detail: Look | None
    keeping: CheckpointPolicy | None
    say: Say
    report: ProgressReport | None = None


Process = dict[str, object]
"""What a manifest says of the process that made a step's outputs."""


def _prepare(work: Work, parameters: PrepareParameters) -> Process:
    named = {layout.source_of(name): path for name, path in work.inputs.items()}
    sources = {source: path for source, path in named.items() if source is not None}
    done = prepare(work.code, sources, parameters, work.out / "data", work.say)
    return {"ids": IDS, "split": SPLIT, **asdict(done)}


def _train(work: Work, parameters: TrainParameters) -> Process:
    trained = training.train(
        work.code, work.inputs["data"], parameters, work.out, work.detail, work.keeping, work.say,
        work.report,
    )  # fmt: skip
    return asdict(trained)


def _evaluate(work: Work, parameters: EvaluateParameters) -> Process:
    data, weights = work.inputs["data"], work.inputs["weights"]
    found = evaluation.evaluate(work.code, data, weights, parameters, work.out)
    for what, why in found.left_out.items():
        work.say(f"No {what} of the test part: {why}.")
    return {
        "inference_same": found.same, "companions": found.companions, "unsaved": found.unsaved,
    }  # fmt: skip


def _probe(work: Work, parameters: ProbeParameters) -> Process:
    sanity_probe.probe(work.code, work.inputs["data"], parameters, work.out)
    return {}


def done(work: Work, parameters: Parameters) -> Process:
    """Does the step that these parameters are of."""
    match parameters:
        case PrepareParameters():
            return _prepare(work, parameters)
        case TrainParameters():
            return _train(work, parameters)
        case EvaluateParameters():
            return _evaluate(work, parameters)
        case ProbeParameters():
            return _probe(work, parameters)
        case _:
            raise TypeError(f"no step is called with {type(parameters).__name__}")
