"""What ./run cost does: let Snakemake measure the overhead of reproducible training.

Synopsis:
    ./run cost EXPERIMENT [--rounds N] [--directory FOLDER]
"""

import argparse
from collections.abc import Sequence

from user_project import chosen
from user_project.chosen import UserProject

from verbs import prepare


def main(argv: Sequence[str], here: UserProject) -> int:
    """Let Snakemake measure the overhead in an experiment's training."""
    parser = argparse.ArgumentParser(
        prog="./run cost",
        parents=[chosen.options()],
        description="Measure the overhead of determinism, trace and checkpoints in an experiment's "
        "training, in time and memory, against the same loop without each and against plain "
        "`fit`, in processes that take turns. The figures go to results/EXPERIMENT/cost.json, and "
        "by the next `./run all` or `./run verify` into the verdict.",
    )
    parser.add_argument("experiment", metavar="EXPERIMENT", help="a name in the configuration")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="how often each variant is measured (3)"
    )
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    options, rest = parser.parse_known_args(argv)
    rounds = [] if options.rounds is None else [f"rounds={options.rounds}"]
    return prepare.target(
        ["cost", *rest, "--config", f"cost={options.experiment}", *rounds, *options.config], here
    )
