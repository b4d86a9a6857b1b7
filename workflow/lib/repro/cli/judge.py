"""Judge: the command line of the program that looks at results.

Synopsis:
    python -I judge.pyz compare --experiment digits --parameters JSON --folder results/digits …
    python -I judge.pyz verify results/*/verdict.json
    python -I judge.pyz cost --experiment digits --parameters JSON --folder results/digits …
    python -I judge.pyz reproduce --experiment digits --archived archived-results/digits …
    python -I judge.pyz drift results/…/train.manifest.json=environment.json

`compare` always succeeds and writes what it found; `verify` reads that and fails where a
claim does not hold, so that evidence is never lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.cause.counterexamples import Counterexamples, Repeats
from repro.cause.search_for_cause import inquire
from repro.cause.setting import Runs
from repro.cli import cost, reproduce, verify
from repro.cli.drift import told
from repro.cli.options import parameters_of
from repro.compare.runs import Comparison, compare
from repro.core import layout
from repro.core.atomic import write_text
from repro.core.canonical_json import pretty
from repro.core.digest import HashedOnce, Sha256
from repro.core.errors import UserError
from repro.core.parameters import CompareParameters, EquivalencePlan, LookParameters
from repro.core.schema import checked
from repro.launch.reporting import Say, reported
from repro.overhead.breakdown import known
from repro.record import installed, manifest
from repro.record.environment import surroundings
from repro.record.statement import Making, now, resources
from repro.record.step import Step, checked_step
from repro.record.trace import read as read_trace
from repro.report.verdict_page import markdown
from repro.sanity.results import facts_of
from repro.sanity.silent_error import SilentError
from repro.stats.goal_answer import INCONCLUSIVE, MET
from repro.stats.interim_analysis import looks
from repro.stats.metric_comparison import MetricComparison, compare_metrics, every_result
from repro.stats.metric_table import Measured, measured
from repro.verdict.assemble import judge
from repro.verdict.evidence import context_of
from repro.verdict.silent_errors import mistakes, seen, unlooked


def _compared(
    folder: Path, steps: Sequence[Step], parameters: CompareParameters, sha256: Sha256
) -> Iterator[Comparison]:
    """Every repeat, seed by seed, beside the original."""
    trained = [step for step in steps if step.name == "train" and step.run != "original"]
    for step in trained:
        assert step.seed is not None
        runs = folder / "original", folder / step.run
        yield compare(*runs, step.seed, parameters.limit, sha256)


def _agreed(
    folder: Path, steps: Sequence[Step], reports: Sequence[Mapping[str, Any]]
) -> tuple[list[SilentError], list[str]]:
    """What both runs agree on and is wrong all the same; and what could not be looked for."""
    data = next(step for step in steps if step.name == "prepare")
    first, evaluated = (
        next(step for step in steps if step.name == name) for name in ("train", "evaluate")
    )
    trace = read_trace(first.folder / "trace.jsonl")
    probe = json.loads((folder / "probe.json").read_text("utf-8"))
    inference = seen(reports[0], first, evaluated)
    facts = [
        facts_of(
            data.folder / "data",
            step.folder,
            step.seed or 0,
            trace if step is first else None,
            weighted=bool(step.process.get("class_weight")),
        )
        for step in steps
        if step.name == "train" and step.run == first.run
    ]
    found = mistakes(trace, probe, data.process["overlap"], inference, facts)
    return found, unlooked(probe, inference)


def _asks_why(
    parameters: CompareParameters, comparisons: Sequence[Comparison], moved: MetricComparison
) -> bool:
    """Whether it must be known why runs diverge, or that no further run would.

    Other bits with equivalent metrics may do for the goal. Where the whole was repeated with the
    same bits, the verdict says so whatever the goal.
    """
    goal, family = parameters.goal, moved.metrics
    if not any(comparison.divergence for comparison in comparisons):
        return goal == "bitwise" or parameters.full
    return goal == "bitwise" or (goal == "metrics" and not (family and family.answer == MET))


def _compare(options: argparse.Namespace, say: Say) -> None:
    started = now()
    folder: Path = options.folder
    parameters: CompareParameters = options.parameters
    environment = installed.require(Path(sys.prefix))
    read = {path.relative_to(folder).as_posix(): path for path in options.manifests}
    programs = {"judge": Path(sys.argv[0]), "code": options.program}
    sha256 = HashedOnce()
    inputs = resources({**read, **programs, **({p.name: p for p in options.price})}, sha256)
    every = [checked_step(path, sha256) for path in options.manifests]
    steps = [step for step in every if step.name not in ("probe", "look")]
    context = context_of(folder, steps, parameters.factors, options.elsewhere)
    comparisons = list(_compared(folder, steps, parameters, sha256))
    wrong, unseen = _agreed(folder, steps, context.inference)
    planned = parameters.seeds == "auto"
    moved = _moved(measured(steps), parameters.equivalence, planned)
    result = Counterexamples()
    # Two setups have a cause already: what is searched for here is one within a setup.
    if context.setups == 1 and _asks_why(parameters, comparisons, moved):
        varied = [factor["factor"] for factor in context.factors if factor["varied"]]
        given = dict(pair.split("=", 1) for pair in options.input)
        runs = Runs(options.experiment, options.program, given, folder / "original")
        repeats = Repeats(steps, varied, parameters.limit)
        result = inquire(runs, repeats, comparisons, parameters.search.trials, say)
    price, unpriced = known(next(iter(options.price), None), steps)
    verdict = judge(
        options.experiment, parameters, comparisons, context, result.causes, result.trials, wrong,
        moved, result.comparison, [*result.warnings, *unseen, *unpriced], result.growth,
    )  # fmt: skip
    more = {"results": every_result(steps, moved), "cost": price}
    verdict = checked({**verdict, **more}, "verdict", "verdict.json")
    here = surroundings(environment, [programs["judge"]])
    outputs = {
        folder / "verdict.json": pretty(verdict),
        folder / "verdict.md": markdown(verdict),
    }
    for path, text in outputs.items():
        write_text(path, text)
    making = Making(
        names={"step": "compare", "experiment": options.experiment},
        parameters=parameters.json(),
        inputs=inputs,
        installed=environment.facts,
        environment=here,
        started=started,
    )
    manifest.write(folder / layout.STEPS["compare"].manifest, making, list(outputs))


def _look(options: argparse.Namespace, say: Say) -> None:
    """Writes whether the seeds so far are enough for an answer; what was asked for stops there."""
    started = now()
    parameters: LookParameters = options.parameters
    environment = installed.require(Path(sys.prefix))
    read = {path.relative_to(options.folder).as_posix(): path for path in options.manifests}
    inputs = resources({**read, "judge": Path(sys.argv[0])})
    values = measured([checked_step(path) for path in options.manifests])
    known = _moved(values, parameters.equivalence, planned=True)
    if known.unknown:
        raise UserError(
            f"Expected `equivalence.margin` to name metrics. Received {known.unknown[0]}, which no "
            f"run has measured. Name some of {', '.join(values)}."
        )
    family = known.metrics
    enough = family is not None and family.answer != INCONCLUSIVE
    why = family.why if family else "no run has metrics"
    say(f"{options.experiment}: {options.seeds} seeds are {'' if enough else 'not '}enough: {why}.")
    here = surroundings(environment, [Path(sys.argv[0])])
    path = options.folder / f"look-{options.seeds}.json"
    write_text(path, pretty({"seeds": options.seeds, "enough": enough, "why": why}))
    making = Making(
        names={"step": "look", "experiment": options.experiment, "seeds": options.seeds},
        parameters=parameters.json(),
        inputs=inputs,
        installed=environment.facts,
        environment=here,
        started=started,
    )
    manifest.write(path.with_suffix(layout.SUFFIX), making, [path])


def _moved(
    values: Mapping[str, Measured], wanted: EquivalencePlan, planned: bool
) -> MetricComparison:
    return compare_metrics(values, wanted, looks(wanted.budget) if planned else ())


def _drift(options: argparse.Namespace, say: Say) -> int:
    """0 where every goal can still be claimed for every result, else 1."""
    installed.require(Path(sys.prefix))
    split = [pair.rpartition("=") for pair in options.pairs]
    text, status = told([(Path(path), Path(present)) for path, _, present in split])
    say(text.removesuffix("\n"))
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="judge.pyz", description="Looks at results.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    comparing = verbs.add_parser("compare", help="compare the runs and write the verdict")
    comparing.add_argument("--experiment", required=True)
    asked = parameters_of(CompareParameters)
    comparing.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    comparing.add_argument("--folder", required=True, type=Path, help="the experiment's results")
    comparing.add_argument(
        "--elsewhere", action="store_true", help="the repeats asked for another node"
    )
    comparing.add_argument("--manifests", required=True, nargs="+", type=Path, metavar="FILE")
    comparing.add_argument("--program", required=True, type=Path, help="what runs trials: code.pyz")
    comparing.add_argument(
        "--input", nargs="+", default=[], metavar="NAME=PATH", help="a trial's inputs"
    )
    comparing.add_argument(
        "--price", nargs="*", default=[], type=Path, help="cost.manifest.json, if any"
    )
    comparing.add_argument("--log", required=True, type=Path, metavar="FILE")
    look = verbs.add_parser("look", help="say whether so many seeds are enough for an answer")
    look.add_argument("--experiment", required=True)
    asked = parameters_of(LookParameters)
    look.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    look.add_argument("--manifests", required=True, nargs="+", type=Path, metavar="FILE")
    look.add_argument("--seeds", required=True, type=int, help="how many there are so far")
    look.add_argument("--folder", required=True, type=Path, help="the experiment's results")
    look.add_argument("--log", required=True, type=Path, metavar="FILE")
    drift = verbs.add_parser("drift", help="say what differs now from what made results")
    drift.add_argument("pairs", nargs="*", metavar="MANIFEST=PRESENT")
    drift.add_argument("--log", type=Path, metavar="FILE", help="where the text goes as well")
    verify.arguments(verbs)
    cost.arguments(verbs)
    reproduce.arguments(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares, verifies, measures the cost, judges what was run again, or tells the drift.

    The exit status: 0 holds, 1 does not, 2 a user's mistake, 3 inconclusive, 4 could not run.
    """
    options = _parser().parse_args(arguments)
    verbs = {
        "compare": _compare, "look": _look, "verify": verify.verify, "drift": _drift,
        "cost": cost.measure, "reproduce": reproduce.reproduce,
    }  # fmt: skip
    shown = 1 if options.verb == "drift" else 2
    return reported(options.log, lambda say: verbs[options.verb](options, say), shown)
