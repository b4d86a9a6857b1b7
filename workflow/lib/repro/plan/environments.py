"""Environments: the file by which Snakemake makes one, wholly pinned by the lock.

Synopsis:
    environment_file(home, None, "keras")            # …/workflow/envs/keras.yaml
"""

from __future__ import annotations

from pathlib import Path

from repro.core.config_checks import FILE
from repro.core.errors import UserError
from repro.record.environment_files import check_renders
from repro.record.installed import current_platform

_FOLDERS = {"locked": Path("workflow", "envs"), "local": Path(".tools", "local", "envs")}


def environment_file(home: Path, channel: str | None, name: str) -> str:
    """The file of an environment.

    Args:
        home: the Snakefile's folder.
        channel: where conda packages come from, if that is forced; else as `./run` remembered.
        name: of the environment.

    Returns:
        What Snakemake takes for `conda:`.

    Raises:
        UserError: there is none of that name, or it is not rendered from the lock as it is now.
    """
    remembered = home / ".tools" / "channel"
    found = remembered.read_text().strip() if remembered.exists() else "locked"
    folder = home / _FOLDERS[channel or found]
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if known and name not in known:
        raise UserError(
            f"{FILE}: Expected `environment` to be one of {', '.join(known)}. "
            f"Received {name}. Correct it."
        )
    check_renders(home / "conda-lock.yml", folder, name, current_platform())
    return str(folder / f"{name}.yaml")
