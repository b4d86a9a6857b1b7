"""Make: a step's process, from its command line to the manifest of what it made.

Synopsis:
    status = main(parser().parse_args(["train", "--experiment", "digits", …]))

A step checks its process and its environment, does the work of one module, and writes
the manifest. A user's mistake ends as one sentence and status 2; the log has the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from repro.checkpoint.caught_files import caught
from repro.checkpoint.resume import CheckpointPolicy, RestartTraining
from repro.checkpoint.store import CheckpointStore
from repro.cli.steps import Process, Work, begin, done
from repro.core import layout
from repro.core.atomic import whole_outputs, write_text
from repro.core.canonical_json import pretty
from repro.core.digest import HashedOnce, sha256_tree, sha256_value
from repro.core.errors import UserError
from repro.core.parameters import (
    CostParameters,
    Parameters,
    PrepareParameters,
    RawData,
    SeededParameters,
    TrainParameters,
)
from repro.data.prepare import check_sources
from repro.data.user_code import load
from repro.launch import launcher, shims
from repro.launch.file_times import read_by_the_user
from repro.launch.observed import observed
from repro.launch.reporting import Say, reported
from repro.launch.stale_state import left_since, standing
from repro.machine.identity import machine
from repro.overhead import timed_training
from repro.record import event_file, installed, manifest
from repro.record.environment import surroundings
from repro.record.installed import Installed
from repro.record.statement import Making, Resource, around, digest, now, resources
from repro.shim import late_imports
from repro.watch import training_progress
from repro.watch.call_recorder import watched
from repro.watch.op_trace import Detail
from repro.watch.recorded_values import RecordedValues
from repro.watch.training_progress import ProgressReport


def _inputs(options: argparse.Namespace) -> dict[str, Path]:
    return {
        name: launcher.path(path) for name, path in (pair.split("=", 1) for pair in options.input)
    }


def _pretrained(inputs: Mapping[str, Path]) -> dict[str, Path]:
    named = {layout.source_of(name, layout.PRETRAINED): path for name, path in inputs.items()}
    return {source: path for source, path in named.items() if source is not None}


@dataclass(frozen=True)
class _Job:
    """What a process is to do: its command line, inputs with their digests, and environment."""

    options: argparse.Namespace
    parameters: Parameters
    inputs: Mapping[str, Path]
    sha256: HashedOnce
    read: Mapping[str, Resource]
    found: Installed
    say: Say


def _worked(job: _Job, out: Path, keeping: CheckpointPolicy | None) -> Process:
    """Loads the user's code and does the step's work; a trial may also write detail.json."""
    from repro.model.determinism import found

    options, inputs, parameters = job.options, job.inputs, job.parameters

    def say(line: str) -> None:
        # A repeat would only say it again.
        (job.say if options.run == "original" else print)(line)

    seed, path, weights = begin(parameters), inputs["experiment"], _pretrained(inputs)
    if options.detail is None:
        code, report = load(path, weights), _report(job)
        values = options.values and RecordedValues(options.out / layout.VALUES, **options.values)
        process = done(Work(code, inputs, out, values, keeping, say, report), parameters)
    else:
        detail = Detail(path, **options.detail) if options.detail else None
        read = [file for name, file in inputs.items() if name != "code"]
        with watched(path, read, {"prepare": "dataset"}.get(options.step, "training")) as calls:
            process = done(Work(load(path, weights), inputs, out, detail, None, say), parameters)
        calls.write(options.out / "detail.json", detail.tensors() if detail else ())
    settings = found()
    return {**process, "seed": seed, "determinism": asdict(settings) if settings else None}


def _report(job: _Job) -> ProgressReport | None:
    options, parameters = job.options, job.parameters
    # A trial writes no events; it is part of another job, which has a name of its own.
    if not isinstance(parameters, TrainParameters) or not options.events:
        return None
    name = training_progress.job(options.experiment, options.run, parameters.seed)
    return ProgressReport(name, job.say, training_progress.notes())


def _do(options: argparse.Namespace, say: Say) -> None:
    started = now()
    parameters: Parameters = options.parameters
    launcher.check(parameters.threads.intra, parameters.environment_variables)
    found = installed.require(Path(sys.prefix))
    inputs = {**_inputs(options), "code": Path(sys.argv[0])}
    sha256 = HashedOnce()
    job = _Job(options, parameters, inputs, sha256, resources(inputs, sha256), found, say)
    _check_inputs(job)
    keeping = _keeping(job)
    kept = CheckpointStore(keeping.folder, keeping.key) if keeping else None
    with kept.alone() if kept else nullcontext():
        process, here = _made(job, keeping, kept)
        making = Making(
            names={"step": options.step, "experiment": options.experiment, "run": options.run},
            parameters=parameters.json(),
            inputs=job.read,
            installed=found.facts,
            environment=here,
            process={**process, **launcher.node(), "factors": launcher.factors()},
            started=started,
        )
        row = layout.STEPS[options.step]
        made = [options.out / output for output in row.makes]
        outputs = [path for path in made if path.exists() or path.name not in row.optional]
        manifest.write(options.out / row.manifest, making, outputs)
        if kept:
            kept.remove()
    if options.step == "train" and options.events:
        try:
            event_file.write(options.out, options.events)
        except Exception:  # a picture of the results, which are whole without it
            traceback.print_exc()


def _check_inputs(job: _Job) -> None:
    """Refuses inputs that are not what the configuration or the manifests beside them say."""
    found = {name: digest(resource) for name, resource in job.read.items()}
    asked: Mapping[str, RawData] = {}
    kind = "data"
    if isinstance(job.parameters, PrepareParameters):
        asked = job.parameters.data
    elif isinstance(job.parameters, SeededParameters):
        asked, kind = job.parameters.pretrained, layout.PRETRAINED
    check_sources(asked, {name: found[layout.source_input(name, kind)] for name in asked})
    for name in ("data.manifest", "train.manifest"):
        if path := job.inputs.get(name):
            manifest.check_subjects(path, layout.whole_folder(path.name), job.sha256)


def _made(
    job: _Job, keeping: CheckpointPolicy | None, kept: CheckpointStore | None
) -> tuple[Process, Mapping[str, object]]:
    """Makes the outputs; returns what the process found of itself, and around it."""
    step, inputs = job.options.step, job.inputs
    # Nothing appears before it is known to come from the locked environment and unchanged inputs.
    row = layout.STEPS[step]
    with whole_outputs(job.options.out, row.makes, row.optional) as folder:
        with (
            _catching(job, folder, kept),
            shims.applied(launcher.varied(), launcher.run(), _read_by_the_user(inputs)),
        ):
            seen, before = observed(inputs), standing()
            process = _worked(job, folder, keeping)
            process |= {"observed": seen, "left": left_since(before)}
        own = [inputs["code"], inputs["experiment"]]
        here = surroundings(job.found, own, job.parameters.environment_variables)
        now = resources(inputs, job.sha256)
        if odd := [name for name, read in job.read.items() if now[name] != read]:
            raise UserError(
                f"Expected the inputs to stay as they were while {step} ran. Received "
                f"another {odd[0]} at its end. Run again."
            )
    return process, here


def _catching(job: _Job, out: Path, kept: CheckpointStore | None) -> AbstractContextManager[None]:
    """Lets a step that calls the user's `model` stand in an empty folder; a training's is kept."""
    if isinstance(job.parameters, PrepareParameters):
        return nullcontext()
    # Where the working directory is varied, so is the name of this one.
    name = Path.cwd().name if "working directory" in launcher.varied() else layout.FILES
    if not isinstance(job.parameters, TrainParameters):
        return caught(out / "scratch" / name)
    return caught(kept.caught(name) if kept else out / "scratch" / name, out / layout.FILES)


def _read_by_the_user(inputs: Mapping[str, Path]) -> list[Path]:
    return [inputs[name] for name in read_by_the_user(inputs)]


def _keeping(job: _Job) -> CheckpointPolicy | None:
    """Where checkpoints are kept; they serve only whoever would train the very same on the same."""
    options = job.options
    if options.step != "train" or options.checkpoints is None or options.every is None:
        return None
    varied = [(entry["factor"], entry["varied"]) for entry in launcher.factors()]
    names = [options.experiment, options.run, job.parameters]
    read = {name: resource["digest"] for name, resource in job.read.items()}
    key = sha256_value([*names, varied, read, job.found.facts, machine()])

    # A killed process cannot look around at its end, so it does before each checkpoint.
    def check() -> None:
        surroundings(job.found, [job.inputs["code"], job.inputs["experiment"]])

    return CheckpointPolicy(options.checkpoints, key, options.every, check)


def _environment(options: argparse.Namespace, _say: Say) -> None:
    """Starts as training does, and writes down what the process then finds around it."""
    parameters: TrainParameters = options.parameters
    launcher.check(parameters.threads.intra, parameters.environment_variables)
    found = installed.require(Path(sys.prefix))
    begin(parameters)
    import tensorflow as tf

    tf.constant(0.0)  # its devices have started in a job too
    here = surroundings(found, [Path(sys.argv[0])], parameters.environment_variables)
    write_text(options.out, pretty(around(here, found.facts)))


def _cost(options: argparse.Namespace, _say: Say) -> None:
    """Trains once for a while, and writes down what it took; the caller has checked the inputs."""
    parameters: CostParameters = options.parameters
    launcher.check(parameters.threads.intra, parameters.environment_variables)
    inputs, found = _inputs(options), installed.require(Path(sys.prefix))
    own, weights = [Path(sys.argv[0]), inputs["experiment"]], _pretrained(inputs)
    check_sources(parameters.pretrained, {n: sha256_tree(path) for n, path in weights.items()})
    task = timed_training.Task(
        inputs["experiment"], inputs["data"], parameters, options.seconds, options.out.parent,
        lambda: surroundings(found, own), weights,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=task.scratch) as scratch, caught(Path(scratch) / "files"):
        spent = timed_training.measured(task, options.variant)
    write_text(options.out, pretty(spent))


def main(options: argparse.Namespace) -> int:
    """Runs one step; where checkpoints do not fit, the process begins again.

    Args:
        options: its command line.

    Returns:
        The exit status.
    """
    late_imports.install()
    work = {"environment": _environment, "cost": _cost}.get(options.step, _do)
    try:
        return reported(options.log, lambda say: work(options, say))
    except RestartTraining:
        os.execv(sys.executable, sys.orig_argv)
