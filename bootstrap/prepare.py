"""Makes sure that a target can run: a channel, and no unsound environment.

Synopsis:
    prepare.prepare("local", anew=False)
    prepare.drop_unsound(project.ROOT / ".snakemake" / "conda")

A lock that a killed Snakemake left is the Snakefile's to remove: `repro.record.leftover`.
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
    drop_unsound(project.ROOT / ".snakemake" / "conda")


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
