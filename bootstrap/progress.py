"""How far a set-up is: notes that whoever installs writes to a file, and that ./run shows.

Synopsis:
    progress.note("wheels of keras", 3, 39, "tensorflow")
    progress.refused("Expected the wheel of six. Received none. Mend the index.", 4)

Snakemake captures what conda and the post-deploy scripts print, so that it cannot be seen while
they work. The standard library is all that is used: this source is also part of the post-deploy
scripts (bootstrap/render.py).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "REPRO_PROGRESS"  # the variable that names the file; without it nothing is noted


def note(what: str, done: int, total: int, name: str = "") -> None:
    """Note how far something is.

    Args:
        what: what is made or fetched, the same words from beginning to end.
        done: how many of its parts are there; it is in the making until all are.
        total: how many there will be; 0 where nobody knows.
        name: of the part in hand.

    Example:
        >>> note("wheels of keras", 3, 39, "tensorflow")
    """
    _write({"what": what, "done": done, "total": total, "name": name})


def refused(sentence: str, status: int) -> None:
    """Note why nothing more is installed: ./run ends with the first sentence that is noted.

    Args:
        sentence: what was expected, what was received, what to do.
        status: the exit status: 2 for a user's mistake, 4 where it could not run.

    Example:
        >>> refused("Expected the wheel of six. Received none. Mend the index.", 4)
    """
    _write({"refused": sentence, "status": status})


def _write(entry: Mapping[str, str | int]) -> None:
    if file := os.environ.get(FILE):
        line = f"{json.dumps(entry)}\n".encode()
        try:
            with Path(file).open("ab", buffering=0) as notes:  # one write: lines stay whole
                notes.write(line)
        except OSError:
            pass  # what nobody can see stops no installation
