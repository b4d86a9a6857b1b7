"""Completeness: what of an experiment no manifest binds, and what is unknown and could be known.

Synopsis:
    missing, unknown = gaps(folder, steps)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from repro.core.digest import files_below
from repro.core.layout import SUFFIX
from repro.machine.fact import UNKNOWN
from repro.record.step import Step, read_step


def gaps(folder: Path, steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    """What is not documented, and what is unknown though it could be known; in words.

    That every file is what its manifest says, and that the environment is the lock's, was
    checked when the steps were read and made.
    """
    missing = [*_unclaimed(folder, steps), *(gap for step in steps for gap in _unbound(step))]
    # What prepares data seldom loads TensorFlow, and so knows nothing of it.
    telling = [step for step in steps if step.name in ("train", "evaluate")]
    unknown = [gap for step in telling for gap in _unknown(step)]
    return list(dict.fromkeys(missing)), list(dict.fromkeys(unknown))


def _unclaimed(folder: Path, steps: Sequence[Step]) -> Iterator[str]:
    outputs = {Path(step.path): set(step.subjects) for step in steps}
    # Of the data's folder all files were looked at when its manifest was read.
    for seed in dict.fromkeys(step.folder for step in steps if step.seed is not None):
        # Those of an earlier, longer repeat as well, which are no evidence here.
        left = set(seed.glob(f"*{SUFFIX}")) - set(outputs)
        claimed = {name for path in left for name in read_step(path).subjects}
        claimed |= {name for path, own in outputs.items() if path.parent == seed for name in own}
        for name, _ in files_below(seed):
            if name not in claimed and not name.endswith(SUFFIX):
                yield f"no manifest claims {(seed / name).relative_to(folder).as_posix()}"


def _unbound(step: Step) -> Iterator[str]:
    for used in step.without_digest:
        yield f"{step.run}, {step.name}: no digest of {used}"


def _unknown(step: Step) -> Iterator[str]:
    for path, why in _unknowns(step.environment):
        yield f"{path} is unknown ({why})"


def _unknowns(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every fact that is unknown, by its path, with the reason; not what is not applicable."""
    if not isinstance(value, Mapping):
        return
    found = cast("Mapping[str, Any]", value)
    if set(found) == {UNKNOWN}:
        yield path, str(found[UNKNOWN])
    for name, part in found.items():
        yield from _unknowns(part, f"{path}/{name}".lstrip("/"))
