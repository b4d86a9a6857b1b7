"""The environments of all clones of one user: made one at a time, and kept while they are in use.

Synopsis:
    with making.ready(None, ["keras"], renders, make) as status: ...    # then Snakemake

Snakemake removes whatever is not finished where they lie, so whoever makes one holds the folder's
lock. Whoever uses one holds the lock beside it, together with others; whoever installs, drops or
cleans it away holds that alone.
"""

import os
import shutil
import sys
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import locks
from display import screen
from post_deploy import beside
from repro.core.errors import CouldNotRun
from repro.record import installed

from environments import places
from environments.places import made, prefixes

MAKING = "making.lock"


@contextmanager
def ready(
    given: str | None, names: Collection[str], renders: Path, make: Callable[[], int]
) -> Generator[int]:
    """Make what is missing of some environments, and let nobody remove them until the end.

    Meanwhile Snakemake finds them by its variable. ``make`` is called where one is missing; yields
    its status, or 0. ``given`` is the folder that the command line names, if it does.

    Raises:
        CouldNotRun: one that others use is not as it was installed.
    """
    chosen = places.place(given) or places.folder()
    with ExitStack() as stack:
        status = _ready_in(chosen, names, renders, make, stack)
        if status is None and chosen == places.SHARED:
            print(
                f"{places.SHARED} cannot be written, and lacks an environment that is whole: those "
                f"of this clone are used, in {places.OWN}.",
                file=sys.stderr,
                flush=True,
            )
            status = _ready_in(places.OWN, names, renders, make, stack)
        yield status or 0


def _ready_in(
    within: Path, names: Collection[str], renders: Path, make: Callable[[], int], stack: ExitStack
) -> int | None:
    """The same for one folder, until the stack closes; None where it cannot be done there."""
    os.environ[places.VARIABLE] = str(within)
    wanted = prefixes(names, renders, within)
    # Held only afterwards: else one who drops what is not sound would take it for in use.
    if not any(map(_problem, wanted.values())):
        _hold(wanted.values(), stack)
        if all(map(made, wanted.values())):
            return 0
        stack.close()  # one went away meanwhile, and whoever makes it must hold it alone
    why = f"Waiting for another ./run to leave {within} ..."
    with ExitStack() as making:
        try:
            making.enter_context(alone(within / MAKING, why))
        except OSError:
            return None
        for prefix in wanted.values():
            _drop_unsound(prefix)
        missing = [name for name, prefix in wanted.items() if not made(prefix)]
        status = _make(missing, wanted, make) if missing else 0
        _hold(wanted.values(), stack)
        return status


@contextmanager
def alone(lock: Path, why: str) -> Generator[None]:
    """Hold a lock alone, and print ``why`` before waiting for it.

    Raises:
        OSError: nothing can be locked there.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(lock, locks.ALONE | locks.AT_ONCE))
        except BlockingIOError:
            print(why, file=sys.stderr, flush=True)
            with screen.shown():
                stack.enter_context(locks.held(lock))
        yield


def remove(prefix: Path) -> None:
    """Remove an environment, and all that lies beside it; whoever calls this holds both locks.

    Raises:
        OSError: something cannot be removed.
    """
    for suffix in beside.OF_SNAKEMAKE:  # without its flag it never takes what remains for whole
        beside.path(prefix, suffix).unlink(missing_ok=True)
    for path in prefix.parent.glob(f"{prefix.name}*"):  # also of installers that were killed
        if path.is_dir():
            shutil.rmtree(path)
        elif path != beside.lock_of(prefix):
            path.unlink()


def _problem(prefix: Path) -> str:
    """What keeps an environment from being used as it is, if anything."""
    if not made(prefix):
        return "It is not there."
    problems = installed.check(prefix)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}" if problems else ""


def _hold(wanted: Iterable[Path], stack: ExitStack) -> None:
    for prefix in filter(made, wanted):
        with suppress(OSError):  # nobody can remove anything where nobody may write
            stack.enter_context(locks.held(beside.lock_of(prefix), locks.TOGETHER))


def _drop_unsound(prefix: Path) -> None:
    if not made(prefix) or not (problem := _problem(prefix)):
        return
    try:
        with locks.held(beside.lock_of(prefix), locks.ALONE | locks.AT_ONCE):
            print(f"{problem} The environment is made again.", file=sys.stderr, flush=True)
            remove(prefix)
    except BlockingIOError:
        raise CouldNotRun(
            f"{problem} Another process uses that environment, so it cannot be made again now. "
            "Wait until that has ended, and run again."
        ) from None


def _make(missing: list[str], wanted: dict[str, Path], make: Callable[[], int]) -> int:
    for name in missing:
        lock = beside.lock_of(wanted[name])
        if lock.exists():  # an installer may have outlived the ./run that started it
            why = f"Waiting for a process that still installs or uses {wanted[name]} ..."
            with alone(lock, why):
                pass
    print(
        f"Making {' and '.join(missing)} in {wanted[missing[0]].parent} (once; about a minute) ...",
        file=sys.stderr,
        flush=True,
    )
    return make()
