"""Verify: says whether claims hold, by verdicts that are as they were written.

Synopsis:
    arguments(verbs)                 # the options of `judge.pyz verify`
    status = verify(options, say)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from repro.audit.grounds import Odd, changed
from repro.core.errors import UserError
from repro.core.schema import read
from repro.core.text import shortened
from repro.launch.reporting import Say
from repro.record import installed
from repro.stats.goal_answer import INCONCLUSIVE, MET

_SHOWN = 5


def arguments(verbs: Any) -> None:
    """Adds the verb `verify` to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "verify", help="fail with one sentence where a claim does not hold"
    )
    parser.add_argument("verdicts", nargs="+", type=Path)
    parser.add_argument("--log", type=Path, metavar="FILE", help="where the sentences go as well")


def verify(options: argparse.Namespace, say: Say) -> int:
    """Reads verdicts, and says each one's sentence.

    0 where every claim holds; 1 where one does not; else 3.

    Raises:
        UserError: a verdict, or something that it rests on, is not as it was written.
    """
    installed.require(Path(sys.prefix))
    _refuse_changed([odd for path in options.verdicts for odd in changed(path)])
    verdicts = [(path, read(path, "verdict")) for path in options.verdicts]
    for path, verdict in verdicts:
        say(f"{verdict['sentence']} See {path.with_suffix('.md')}.")
    answers = {verdict["verdict"] for _, verdict in verdicts}
    return 0 if answers == {MET} else 3 if answers <= {MET, INCONCLUSIVE} else 1


def _refuse_changed(odd: Sequence[Odd]) -> None:
    if odd:
        names = shortened([str(file) for file in odd], _SHOWN)
        rest = " (`./run check-files` names all)" if len(odd) > _SHOWN else ""
        raise UserError(
            "Expected verdicts, and what they rest on, as they were written. Received "
            f"{names}{rest}. Delete what is named to be deleted and run again: what is "
            "missing then is made again."
        )
