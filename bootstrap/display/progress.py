"""How far a set-up is: notes that whoever installs writes to a file, and that ./run shows.

Synopsis:
    progress.note("wheels of keras", 3, 39, "tensorflow")
    progress.refused("Expected the wheel of six. Received none. Mend the index.", 4)

Snakemake captures what conda and the post-deploy scripts print, so that it cannot be seen while
they work. The standard library is all that is used: this source is also part of the post-deploy
scripts.
"""

import json
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

FILE = "REPRO_PROGRESS"  # the variable that names the file; without it nothing is noted


def note(what: str, done: int, total: int, name: str = "") -> None:
    """Note how far something is, in the same words until all of ``total`` (0: unknown) are done."""
    _write({"what": what, "done": done, "total": total, "name": name})


def refused(sentence: str, status: int) -> None:
    """Note why nothing more is installed: ./run ends with the first sentence, and status 2 or 4."""
    _write({"refused": sentence, "status": status})


def _write(entry: Mapping[str, str | int]) -> None:
    if file := os.environ.get(FILE):
        line = f"{json.dumps(entry)}\n".encode()
        try:
            with Path(file).open("ab", buffering=0) as notes:  # one write: lines stay whole
                notes.write(line)
        except OSError:
            pass  # what nobody can see stops no installation


@contextmanager
def followed(folder: Path, what: str, total: int, pattern: str = "*") -> Generator[None]:
    """Note how many files a folder holds, again and again, while something makes or fills it."""
    ended = threading.Event()

    def follow() -> None:
        last = (0, "")
        while not ended.wait(0.5):
            now = _counted(folder, pattern)
            if now != last:
                note(what, min(now[0], total), total, now[1])
                last = now

    note(what, 0, total)
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    note(what, total, total)


def _counted(folder: Path, pattern: str) -> tuple[int, str]:
    """How many there are, and the name of the newest, up to its version."""
    try:
        times = {file.name: file.lstat().st_mtime_ns for file in folder.glob(pattern)}
    except OSError:  # one was renamed or removed meanwhile
        return 0, ""
    newest = max(times, key=lambda name: times[name], default="")
    return len(times), newest.partition("-")[0]
