"""Steps: the command line of the program that makes results.

Synopsis:
    python -I code.pyz launch --run original --intra 2 -- train --experiment digits …

A step checks its process and its environment, does the work of one module, and writes
the manifest. A user's mistake ends as one sentence and status 2; the log has the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from repro.checkpoint.resume import Afresh, Keeping
from repro.checkpoint.store import Kept
from repro.cli.options import parser
from repro.core import layout
from repro.core.atomic import whole_outputs, write_text
from repro.core.canonical_json import pretty
from repro.core.config import Threads
from repro.core.digest import sha256_value
from repro.core.errors import UserError
from repro.core.seeding import Seeds
from repro.data.dataset import IDS, SPLIT
from repro.data.prepare import prepare
from repro.data.user_code import Code, load
from repro.launch import launcher, shims
from repro.launch.file_times import read_by_the_user
from repro.launch.observed import observed
from repro.launch.reporting import Say, reported
from repro.launch.stale_state import left_since, standing
from repro.machine.identity import machine
from repro.model import evaluation, training
from repro.overhead import timed_training
from repro.probe import sanity_probe
from repro.record import installed, manifest
from repro.record.environment import surroundings
from repro.record.installed import Installed
from repro.record.statement import Making, Resource, around, now, resources
from repro.watch.call_recorder import watched
from repro.watch.op_trace import Detail


def _inputs(options: argparse.Namespace) -> dict[str, Path]:
    return {
        name: launcher.path(path) for name, path in (pair.split("=", 1) for pair in options.input)
    }


def _begin(options: argparse.Namespace) -> int:
    """Seeds everything, before any line of the user's code runs; returns the root seed."""
    from repro.model.determinism import begin, begin_when_imported

    threads = Threads(**options.parameters["threads"])
    if options.step != "prepare":
        begin(Seeds(seed := options.parameters["seed"])("global"), threads)
    else:
        # What prepares data seldom needs TensorFlow, which takes seconds to import.
        begin_when_imported(Seeds(seed := options.parameters["data_seed"])("global"), threads)
    return seed


@dataclass(frozen=True)
class Work:
    """What a step is given, once the user's code is loaded; its outputs go to `out`.

    `say` tells the user a line, and the log as well.
    """

    code: Code
    inputs: Mapping[str, Path]
    parameters: Mapping[str, Any]
    out: Path
    detail: Detail | None
    keeping: Keeping | None
    say: Say


def _prepare(work: Work) -> dict[str, Any]:
    named = {layout.source_of(name): path for name, path in work.inputs.items()}
    sources = {source: path for source, path in named.items() if source is not None}
    overlap = prepare(work.code, sources, work.parameters, work.out / "data")
    return {"ids": IDS, "split": SPLIT, "overlap": overlap}


def _train(work: Work) -> dict[str, Any]:
    how = work.parameters, work.out, work.detail, work.keeping, work.say
    return asdict(training.train(work.code, work.inputs["data"], *how))


def _evaluate(work: Work) -> dict[str, Any]:
    data, weights = work.inputs["data"], work.inputs["weights"]
    same = evaluation.evaluate(work.code, data, weights, work.parameters, work.out)
    return {"inference_same": same}


def _probe(work: Work) -> dict[str, Any]:
    sanity_probe.probe(work.code, work.inputs["data"], work.parameters, work.out)
    return {}


_STEPS: Mapping[str, Callable[[Work], dict[str, Any]]] = {
    "prepare": _prepare, "train": _train, "evaluate": _evaluate, "probe": _probe,
}  # fmt: skip


@dataclass(frozen=True)
class _Job:
    """What a process is to do: its command line, inputs with their digests, and environment."""

    options: argparse.Namespace
    inputs: Mapping[str, Path]
    read: Mapping[str, Resource]
    found: Installed
    say: Say


def _worked(job: _Job, out: Path, keeping: Keeping | None) -> dict[str, Any]:
    """Loads the user's code and does the step's work; a trial may also write detail.json."""
    from repro.model.determinism import found

    options, inputs = job.options, job.inputs

    def say(line: str) -> None:
        # A repeat would only say it again.
        (job.say if options.run == "original" else print)(line)

    seed, step, path = _begin(options), _STEPS[options.step], inputs["experiment"]
    if options.detail is None:
        process = step(Work(load(path), inputs, options.parameters, out, None, keeping, say))
    else:
        detail = Detail(path, **options.detail) if options.detail else None
        read = [file for name, file in inputs.items() if name != "code"]
        with watched(path, read, {"prepare": "dataset"}.get(options.step, "training")) as calls:
            process = step(Work(load(path), inputs, options.parameters, out, detail, None, say))
        calls.write(options.out / "detail.json", detail.tensors() if detail else ())
    settings = found()
    return {**process, "seed": seed, "determinism": asdict(settings) if settings else None}


def _do(options: argparse.Namespace, say: Say) -> None:
    started = now()
    launcher.check(options.parameters["threads"]["intra"])
    found = installed.require(Path(sys.prefix))
    inputs = {**_inputs(options), "code": Path(sys.argv[0])}
    job = _Job(options, inputs, resources(inputs), found, say)
    for name in ("data.manifest", "train.manifest"):
        if name in inputs:
            manifest.check_subjects(inputs[name], layout.whole_folder(inputs[name].name))
    keeping = _keeping(job)
    kept = Kept(keeping.folder, keeping.key) if keeping else None
    with kept.alone() if kept else nullcontext():
        process, here = _made(job, keeping)
        making = Making(
            names={"step": options.step, "experiment": options.experiment, "run": options.run},
            parameters=options.parameters,
            inputs=job.read,
            installed=found.facts,
            environment=here,
            process={**process, "factors": launcher.factors()},
            started=started,
        )
        row = layout.STEPS[options.step]
        outputs = [options.out / output for output in row.makes]
        manifest.write(options.out / row.manifest, making, outputs)
        if kept:
            kept.remove()


def _made(job: _Job, keeping: Keeping | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Makes the outputs; returns what the process found of itself, and around it."""
    step, inputs = job.options.step, job.inputs
    # Nothing appears before it is known to come from the locked environment and unchanged inputs.
    with whole_outputs(job.options.out, layout.STEPS[step].makes) as folder:
        with shims.applied(launcher.varied(), launcher.run(), _read_by_the_user(inputs)):
            seen, before = observed(inputs), standing()
            process = _worked(job, folder, keeping)
            process |= {"observed": seen, "left": left_since(before)}
        here = surroundings(job.found, [inputs["code"], inputs["experiment"]])
        if odd := [name for name, now in resources(inputs).items() if job.read[name] != now]:
            raise UserError(
                f"Expected the inputs to stay as they were while {step} ran. Received "
                f"another {odd[0]} at its end. Run again."
            )
    return process, here


def _read_by_the_user(inputs: Mapping[str, Path]) -> list[Path]:
    return [inputs[name] for name in read_by_the_user(inputs)]


def _keeping(job: _Job) -> Keeping | None:
    """Where checkpoints are kept; they serve only whoever would train the very same on the same."""
    options = job.options
    if options.step != "train" or options.checkpoints is None or options.every is None:
        return None
    varied = [(entry["factor"], entry["varied"]) for entry in launcher.factors()]
    names = [options.experiment, options.run, options.parameters]
    read = {name: resource["digest"] for name, resource in job.read.items()}
    key = sha256_value([*names, varied, read, job.found.facts, machine()])

    # A killed process cannot look around at its end, so it does before each checkpoint.
    def check() -> None:
        surroundings(job.found, [job.inputs["code"], job.inputs["experiment"]])

    return Keeping(options.checkpoints, key, options.every, check)


def _environment(options: argparse.Namespace, _say: Say) -> None:
    """Starts as training does, and writes down what the process then finds around it."""
    launcher.check(options.parameters["threads"]["intra"])
    found = installed.require(Path(sys.prefix))
    _begin(options)
    import tensorflow as tf

    tf.constant(0.0)  # its devices have started in a job too
    here = surroundings(found, [Path(sys.argv[0])])
    write_text(options.out, pretty(around(here, found.facts)))


def _cost(options: argparse.Namespace, _say: Say) -> None:
    """Trains once for a while, and writes down what it took; the caller has checked the inputs."""
    launcher.check(options.parameters["threads"]["intra"])
    inputs, found = _inputs(options), installed.require(Path(sys.prefix))
    own, how = [Path(sys.argv[0]), inputs["experiment"]], (options.parameters, options.seconds)
    scratch = options.out.parent
    task = timed_training.Task(
        own[1], inputs["data"], *how, scratch, lambda: surroundings(found, own)
    )
    write_text(options.out, pretty(asdict(timed_training.measured(task, options.variant))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step, or launches it; where checkpoints do not fit, the process begins anew.

    Args:
        arguments: the command line; by default that of the process.

    Returns:
        The exit status.
    """
    options = parser(_STEPS).parse_args(arguments)
    if options.step == "launch":
        given = [argument for argument in options.arguments if argument != "--"]
        try:
            launcher.launch(options.run, options.intra, options.vary, given, options.twice)
        except UserError as error:
            print(error, file=sys.stderr)
            return error.status
    work = {"environment": _environment, "cost": _cost}.get(options.step, _do)
    try:
        return reported(options.log, lambda say: work(options, say))
    except Afresh:
        os.execv(sys.executable, sys.orig_argv)
