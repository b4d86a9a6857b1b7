"""The installed conda environments: those that were tampered with are removed, to be made anew.

Synopsis:
    environments.drop_unsound(project.ROOT / ".snakemake" / "conda")
"""

import shutil
import sys
from pathlib import Path

import project  # noqa: F401  (makes repro importable)


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
        if not prefix.is_dir():
            continue
        problems = installed.check(prefix)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            print(f"{problems[0]}{more} The environment is made anew.", file=sys.stderr)
            flag.unlink()  # first: without it Snakemake never takes what remains for whole
            shutil.rmtree(prefix)
            dropped.append(prefix)
    return dropped
