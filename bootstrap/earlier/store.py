"""Store: results of an experiment, with all that made them, put aside under runs/.

Synopsis:
    stored = store.put_aside(results, config, "digits")
    stored.folder                            # runs/digits-20261129T195045Z-1a2b3c4d

A stored run is a project of its own: results, logs, configuration, code and raw data. Results,
which nobody writes to in place, and large raw data are hard links, and copies where the file system
has none; all else is copied. It appears by one rename, at the end.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import locks
from repro.audit.results import Results
from repro.core.atomic import sentence_for_system_errors, whole_folder
from repro.core.digest import sha256_file, sha256_value

from earlier import origin

RUNS = Path("runs")
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True)
class StoredRun:
    """Where it lies, whether it lay there before, and in words what of its origin is missing."""

    folder: Path
    before: bool
    missing: tuple[str, ...]


def put_aside(results: Results, config: Any, experiment: str) -> StoredRun:
    """Put the results of an experiment aside, if they are not there already.

    Raises:
        CouldNotRun: the system refused.
    """
    with sentence_for_system_errors(RUNS), locks.folder(RUNS):
        for killed in RUNS.glob(".partial.*"):
            shutil.rmtree(killed)
        own = results.only(experiment)
        made = origin.of(results, config, experiment)
        folder = RUNS / _name(own, experiment)
        if folder.is_dir():
            return StoredRun(folder, True, ())
        with whole_folder(folder, anew=True) as temporary:
            for name, file in own.files.items():
                _link(file, temporary / "results" / name)
            for path, file in made.files.items():
                put = _link if file.stat().st_size > origin.SMALL else origin.copy
                put(file, temporary / path)
            for file in _logs(experiment):
                origin.copy(file, temporary / file)
            if made.configuration:
                origin.write(made.configuration, temporary)
    return StoredRun(folder, False, made.missing)


def _name(own: Results, experiment: str) -> str:
    """By when the results were finished and what they are: the same have the same name."""
    steps = [s for s in own.steps.values() if s.experiment and s.name != "report"]
    finished = max(step.times[1] for step in steps)
    digest = sha256_value({step.key: sha256_file(own.files[step.key]) for step in steps})
    return f"{experiment}-{finished.replace('-', '').replace(':', '')}-{digest[:8]}"


def _logs(experiment: str) -> Iterator[Path]:
    files = [Path("logs", "code.log"), *Path("logs", experiment).rglob("*")]
    yield from (file for file in files if file.is_file())


def _link(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy2(file, target)
