"""How far a set-up is: notes that whoever installs writes to a file, and that ./run shows.

Synopsis:
    progress.note("wheels of keras", 3, 39, "tensorflow")

Snakemake captures what conda and the post-deploy scripts print, so that it cannot be seen while
they work. The standard library is all that is used: this source is also part of the post-deploy
scripts (bootstrap/render.py).
"""

import json
import os

FILE = "REPRO_PROGRESS"  # the variable that names the file; without it nothing is noted


def note(what: str, done: int, total: int, name: str = "") -> None:
    """Note how far something is.

    Args:
        what: what is made or fetched, the same words from beginning to end.
        done: how many of its parts are there.
        total: how many there will be; 0 where nobody knows.
        name: of the part in hand.

    Example:
        >>> note("wheels of keras", 3, 39, "tensorflow")
    """
    if file := os.environ.get(FILE):
        line = json.dumps({"what": what, "done": done, "total": total, "name": name})
        try:
            with open(file, "a", encoding="ascii") as notes:  # one write: lines stay whole
                notes.write(f"{line}\n")
        except OSError:
            pass  # what nobody can see stops no installation
