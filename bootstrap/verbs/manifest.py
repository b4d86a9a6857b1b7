"""What ./run manifest does: print what a file of the results came from, or draw it.

Synopsis:
    ./run manifest FILE [--json | --svg OUT.svg] [--directory FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from repro.audit import graph, show
from repro.audit.ancestry import ancestry
from repro.core.atomic import write_bytes
from repro.core.canonical_json import pretty
from user_project import chosen


def main(argv: Sequence[str]) -> int:
    """Print what a file came from, or draw it.

    Raises:
        UserError: nothing is known of that file, or the picture cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="./run manifest",
        parents=[chosen.options()],
        description="Print what a file came from, back to raw data and lock.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="an output, or a manifest")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="nodes and edges, manifests in whole")
    how.add_argument("--svg", type=Path, metavar="OUT.svg", help="draw it, by Graphviz")
    options = parser.parse_args(argv)
    origin = ancestry(options.file)
    if options.svg:
        write_bytes(options.svg, graph.svg(origin))
        return 0
    print(pretty(show.values(origin)) if options.json else show.text(origin), end="")
    return 0
