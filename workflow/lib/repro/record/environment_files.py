"""Environment files: the files of an environment that are made from the lock, and belong to it.

Synopsis:
    check_renders(Path("conda-lock.yml"), Path("workflow/envs"), "keras", "linux-64")
"""

import hashlib
from pathlib import Path

from repro.core.errors import UserError


def check_renders(lock: Path, envs: Path, name: str, platform: str) -> None:
    """Refuse files of an environment that are missing or were rendered from another lock.

    Snakemake installs an unpinned environment where a pin file is missing, without a word.
    `platform` is in conda's words.

    Raises:
        UserError: which file, and how to have it again.
    """
    try:
        want = f"# lock: sha256:{hashlib.sha256(lock.read_bytes()).hexdigest()}"
    except OSError:
        raise UserError(f"Expected a lock at {lock}. Received no such file. Restore it.") from None
    for file in (f"{name}.yaml", f"{name}.{platform}.pin.txt", f"{name}.post-deploy.sh"):
        try:
            head = (envs / file).read_text(encoding="utf-8").splitlines()[:5]
        except OSError:
            head = None
        if head is None or want not in head:
            raise UserError(
                f"Expected {envs / file}, rendered from {lock.name} as it is now ({want[8:]}). "
                f"Received {'no such file' if head is None else 'one from another lock'}. "
                "Run `./run setup` to have it again, or restore it with git."
            )
