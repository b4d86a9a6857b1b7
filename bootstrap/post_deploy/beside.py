"""What lies beside the folder of an environment, and is called after it.

Synopsis:
    beside.path(Path("envs/a_"), beside.FLAG)      -> envs/a_.env_setup_done

Whoever uses, makes or removes an environment holds its lock, which the jobs of the workflow know
too.
"""

from pathlib import Path

from repro.record.environment_lock import lock_of

FLAG = ".env_setup_done"  # Snakemake's: it is finished
PINS = ".pin.txt"
OF_SNAKEMAKE = (FLAG, PINS, ".post-deploy.sh", ".yaml")  # the flag comes first
PARTIAL = ".partial"  # while its conda packages are installed
WHEELS = ".wheels"  # while its wheels are

__all__ = ["FLAG", "OF_SNAKEMAKE", "PARTIAL", "PINS", "WHEELS", "lock_of", "path"]


def path(prefix: Path, suffix: str) -> Path:
    """Return a file or a folder that belongs to an environment and lies beside it."""
    return prefix.with_name(prefix.name + suffix)
