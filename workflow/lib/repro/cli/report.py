"""Report: the command line of the program that makes pages of results.

Synopsis:
    python -I report.pyz page --experiment digits --parameters JSON --folder results/digits …
    python -I report.pyz index --verdicts results/*/verdict.json --out results/index.html

It judges nothing: a page shows what a verdict says and what lies in the files that it rests on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from repro.cli.options import parameters_of
from repro.core import layout
from repro.core.atomic import write_text
from repro.core.parameters import ReportParameters
from repro.launch.reporting import Say, reported
from repro.record import installed, manifest
from repro.record.environment import surroundings
from repro.record.statement import Making, now, resources
from repro.webpage import evidence
from repro.webpage.index import index
from repro.webpage.page import page


def _page(options: argparse.Namespace, _say: Say) -> None:
    started, folder = now(), options.folder
    environment = installed.require(Path(sys.prefix))
    verdict = layout.STEPS["compare"].manifest
    code = Path(options.code)
    inputs = {verdict: folder / verdict, "experiment": code, "report": Path(sys.argv[0])}
    used = resources(inputs)
    path = folder / "report.html"
    write_text(path, page(evidence.read(folder), code))
    making = Making(
        names={"step": "report", "experiment": options.experiment},
        parameters=options.parameters.json(),
        inputs=used,
        installed=environment.facts,
        environment=surroundings(environment, [inputs["report"]]),
        started=started,
    )
    manifest.write(folder / layout.STEPS["report"].manifest, making, [path])


def _index(options: argparse.Namespace, _say: Say) -> None:
    write_text(options.out, index(options.verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="report.pyz", description="Makes pages of results.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    page_of = verbs.add_parser("page", help="write the page of an experiment")
    page_of.add_argument("--experiment", required=True)
    asked = parameters_of(ReportParameters)
    page_of.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    page_of.add_argument("--folder", required=True, type=Path, help="the experiment's results")
    page_of.add_argument("--code", required=True, help="the experiment's file or folder")
    page_of.add_argument("--log", required=True, type=Path, metavar="FILE")
    overview = verbs.add_parser("index", help="write the overview of all experiments")
    overview.add_argument("--verdicts", required=True, nargs="+", type=Path, metavar="FILE")
    overview.add_argument("--out", required=True, type=Path, metavar="FILE")
    overview.add_argument("--log", required=True, type=Path, metavar="FILE")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes a page. The exit status: 0 done, 2 a user's mistake, 4 could not run."""
    options = _parser().parse_args(arguments)
    verbs = {"page": _page, "index": _index}
    return reported(options.log, lambda say: verbs[options.verb](options, say))
