"""Makes sure that a target can run: a channel, no unsound environment, no lock left behind.

Synopsis:
    prepare.prepare("local", anew=False)
    prepare.drop_stale_lock(project.ROOT)
    prepare.drop_unsound(project.ROOT / ".snakemake" / "conda")
"""

import shutil
import sys
from pathlib import Path

import channel
import project


def prepare(forced: str | None, *, anew: bool) -> None:
    """Choose and make the channel, and remove what was tampered with.

    Args:
        forced: the channel that the user forces, or None.
        anew: whether to choose again rather than to remember.

    Raises:
        UserError: no channel can be had.

    Example:
        >>> prepare("locked", anew=False)
    """
    channel.ensure(forced, anew=anew)
    drop_stale_lock(project.ROOT)
    drop_unsound(project.ROOT / ".snakemake" / "conda")


def drop_stale_lock(root: Path) -> bool:
    """Remove the lock that a killed Snakemake left, so that the next try needs no other command.

    Args:
        root: the folder that Snakemake works in.

    Returns:
        Whether a lock was removed; one that a living Snakemake may hold never is.

    Example:
        >>> drop_stale_lock(project.ROOT)
        False
    """
    locks = root / ".snakemake" / "locks"
    if not any(locks.glob("*.lock")) or _snakemake_runs_in(root):
        return False
    shutil.rmtree(locks)
    print("An earlier run was killed: the lock that it left is removed.", file=sys.stderr)
    return True


def _snakemake_runs_in(root: Path) -> bool:
    import psutil

    for process in psutil.process_iter():
        try:
            called = {Path(word).name for word in process.cmdline()}
            if "snakemake" in called and Path(process.cwd()).resolve() == root.resolve():
                return True
        except psutil.AccessDenied:
            if "snakemake" in process.name():
                return True  # another user's: it may work here
        except psutil.NoSuchProcess:
            continue
    return False


def drop_unsound(folder: Path) -> list[Path]:
    """Remove each environment that is not as it was installed; Snakemake then makes it anew.

    Args:
        folder: where Snakemake keeps its environments.

    Returns:
        The prefixes that were removed.

    Example:
        >>> drop_unsound(Path(".snakemake/conda"))
        []
    """
    from repro.record import installed

    dropped: list[Path] = []
    for flag in sorted(folder.glob("*.env_setup_done")):
        prefix = flag.with_suffix("")
        problems = installed.check(prefix) if prefix.is_dir() else []
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            print(f"{problems[0]}{more} The environment is made anew.", file=sys.stderr)
            flag.unlink()  # first: without it Snakemake never takes what remains for whole
            shutil.rmtree(prefix)
            dropped.append(prefix)
    return dropped
