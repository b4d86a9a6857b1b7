"""The folder that all clones of one user share: environments, channels and wheels lie there.

The standard library is all that is used: this source is also part of the post-deploy scripts.
"""

import os
from pathlib import Path


def folder() -> Path | None:
    """Return it: REPRO_CACHE, or where the user keeps caches; None for a user without a home."""
    if moved := os.environ.get("REPRO_CACHE"):
        return Path(os.path.expanduser(moved))  # noqa: PTH111 -- as below
    if (base := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return base / "repro"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- pathlib's raises where there is none
    return home / ".cache" / "repro" if home.is_dir() else None
