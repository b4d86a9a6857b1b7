"""Where environments lie, and by which names Snakemake looks for them there.

Synopsis:
    places.folder()
    places.prefixes(["keras"], renders, places.folder())

They lie in the user's cache, or where SNAKEMAKE_CONDA_PREFIX says.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import project
from post_deploy import beside

VARIABLE = "SNAKEMAKE_CONDA_PREFIX"
SHARED = project.CACHE / "environments"
OWN = project.ROOT / ".snakemake" / "conda"  # where plain Snakemake makes its own


def folder() -> Path:
    """Return where the environments lie."""
    return place(os.environ.get(VARIABLE)) or SHARED


def place(text: str | None) -> Path | None:
    """Return what Snakemake takes SNAKEMAKE_CONDA_PREFIX or ``--conda-prefix`` for, or None."""
    return Path(os.path.expandvars(text)).expanduser().absolute() if text else None


def prefixes(names: Iterable[str], renders: Path, within: Path) -> dict[str, Path]:
    """Return where Snakemake makes environments: its own rule, so that it need not be started."""
    by_name: dict[str, Path] = {}
    for name in names:
        files = (f"{name}.post-deploy.sh", f"{name}.{project.subdir()}.pin.txt", f"{name}.yaml")
        digest = hashlib.md5(os.fsencode(os.path.realpath(within)), usedforsecurity=False)
        with suppress(FileNotFoundError):  # which Snakemake reports
            for file in files:
                digest.update((renders / file).read_bytes())
            by_name[name] = within / f"{digest.hexdigest()}_"
    return by_name


def made(prefix: Path) -> bool:
    """Say whether an environment is finished."""
    return prefix.is_dir() and beside.path(prefix, beside.FLAG).exists()
