"""Program: what makes results, in one file; it launches a step, or does its work.

Synopsis:
    python -I code.pyz launch --run original --intra 2 -- train --experiment digits …

What only launches imports nothing of the work: the process that it becomes does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from repro.cli.options import parser
from repro.core.errors import UserError
from repro.launch import launcher


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step, or launches it.

    Args:
        arguments: the command line; by default that of the process.

    Returns:
        The exit status.
    """
    options = parser().parse_args(arguments)
    if options.step == "launch":
        return _launched(options)
    from repro.cli import make

    return make.main(options)


def _launched(options: argparse.Namespace) -> int:
    given = [argument for argument in options.arguments if argument != "--"]
    try:
        launcher.launch(
            options.run, options.intra, options.vary, given, options.twice, options.passed
        )
    except UserError as error:
        print(error, file=sys.stderr)
        return error.status
