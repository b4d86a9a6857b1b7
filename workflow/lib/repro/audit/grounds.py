"""Grounds: a verdict and all that it rests on, file by file, against what was written down of them.

Synopsis:
    for odd in changed(Path("results/digits/verdict.json")): print(odd)

A verdict's manifest binds the verdict itself, and names each manifest that was read for it by
digest; those bind data, weights, traces, metrics and predictions. Whoever writes a verdict and its
manifest again, together, is not found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.audit.check import UNREAD, hashed
from repro.audit.results import against
from repro.core import layout
from repro.core.digest import files_below
from repro.core.errors import UserError
from repro.record.step import Step, read_step

_COST = layout.STEPS["cost"].manifest


@dataclass(frozen=True)
class Odd:
    """A file that is not as it was; `manifest` is what to delete, so that it is made again."""

    path: Path
    what: str
    manifest: Path

    def __str__(self) -> str:
        """Such as `results/digits/probe.json (missing; delete probe.manifest.json)`."""
        delete = f"; delete {self.manifest.name}" if self.manifest.exists() else ""
        return f"{self.path} ({self.what}{delete})"


def changed(verdict: Path) -> list[Odd]:
    """The files that are no longer what a verdict was written with, in the order of the steps.

    Every file is hashed once.

    Raises:
        UserError: its own manifest is missing or damaged, or that of another experiment.
    """
    manifest = verdict.with_name(layout.STEPS["compare"].manifest)
    step = read_step(manifest)
    if (step.name, step.experiment) != ("compare", verdict.absolute().parent.name):
        raise UserError(
            f"Expected the manifest of this verdict at {manifest}. Received that of another "
            "experiment or step. Delete it and run again: the verdict is made again."
        )
    changes = list(_differing(manifest, step))
    used = step.digests.items()
    paths = {verdict.parent / name: sha256 for name, sha256 in used if name.endswith(layout.SUFFIX)}
    if changes or not _cites_cost(verdict):
        paths.pop(verdict.with_name(_COST), None)  # left out, and the verdict says why
    now = hashed({str(path): path for path in paths if path.exists()})
    for path, then in paths.items():
        if (digest := now.get(str(path))) != then:
            changes.append(Odd(path, _what(digest, then), path))
        else:
            changes += _differing(path, read_step(path))
    return changes


def _cites_cost(verdict: Path) -> bool:
    try:
        value: Any = json.loads(verdict.read_bytes())
        return value["cost"] is not None
    except (ValueError, TypeError):
        return True  # told by whoever reads it
    except KeyError:
        return False  # of a version that measured none


def _differing(path: Path, step: Step) -> Iterator[Odd]:
    """What a manifest claims and is not there so, and what was added to a folder that it knows."""
    claimed = {path.parent / name: sha256 for name, sha256 in step.subjects.items()}
    below = layout.whole_folder(path.name)
    there = dict(files_below(path.parent / below)) if below else {}
    files = {str(file): file for file in claimed if file.exists()}
    now = hashed(files)
    for file, then in claimed.items():
        if (digest := now.get(str(file))) != then:
            yield Odd(file, _what(digest, then), path)
    yield from (Odd(file, "added", path) for file in there.values() if file not in claimed)


def _what(now: str | None, then: str) -> str:
    if now is None:
        return "missing"
    return now if now.startswith(UNREAD) else against(now, then)
