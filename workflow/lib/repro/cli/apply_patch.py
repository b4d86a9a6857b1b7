"""Apply patch: brings a patch that `check` confirmed into the user's files, after asking.

Synopsis:
    require_clean(folder)                           # before anything runs
    print(applied(folder, folder / "check/fix.patch", asked=input))
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from repro.core.errors import UserError


def require_clean(folder: Path) -> None:
    """Finds out whether a patch could be applied, and taken back.

    Raises:
        UserError: nobody can be asked, or the folder is no work tree of git without changes.
    """
    if not sys.stdin.isatty():
        raise UserError(
            "Expected a terminal for `--apply`, which asks before it changes a file. Received "
            "none. Leave `--apply` out, and say `git apply -p1 check/fix.patch` afterwards."
        )
    done = _git(folder, "status", "--porcelain", "--untracked-files=no")
    if done.returncode or done.stdout.strip():
        changed = done.stdout.split()[1:2]
        received = f"a change of {changed[0]}" if changed else "none"
        raise UserError(
            "Expected for `--apply` a folder in a work tree of git without changes, so that the "
            f"patch can be taken back. Received {received}. Commit first, or leave `--apply` out."
        )


def applied(folder: Path, patch: Path, asked: Callable[[str], str]) -> str:
    """Applies a patch if the answer is yes; a sentence that says what was done."""
    require_clean(folder)
    if asked(f"Apply {patch.name} to your files? [y/N] ").strip().lower() not in ("y", "yes"):
        return "The patch was not applied."
    # First without any change: what git does not follow it could not take back.
    for words in (("--check", "--index"), ()):
        done = _git(folder, "apply", "-p1", *words, str(patch))
        if not done.returncode:
            continue
        raise UserError(
            f"Expected git to apply {patch}. Received: {done.stderr.strip()}. Apply it by hand."
        )
    return "The patch was applied. `git diff` shows it, and `git checkout -p` takes it back."


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise UserError(
            "Expected git for `--apply`. Received no such program. Install it, or leave `--apply` "
            "out."
        ) from None
