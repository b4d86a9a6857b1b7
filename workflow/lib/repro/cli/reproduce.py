"""Reproduce: holds what was made again against the results of an archive.

Synopsis:
    arguments(verbs)                 # the options of `judge.pyz reproduce`
    reproduce(options, say)          # writes reproduction.json and reproduction.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.compare.runs import Comparison, compare
from repro.core import layout
from repro.core.atomic import write_text
from repro.core.canonical_json import decoded, pretty
from repro.core.digest import HashedOnce, Sha256
from repro.core.errors import UserError
from repro.core.parameters import CompareParameters
from repro.core.schema import checked
from repro.drift.setups import differing, setups
from repro.launch.reporting import Say
from repro.plan.schedule import ORIGINAL, Schedule
from repro.record import installed
from repro.record.step import Step, checked_step, read_step
from repro.report.reproduction_page import page
from repro.stats.metric_comparison import compare_metrics
from repro.stats.metric_table import measured
from repro.verdict.reproduction import Again, reproduction

ARCHIVED, AGAIN = "the archive", "here"
"""What the two runs are called."""


def arguments(verbs: Any) -> None:
    """Adds the verb `reproduce` to the command line.

    Args:
        verbs: what argparse's `add_subparsers` gave.
    """
    again: argparse.ArgumentParser = verbs.add_parser(
        "reproduce", help="hold what was made again against an archive's results"
    )
    again.add_argument("--experiment", required=True)
    again.add_argument("--archived", required=True, type=Path, help="the experiment's, as archived")
    again.add_argument("--again", required=True, type=Path, help="the same, as made again")
    again.add_argument(
        "--evaluated", action="store_true", help="only the archived weights were evaluated again"
    )
    again.add_argument("--folder", required=True, type=Path, help="where to write what was found")
    again.add_argument("--log", required=True, type=Path, metavar="FILE")


def reproduce(options: argparse.Namespace, say: Say) -> None:
    """Compares, and writes the answer as JSON and as a page.

    Args:
        options: as parsed.
        say: tells the user a line.

    Raises:
        UserError: a manifest is missing or damaged, or a file is not what its manifest says.
    """
    installed.require(Path(sys.prefix))
    sha256 = HashedOnce()
    then = _originals(options.archived, ARCHIVED, sha256)
    now = _originals(options.again, AGAIN, sha256)
    claimed = _claimed(options.archived)
    # What was copied to be evaluated again says nothing of here.
    made = [step for step in now if step.name == "evaluate" or not options.evaluated]
    like = [step for step in then if step.name in {one.name for one in made}]
    values = measured([*then, *now], (ARCHIVED, AGAIN))
    case = Again(
        options.experiment,
        claimed.goal,
        list(_compared(options.archived, options.again, then, sha256)),
        setups([*like, *made]),
        differing(like[-1], made[-1]),
        compare_metrics(values, claimed.equivalence),
        whole=not options.evaluated,
    )
    found = checked(reproduction(case), "reproduction", "reproduction.json")
    write_text(options.folder / "reproduction.json", pretty(found))
    write_text(options.folder / "reproduction.md", page(found))
    say(found["sentence"])


def _originals(folder: Path, run: str, sha256: Sha256) -> list[Step]:
    """The steps of the original, called after where they were made."""
    found = (layout.seed_of(path.name) for path in (folder / ORIGINAL).glob("*"))
    seeds = sorted(seed for seed in found if seed is not None)
    steps = Schedule("bitwise", repeat="off", count=0).steps(seeds)
    places = [layout.manifest(step, {"experiment": folder.name, **names}) for step, names in steps]
    return [replace(checked_step(folder.parent / place, sha256), alias=run) for place in places]


def _claimed(archived: Path) -> CompareParameters:
    """What the archive's verdict was asked: goal and margins."""
    verdict = read_step(archived / layout.STEPS["compare"].manifest)
    return decoded(CompareParameters, verdict.parameters)


def _compared(
    archived: Path, again: Path, then: Sequence[Step], sha256: Sha256
) -> Sequence[Comparison]:
    """Each archived seed beside what was made again."""
    numbers = [step.seed for step in then if step.name == "train" and step.seed is not None]
    for number in numbers:
        if not (again / ORIGINAL / layout.seed_folder(number)).is_dir():
            raise UserError(
                f"Expected seed {number} of the archive to be made again at {again}. Received "
                "nothing. Run `./run all` there first."
            )
    found = [compare(archived / ORIGINAL, again / ORIGINAL, n, None, sha256) for n in numbers]
    return [replace(comparison, run=AGAIN) for comparison in found]
