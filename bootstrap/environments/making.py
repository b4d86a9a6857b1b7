"""The environments of all clones of one user: made one at a time, and kept while they are in use.

Synopsis:
    with environments.ready(None, ["keras"], renders, make) as status: ...    # then Snakemake
    environments.folder()

They lie in the user's cache, or where SNAKEMAKE_CONDA_PREFIX says. Snakemake removes whatever is
not finished there, so whoever makes one holds the folder's lock. Whoever uses one holds the lock
beside it, together with others; whoever installs, drops or cleans it away holds that alone.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import progress
import project
import screen
from repro.core import held
from repro.core.errors import CouldNotRun
from repro.record import installed

VARIABLE = "SNAKEMAKE_CONDA_PREFIX"
SHARED = project.CACHE / "environments"
OWN = project.ROOT / ".snakemake" / "conda"  # where plain Snakemake makes its own
MAKING = "making.lock"
BESIDE = (".env_setup_done", ".pin.txt", ".post-deploy.sh", ".yaml")  # the flag comes first


def folder() -> Path:
    """Return where the environments lie.

    Example:
        >>> folder().name
        'environments'
    """
    return place(os.environ.get(VARIABLE)) or SHARED


def place(text: str | None) -> Path | None:
    """Return the folder that Snakemake understands by a text, or None for no text.

    Args:
        text: the value of SNAKEMAKE_CONDA_PREFIX or of ``--conda-prefix``.

    Example:
        >>> place("/envs")
        PosixPath('/envs')
    """
    return project.ROOT / Path(os.path.expandvars(text)).expanduser() if text else None


def prefixes(names: Iterable[str], renders: Path, within: Path) -> dict[str, Path]:
    """Return where Snakemake makes environments: its own rule, so that it need not be started.

    Args:
        names: of environments; one without files is left out, for Snakemake to complain about.
        renders: the folder of their files.
        within: the folder that Snakemake was told of.

    Example:
        >>> prefixes(["keras"], project.ROOT / "workflow" / "envs", Path("/envs"))
        {'keras': PosixPath('/envs/8f…_')}
    """
    found: dict[str, Path] = {}
    for name in names:
        files = (f"{name}.post-deploy.sh", f"{name}.{project.subdir()}.pin.txt", f"{name}.yaml")
        digest = hashlib.md5(os.fsencode(os.path.realpath(within)), usedforsecurity=False)
        with suppress(FileNotFoundError):
            for file in files:
                digest.update((renders / file).read_bytes())
            found[name] = within / f"{digest.hexdigest()}_"
    return found


def made(prefix: Path) -> bool:
    """Say whether an environment is finished.

    Example:
        >>> made(Path("/nowhere"))
        False
    """
    return prefix.is_dir() and beside(prefix, BESIDE[0]).exists()


def beside(prefix: Path, suffix: str) -> Path:
    """Return a file that belongs to an environment and lies beside it.

    Example:
        >>> beside(Path("envs/a_"), ".pin.txt")
        PosixPath('envs/a_.pin.txt')
    """
    return prefix.with_name(prefix.name + suffix)


@contextmanager
def ready(
    given: str | None, names: Collection[str], renders: Path, make: Callable[[], int]
) -> Generator[int]:
    """Make what is missing of some environments, and let nobody remove them until the end.

    Meanwhile Snakemake finds them by its variable.

    Args:
        given: the folder that the command line names, if it does.
        names: of the environments.
        renders: the folder of their files.
        make: has Snakemake make them, and returns its status; called where one is missing.

    Yields:
        That status; 0 where none was missing.

    Raises:
        CouldNotRun: one that others use is not as it was installed.

    Example:
        >>> with ready(None, ["keras"], renders, lambda: 0) as status:
        ...     status
        0
    """
    chosen = place(given) or folder()
    with ExitStack() as stack:
        status = _ready_in(chosen, names, renders, make, stack)
        if status is None and chosen == SHARED:
            print(
                f"{SHARED} cannot be written, and lacks an environment that is whole: those of "
                f"this project folder are used, in {OWN}.",
                file=sys.stderr,
                flush=True,
            )
            status = _ready_in(OWN, names, renders, make, stack)
        yield status or 0


def _ready_in(
    within: Path, names: Collection[str], renders: Path, make: Callable[[], int], stack: ExitStack
) -> int | None:
    """The same for one folder, until the stack closes; None where it cannot be done there."""
    os.environ[VARIABLE] = str(within)
    wanted = prefixes(names, renders, within)
    # Held only afterwards: else one who drops what is not sound would take it for in use.
    if not any(map(_problem, wanted.values())):
        _hold(wanted.values(), stack)
        if all(map(made, wanted.values())):
            return 0
        stack.close()  # one went away meanwhile, and whoever makes it must hold it alone
    try:
        within.mkdir(parents=True, exist_ok=True)
        making = take_alone(within / MAKING, f"Waiting for another ./run to leave {within} ...")
    except OSError:
        return None
    try:
        for prefix in wanted.values():
            _drop_unsound(prefix)
        missing = [name for name, prefix in wanted.items() if not made(prefix)]
        status = _made(missing, wanted, make) if missing else 0
        _hold(wanted.values(), stack)
        return status
    finally:
        os.close(making)


def take_alone(lock: Path, why: str) -> int:
    """Hold a lock alone, and tell before waiting for it.

    Args:
        lock: the file.
        why: what to tell.

    Returns:
        The descriptor, to be closed.

    Raises:
        OSError: nothing can be locked there.

    Example:
        >>> os.close(take_alone(Path("making.lock"), "Waiting ..."))
    """
    try:
        return held.take(lock, held.ALONE | held.AT_ONCE)
    except BlockingIOError:
        print(why, file=sys.stderr, flush=True)
        with screen.shown():
            return progress.waited(lambda: held.take(lock, held.ALONE | held.AT_ONCE))


def remove(prefix: Path) -> None:
    """Remove an environment, and all that lies beside it; whoever calls this holds both locks.

    Args:
        prefix: its folder.

    Raises:
        OSError: something cannot be removed.

    Example:
        >>> remove(Path("envs/a_"))
    """
    for suffix in BESIDE:  # without its flag Snakemake never takes what remains for whole
        beside(prefix, suffix).unlink(missing_ok=True)
    for path in prefix.parent.glob(f"{prefix.name}*"):  # also of installers that were killed
        if path.is_dir():
            shutil.rmtree(path)
        elif path != held.lock_of(prefix):
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
            stack.callback(os.close, held.take(held.lock_of(prefix), held.TOGETHER))


def _drop_unsound(prefix: Path) -> None:
    if not made(prefix) or not (problem := _problem(prefix)):
        return
    try:
        lock = held.take(held.lock_of(prefix), held.ALONE | held.AT_ONCE)
    except BlockingIOError:
        raise CouldNotRun(
            f"{problem} Another process uses that environment, so it cannot be made anew now. "
            "Wait until that has ended, and run again."
        ) from None
    try:
        print(f"{problem} The environment is made anew.", file=sys.stderr, flush=True)
        remove(prefix)
    finally:
        os.close(lock)


def _made(missing: list[str], wanted: dict[str, Path], make: Callable[[], int]) -> int:
    for name in missing:
        lock = held.lock_of(wanted[name])
        if lock.exists():  # an installer may have outlived the ./run that started it
            why = f"Waiting for a process that still installs or uses {wanted[name]} ..."
            os.close(take_alone(lock, why))
    print(
        f"Making {' and '.join(missing)} in {wanted[missing[0]].parent} (once; about a minute) ...",
        file=sys.stderr,
        flush=True,
    )
    return make()
