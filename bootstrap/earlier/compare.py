"""What ./run compare does: compare two runs, archives or seeds, side by side.

Synopsis:
    ./run compare A B [--experiment NAME] [--json] [--directory FOLDER]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from environments import channel, places
from environments.needs import DEFAULT
from repro.content.tensor_reader import TensorReader
from repro.core.canonical_json import pretty
from repro.side_by_side import page
from repro.side_by_side.comparison import compared
from repro.side_by_side.sides import opened
from user_project import chosen


def main(argv: Sequence[str]) -> int:
    """Compare two sides; 0 where the results are the same, bit for bit, else 1.

    Raises:
        UserError: one of them is not there, or not as it was made.
    """
    options = _parser().parse_args(argv)
    with (
        opened((options.a, options.b), Path(), options.experiment) as (left, right),
        TensorReader([_python()]) as tensors,
    ):
        found = compared(left, right, tensors)
    print(pretty(page.values(found)) if options.json else page.text(found), end="")
    return 0 if found.same else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run compare",
        parents=[chosen.options()],
        description="Compare two results of an experiment side by side: metrics, weights, where "
        "training first diverges, and what differs in how they were made. A and B are folders with "
        "results, stored runs (by their names, or what they begin with), archives, or seeds of "
        "this project's results. 0 where the results are the same, bit for bit, else 1.",
    )
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B")
    parser.add_argument("--experiment", metavar="NAME", help="where there are several")
    parser.add_argument("--json", action="store_true", help="all that was found, as JSON")
    return parser


def _python() -> str:
    """A Python that has NumPy: that of an environment, if one is there; else files are bytes."""
    for word in channel.WORDS:
        prefixes = places.prefixes([DEFAULT], channel.renders(word), places.folder())
        for prefix in filter(places.made, prefixes.values()):
            return str(prefix / "bin" / "python")
    return sys.executable
