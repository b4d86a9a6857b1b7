"""Twins: a folder for each run of `check`, with the script, its data and a home of its own.

Synopsis:
    place = make(case, folder / "faulty", mended=False)
    place.script, place.environment
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from table import HERE, Case

DIGITS = HERE.parent / "irreproducible" / "digits.csv"
INHERITED = ("PATH", "TMPDIR", "SSL_CERT_FILE")
FIRST_DAY = 1_700_000_000  # seconds since 1970: the oldest of the daily tables


@dataclass(frozen=True)
class Place:
    """Where a script runs, and in which environment."""

    folder: Path
    script: str
    environment: Mapping[str, str]


def make(case: Case, folder: Path, *, mended: bool) -> Place:
    """Writes a script with all that it needs.

    Args:
        case: which one.
        folder: a new folder.
        mended: apply the case's patch.

    Returns:
        Where it is.

    Raises:
        CalledProcessError: the patch does not apply.
    """
    work, home = folder / "project", folder / "home"
    for new in (work, home):
        new.mkdir(parents=True)
    shutil.copy(case.script, work)
    if mended and case.patch:
        _apply(case.patch, work)
    for name in case.data:
        _DATA[name](work)
    for name, text in case.home.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment = {**inherited, "HOME": str(home), "LANG": "en_US.UTF-8"}
    return Place(work, case.script.name, environment)


def patched(place: Place, variables: Mapping[str, str]) -> Place:
    """A copy of a place, with the patch that `check` showed there applied and its variables set.

    Raises:
        CalledProcessError: the patch does not apply.
    """
    folder = place.folder.parent / "patched" / place.folder.name
    shutil.copytree(place.folder, folder)
    shown = folder / "check" / "fix.patch"
    if shown.exists():
        _apply(shown, folder)
    shutil.rmtree(folder / "check")
    return Place(folder, place.script, {**place.environment, **variables})


def _apply(patch: Path, folder: Path) -> None:
    # Within a work tree of somebody's, git would take the paths for its own and do nothing.
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", str(patch)]
    subprocess.run(command, cwd=folder, env=outside, check=True, timeout=60)


def _digits(folder: Path) -> None:
    shutil.copy(DIGITS, folder)


def _days(folder: Path) -> None:
    """Twelve daily tables, each written a day after the one before."""
    rng = random.Random(1)
    (folder / "days").mkdir()
    for day in range(12):
        rows = ["hour,temperature,holiday,rides"]
        for hour in range(24):
            rows.append(f"{hour},{rng.uniform(5, 30):.1f},{day % 7 == 5:d},{rng.randrange(5, 200)}")
        file = folder / "days" / f"2024-05-{day + 1:02}.csv"
        file.write_text("\n".join(rows) + "\n", "utf-8")
        written = FIRST_DAY + 86_400 * day
        os.utime(file, (written, written))


_DATA = {"digits.csv": _digits, "days": _days}
