"""Cost: measures what an experiment's training costs, in processes that take turns.

Synopsis:
    arguments(verbs)                 # the options of `judge.pyz cost`
    measure(options, say)            # writes cost.json and cost.manifest.json

Each variant of `repro.overhead.timed_training` runs once in each round, in a process of its own
that the launcher starts as it starts every step; each round begins with another variant, so that
what else the machine does hits all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from repro.cli.options import parameters_of
from repro.core import layout
from repro.core.atomic import write_text
from repro.core.canonical_json import canonical, decoded, pretty
from repro.core.digest import HashedOnce
from repro.core.errors import UserError
from repro.core.parameters import CostParameters
from repro.core.schema import checked
from repro.launch.command import launching
from repro.launch.reporting import Say, what_it_said
from repro.overhead.breakdown import prices
from repro.overhead.epoch_timer import Timing
from repro.overhead.timed_training import VARIANTS
from repro.record import installed, manifest
from repro.record.environment import surroundings
from repro.record.statement import Making, now, resources
from repro.report.overhead import page, summary

SECONDS = 5.0
"""That are timed in each process, after its first epoch."""


def arguments(verbs: Any) -> None:
    """Adds the verb `cost` to the command line."""
    cost: argparse.ArgumentParser = verbs.add_parser("cost", help="measure what a training costs")
    asked = parameters_of(CostParameters)
    cost.add_argument("--experiment", required=True)
    cost.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    cost.add_argument("--rounds", type=int, default=3, metavar="N")
    cost.add_argument("--folder", required=True, type=Path, help="the experiment's results")
    cost.add_argument("--program", required=True, type=Path, help="what trains: code.pyz")
    cost.add_argument("--input", nargs="+", default=[], metavar="NAME=PATH")
    cost.add_argument("--log", required=True, type=Path, metavar="FILE")


def turns(names: Sequence[str], rounds: int) -> list[list[str]]:
    """Each round's order: all names, beginning with the next one each time."""
    starts = (number % len(names) for number in range(rounds))
    return [[*names[start:], *names[:start]] for start in starts]


@dataclass
class _Measuring:
    """The processes, and what they took; one that failed is not tried again."""

    options: argparse.Namespace
    folder: Path
    spent: dict[str, list[Timing]] = field(default_factory=lambda: {name: [] for name in VARIANTS})
    unknown: dict[str, str] = field(default_factory=dict[str, str])

    def turn(self, variant: str) -> None:
        if variant in self.unknown:
            return
        out, log = self.folder / "spent.json", self.folder / "log"
        done = subprocess.run(
            self._command(variant, out, log),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if log.exists():
            print(f"== {variant}\n{log.read_text('utf-8', 'replace')}")
        if done.returncode == 0:
            self.spent[variant].append(decoded(Timing, json.loads(out.read_text("utf-8"))))
        else:
            self.unknown[variant] = _why(done, log)

    def _command(self, variant: str, out: Path, log: Path) -> list[str]:
        options = self.options
        parameters: CostParameters = options.parameters
        passed = parameters.environment_variables
        return [
            sys.executable, "-I", "-B", str(options.program),
            *launching("trial", parameters.threads.intra, (), passed), "--",
            "cost", "--variant", variant, "--seconds", str(SECONDS),
            "--parameters", canonical(parameters), "--input", *options.input,
            "--out", str(out), "--log", str(log),
        ]  # fmt: skip


def _why(done: subprocess.CompletedProcess[str], log: Path) -> str:
    """What a process that failed said."""
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"Expected the process to end by itself. Received the signal {name} from outside."
    said = what_it_said(log, done.stderr)
    return said or f"Expected the process to succeed. Received exit status {done.returncode}."


def _measured(options: argparse.Namespace, say: Say) -> dict[str, Any]:
    load = os.getloadavg()[0]
    # Beside the log, since what training writes is to go to the disk of the results.
    with tempfile.TemporaryDirectory(prefix=".cost-", dir=options.log.parent.absolute()) as folder:
        measuring = _Measuring(options, Path(folder))
        for number, names in enumerate(turns(list(VARIANTS), options.rounds), 1):
            say(f"{options.experiment}: round {number} of {options.rounds} ({', '.join(names)})")
            for name in names:
                measuring.turn(name)
            if len(measuring.unknown) == len(VARIANTS):
                raise UserError(next(iter(measuring.unknown.values())))
    ran = next(spent[0] for name, spent in measuring.spent.items() if name not in measuring.unknown)
    return {
        "load": round(load, 2),
        "gpus": ran.gpus,
        **prices(measuring.spent, measuring.unknown),
    }


def _machine(environment: Mapping[str, Any], gpus: Sequence[str]) -> str:
    """The machine of a measurement, in words."""
    cpu, system = environment["cpu"], environment["system"]
    model = cpu["model"] if isinstance(cpu["model"], str) else cpu["architecture"]
    return (
        f"this machine ({model}, {os.cpu_count()} processors, {', '.join(gpus) or 'no GPU'}, "
        f"{system['name']} {system['kernel']}), TensorFlow {environment['packages']['tensorflow']}"
    )


def measure(options: argparse.Namespace, say: Say) -> None:
    """Measures, writes cost.json with its manifest, and says what came out.

    Raises:
        UserError: an input is not what its manifest says, or not one variant could be trained.
    """
    started = now()
    environment = installed.require(Path(sys.prefix))
    inputs = {name: Path(path) for name, path in (pair.split("=", 1) for pair in options.input)}
    inputs |= {"judge": Path(sys.argv[0]), "code": options.program}
    sha256 = HashedOnce()
    read = resources(inputs, sha256)
    own = inputs["data.manifest"]
    manifest.check_subjects(own, layout.whole_folder(own.name), sha256)
    spent = _measured(options, say)
    here = surroundings(environment, [inputs["judge"]])
    parameters: CostParameters = options.parameters
    training = parameters.training
    value = {
        "experiment": options.experiment,
        "machine": _machine(here, spent.pop("gpus")),
        "rounds": options.rounds,
        "seconds": SECONDS,
        "threads": asdict(training.threads),
        "trace": training.trace,
        **spent,
    }
    if odd := [name for name, digest in resources(inputs, sha256).items() if read[name] != digest]:
        raise UserError(
            f"Expected the inputs to stay as they were while the cost was measured. Received "
            f"another {odd[0]} at its end. Run again."
        )
    output = options.folder / "cost.json"
    write_text(output, pretty(checked(value, "cost", "cost.json")))
    making = Making(
        names={"step": "cost", "experiment": options.experiment},
        parameters=parameters.json(), inputs=read, installed=environment.facts, environment=here,
        process={"factors": []}, started=started,
    )  # fmt: skip
    manifest.write(options.folder / layout.STEPS["cost"].manifest, making, [output])
    say("\n".join([*page(value), summary(value)]))
