"""Evidence: a verdict and the results that it rests on, each file as its manifest says it is.

Synopsis:
    found = read(Path("results/digits"))
    found.verdict["sentence"], found.minutes(["train"])
    found.content(step, "metrics.json")
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from repro.core import layout
from repro.core.digest import sha256_bytes, sha256_file
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.record.step import Step, read_step

_VERDICT = layout.STEPS["compare"].manifest
Verdict = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """A verdict, the step that wrote it, and the steps whose manifests it was made from."""

    folder: Path
    verdict: Verdict
    judged: Step
    steps: Sequence[Step]

    def of(self, name: str, run: str | None = None) -> list[Step]:
        """The steps of that name, of all runs or of one."""
        return [step for step in self.steps if step.name == name and run in (None, step.run)]

    @property
    def runs(self) -> list[str]:
        """The original, then its repeats."""
        return list(dict.fromkeys(step.run for step in self.of("prepare")))

    def content(self, step: Step, name: str) -> bytes | None:
        """A file that a step made; None where it made none of that name.

        Raises:
            UserError: it is no longer what the manifest says.
        """
        if name not in step.subjects:
            return None
        return _as_written(step.folder / name, step.subjects[name])


def read(folder: Path) -> Evidence:
    """A verdict, and the manifests that it names.

    Raises:
        UserError: a file cannot be read, or is no longer what was written.
    """
    judged = read_step(folder / _VERDICT)
    text = _as_written(folder / "verdict.json", judged.subjects["verdict.json"])
    verdict = checked(json.loads(text), "verdict", "verdict.json")
    return Evidence(folder, verdict, judged, list(_steps(folder, judged)))


def _steps(folder: Path, judged: Step) -> Iterator[Step]:
    for name, sha256 in judged.digests.items():
        if name.endswith(layout.SUFFIX):
            if sha256_file(folder / name) != sha256:
                raise _changed(folder / name)
            yield read_step(folder / name)


def _as_written(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"Expected {path}. Received from the system: {error.strerror}. Run again: it is made "
            "again."
        ) from error
    if sha256_bytes(content) != sha256:
        raise _changed(path)
    return content


def _changed(path: Path) -> UserError:
    return UserError(
        f"Expected {path} as it was when the verdict was written. Received another file. Run "
        "again: the verdict is made again."
    )


def seconds(step: Step) -> float:
    """How long a step took, as its manifest says."""
    began, ended = (datetime.fromisoformat(time) for time in step.times)
    return (ended - began).total_seconds()
