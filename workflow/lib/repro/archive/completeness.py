"""What an archive must hold, so that its verdict can be followed back to the raw data.

Synopsis:
    for problem in problems(inside): ...

`repro.archive.verify` checks that what is there agrees; this, that nothing is left out of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repro.archive.contents import CONFIGURATION, Inside
from repro.audit.results import LOCK
from repro.core import layout
from repro.plan.schedule import Schedule

_USED: Mapping[str, frozenset[str]] = {
    **{
        step: frozenset(["code", "experiment", LOCK, *layout.STEPS[step].uses])
        for step in ("prepare", "train", "evaluate", "probe")
    },
    "compare": frozenset(["judge", LOCK]),
}
"""What a step cannot have done without, so that it must say which one it used."""


def problems(inside: Inside) -> Iterator[str]:
    """What is missing between the verdict and the raw data.

    Args:
        inside: an archive's files.

    Yields:
        A line for each.
    """
    yield from _lacking(inside)
    yield from _unfollowed(inside)


def _lacking(inside: Inside) -> Iterator[str]:
    """What the configuration asks for and nobody made."""
    said, experiment = inside.experiment.said, inside.index.experiment
    schedule = Schedule(said["goal"], said["repeat"], said["repeats"])
    # How many seeds were asked for by a plan, the verdict alone can tell.
    seeds = [0] if said["seeds"] == "auto" else said["seeds"]
    for step, names in schedule.steps(seeds):
        path = layout.manifest(step, {"experiment": experiment, **names})
        if path not in inside.results.steps:
            yield f"results/{path} is missing, which {CONFIGURATION} asks for"


def _unfollowed(inside: Inside) -> Iterator[str]:
    """What could not be followed from the verdict to the raw data, because nothing speaks of it."""
    name, steps = inside.index.experiment, inside.results.steps
    verdict = steps[layout.manifest("compare", {"experiment": name})]
    data = {layout.source_input(source) for source in inside.experiment.data}
    named = inside.experiment.pretrained
    pretrained = {layout.source_input(source, layout.PRETRAINED) for source in named}
    for path, step in steps.items():
        rests = path.removeprefix(f"{name}/") in verdict.inputs
        if step.name in _USED and step is not verdict and not rests:
            yield f"the verdict does not say that it rests on results/{path}"
        weights = pretrained if step.name in ("train", "evaluate", "probe") else ()
        used = {*weights, *_USED.get(step.name, ()), *(data if step.name == "prepare" else ())}
        if lacking := used - step.inputs.keys():
            yield f"results/{path} does not say which {min(lacking)} it used"
        if not step.parameters_are_whole:
            yield f"results/{path} has another parameters_sha256 than its parameters"
