"""Documented: whether the experiment is recorded so that it can be executed again.

Synopsis:
    gaps(folder, steps)          # what is missing, or unknown though it could be known
    documented(case).verdict
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from repro.cause.diagnose import times
from repro.core.digest import files_below
from repro.machine.fact import UNKNOWN
from repro.record import manifest
from repro.stats.answer import INCONCLUSIVE, MET, NOT_MET, Answer
from repro.verdict.case import Case
from repro.verdict.sentences import capital, extent, listed

if TYPE_CHECKING:
    from repro.verdict.evidence import Step

COMMAND = "snakemake --use-conda all"
_SUFFIX = ".manifest.json"
_SHOWN = 5


def gaps(folder: Path, steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    """What keeps an experiment from being fully documented.

    That every file is what its manifest says, and that the environment is the lock's, was
    checked when the steps were read and made.

    Args:
        folder: the experiment's results.
        steps: those of the original and of every repeat.

    Returns:
        What is missing, and what is unknown though it could be known; in words.
    """
    missing = [*_unclaimed(folder, steps), *(gap for step in steps for gap in _unbound(step))]
    # What prepares data seldom loads TensorFlow, and so knows nothing of it.
    telling = [step for step in steps if step.name in ("train", "evaluate")]
    unknown = [gap for step in telling for gap in _unknown(step)]
    return list(dict.fromkeys(missing)), list(dict.fromkeys(unknown))


def _unclaimed(folder: Path, steps: Sequence[Step]) -> Iterator[str]:
    outputs = {step.path: step.outputs for step in steps}
    # Of the data's folder all files were looked at when its manifest was read.
    for seed in dict.fromkeys(step.path.parent for step in steps if step.seed is not None):
        # Those of an earlier, longer repeat as well, which are no evidence here.
        left = set(seed.glob(f"*{_SUFFIX}")) - set(outputs)
        claimed = {name for path in left for name in _subjects(path)}
        claimed |= {name for path, own in outputs.items() if path.parent == seed for name in own}
        for name, _ in files_below(seed):
            if name not in claimed and not name.endswith(_SUFFIX):
                yield f"no manifest claims {(seed / name).relative_to(folder).as_posix()}"


def _subjects(path: Path) -> Iterator[str]:
    yield from (subject["name"] for subject in manifest.read(path)["subject"])


def _unbound(step: Step) -> Iterator[str]:
    for used in step.predicate["buildDefinition"]["resolvedDependencies"]:
        if not used.get("digest"):
            what = used.get("name") or used.get("uri")
            yield f"{step.run}, {step.name}: no digest of {what}"


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


def documented(case: Case) -> Answer:
    """What is found for the goal `documented`.

    Args:
        case: what was found; `context.missing` and `context.unknown` are what `gaps` gave.

    Returns:
        The answer: `not met` where something is not bound, `inconclusive` where something is
        unknown or the way to execute it again was not tried.
    """
    name, context = case.name, case.context
    if context.missing:
        return Answer(NOT_MET, f"{name}: not fully documented. {_told(context.missing)}.")
    if context.unknown:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because not everything is known that decides the result. "
            f"{_told(context.unknown)}.",
        )
    if not case.comparisons:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because the way to execute it again (`{COMMAND}`) was not "
            "tried (`repeat: off`); all else is documented.",
        )
    if context.programs > 1:
        return Answer(
            INCONCLUSIVE,
            f"{name}: inconclusive, because what was executed again was another program: "
            f"{context.scope}. Make the original anew.",
        )
    runs = times(len({c.run for c in case.comparisons}))
    return Answer(
        MET,
        f"{name}: documented. Every file is bound by a manifest to the digests of code, "
        "configuration, raw data, lock and environment, and nothing is unknown that could be "
        f"known. The way to execute it again (`{COMMAND}`) was gone {runs} more, "
        f"{extent(case.comparisons, case.evaluated)}.",
    )


def _told(parts: Sequence[str]) -> str:
    more = len(parts) - _SHOWN
    shown = listed([*parts[:_SHOWN], *([f"{more} more"] if more > 0 else [])])
    return capital(shown)
