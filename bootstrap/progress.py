"""How far a set-up is: notes that whoever installs writes to a file, and that ./run shows.

Synopsis:
    progress.note("wheels of keras", 3, 39, "tensorflow")

Snakemake captures what conda and the post-deploy scripts print, so that it cannot be seen while
they work. The standard library is all that is used: this source is also part of the post-deploy
scripts (bootstrap/render.py).
"""

import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

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
            with Path(file).open("a", encoding="ascii") as notes:  # one write: lines stay whole
                notes.write(f"{line}\n")
        except OSError:
            pass  # what nobody can see stops no installation


@contextmanager
def followed(folder: Path, what: str, total: int, pattern: str = "*") -> Generator[None]:
    """Note how many files a folder holds, again and again, while something fills it.

    Args:
        folder: it need not exist yet.
        what: the words for it in the notes of progress.
        total: how many there will be.
        pattern: which ones count.

    Example:
        >>> with followed(Path("wheels"), "wheels", 3):
        ...     pass
    """
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(0.5):
            there = {file.name: _written(file) for file in folder.glob(pattern)}
            name = max(there, key=lambda name: there[name], default="").partition("-")[0]
            note(what, min(len(there), total), total, name)

    note(what, 0, total)
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
        note(what, total, total)
    finally:
        ended.set()
        thread.join()


def _written(file: Path) -> int:
    try:
        return file.lstat().st_mtime_ns
    except OSError:  # it was renamed since
        return 0
