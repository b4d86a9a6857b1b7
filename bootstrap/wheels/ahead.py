"""What is got ready ahead for one ./run while its tools are made: unpacked wheels, and packages.

Synopsis:
    ahead.begin(folder)                                   # in ./run, which holds it until it ends
    with ahead.filling(ahead.WHEELS, text) as place: ...  # in a process beside it
    with ahead.scratch(ahead.WHEELS, text, otherwise, name) as folder: ...  # who needs it
    ahead.drop()                                          # in ./run again

Of wheels it is uv's cache, which uv trusts without a look. So nobody but this user may enter it, no
later ./run uses it, and what comes from it is compared with the wheels themselves
(`post_deploy.against_lock`).
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import locks

from wheels.install import emptied

VARIABLE = "REPRO_AHEAD"  # names the folder of this ./run
_HELD, _FILLING = "held.lock", "filling.lock"  # by the ./run, by who fills it
_WANTED, _READY = "wanted.txt", "ready"
_WORK = "work"
WHEELS, DEBIAN = "wheels", "debian"
"""What there is to get ready; a name is also that of its folder."""


def begin(within: Path) -> None:
    """Make an empty folder, which this process holds until it ends, whatever it becomes.

    Raises:
        OSError: nothing can be written or locked there.
    """
    within.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".", dir=within))
    handle = os.open(new / _HELD, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.set_inheritable(handle, True)
    # Under its own name only now: else another ./run would take it for left.
    os.environ[VARIABLE] = str(new.rename(new.with_name(new.name.removeprefix("."))))


@contextmanager
def filling(kind: str, wanted: str) -> Generator[Path]:
    """Give the folder in which to get something ready; whoever needs it waits until the end.

    ``wanted`` is what it is made from, as text.

    Raises:
        OSError: it is not there, or cannot be written.
    """
    place = Path(os.environ[VARIABLE], kind)
    with locks.held(place / _FILLING):
        (place / _WANTED).write_text(wanted, encoding="utf-8")
        work = place / _WORK
        work.mkdir()
        try:
            yield work
            (place / _READY).touch()
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)  # as of a disk that filled up
            raise


@contextmanager
def scratch(kind: str, wanted: str, otherwise: Path, what: str) -> Generator[Path]:
    """Give a folder to work in, which goes away: with what was got ready, or an empty one.

    Raises:
        OSError: it cannot be written.
    """
    with ExitStack() as stack:
        own = _own()
        place = own / kind if own else None
        if place and _text(place / _WANTED) == wanted:
            stack.enter_context(locks.held(place / _FILLING, what=what))
            work = place / _WORK
            stack.callback(shutil.rmtree, work, ignore_errors=True)
            if (place / _READY).exists() and _on_one_disk(work, otherwise.parent):
                (place / _READY).unlink()
                yield work
                return
            shutil.rmtree(work, ignore_errors=True)  # there may be no room for two
        yield stack.enter_context(emptied(otherwise))


def drop() -> None:
    """Remove this process's folder, of which nothing is needed any more."""
    if place := os.environ.pop(VARIABLE, None):
        shutil.rmtree(place, ignore_errors=True)


def left(within: Path) -> Iterator[Path]:
    """Give the folders whose ./run has ended, one after the other, held meanwhile."""
    for place in sorted(within.glob("[!.]*")):
        with suppress(OSError), locks.held(place / _HELD, locks.ALONE | locks.AT_ONCE):
            yield place


def _own() -> Path | None:
    """The folder of this ./run, if it is one that nobody else can enter."""
    place = Path(os.environ.get(VARIABLE, os.devnull))
    with suppress(OSError):
        status = place.lstat()
        private = (status.st_uid, stat.S_IMODE(status.st_mode)) == (os.getuid(), stat.S_IRWXU)
        return place if private and place.is_dir() else None
    return None


def _text(file: Path) -> str | None:
    with suppress(OSError):
        return file.read_text("utf-8")
    return None


def _on_one_disk(*folders: Path) -> bool:
    return len({folder.stat().st_dev for folder in folders}) == 1
