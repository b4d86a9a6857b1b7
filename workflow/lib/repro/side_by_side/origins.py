"""Origins: what differs in how two sides were made, from their manifests alone.

Synopsis:
    found = origins(left, right, (0, 0))
    found.configuration["settings.dropout"]        # ('0.3', '0.4')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repro.audit.against_present import by_key
from repro.audit.results import LOCK
from repro.core.layout import PRETRAINED, source_of
from repro.drift.environment_differences import Difference
from repro.drift.setups import differing
from repro.record.step import Step
from repro.side_by_side.sides import Side

_STEPS = ("prepare", "train", "evaluate")
_NONE = "none"


@dataclass(frozen=True)
class Origins:
    """What differs: by key of the configuration both values, as JSON; files by name; and the setup.

    `code`, `data` and `pretrained` (weights from elsewhere) are the experiment's, `workflow` the
    files that the programs were packed from.
    """

    configuration: Mapping[str, tuple[str, str]]
    code: tuple[str, ...]
    data: tuple[str, ...]
    pretrained: tuple[str, ...]
    workflow: tuple[str, ...]
    setup: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        files = self.code, self.data, self.pretrained, self.workflow
        return not any((self.configuration, *files, self.setup))


def origins(left: Side, right: Side, seeds: tuple[int, int]) -> Origins:
    """What differs in how two sides were made, each with one of its seeds."""
    pairs = [
        (one, other)
        for name in _STEPS
        if (one := left.step(name, seeds[0])) and (other := right.step(name, seeds[1]))
    ]
    trained = next(pair for pair in pairs if pair[0].name == "train")
    prepared = [pair for pair in pairs if pair[0].name == "prepare"]
    return Origins(
        _configuration(pairs),
        tuple(_files(*trained, "experiment")),
        tuple(name for pair in prepared for name in _sources(*pair, "data")),
        tuple(_sources(*trained, PRETRAINED)),
        tuple(_workflow(left.program, right.program)),
        tuple(differing(*trained)),
    )


def _configuration(pairs: list[tuple[Step, Step]]) -> dict[str, tuple[str, str]]:
    values: dict[str, tuple[str, str]] = {}
    for one, other in pairs:
        then, now = (by_key(dict(step.parameters)) for step in (one, other))
        for key in {**then, **now}:
            both = then.get(key, _NONE), now.get(key, _NONE)
            if both[0] != both[1]:
                values[key] = both
    # A mapping that is empty on one side: its keys on the other say it all.
    return {
        key: both for key, both in values.items()
        if not ("{}" in both and any(other.startswith(f"{key}.") for other in values))
    }  # fmt: skip


def _sources(one: Step, other: Step, kind: str) -> Iterator[str]:
    """The files that differ of all inputs of a kind."""
    for name in sorted({**one.inputs, **other.inputs}):
        if source_of(name, kind) is not None:
            yield from _files(one, other, name)


def _files(one: Step, other: Step, name: str) -> Iterator[str]:
    """The files of an input that differ, or its name where it is one file, or has too many."""
    left, right = (step.digests.get(name) for step in (one, other))
    if left == right:
        return
    files: list[Mapping[str, Any]] = [
        step.inputs.get(name, {}).get("annotations", {}).get("files", {}) for step in (one, other)
    ]
    odd = sorted(n for n in {**files[0], **files[1]} if files[0].get(n) != files[1].get(n))
    yield from (f"{name}/{inner}" for inner in odd) if odd else [name]


def _workflow(one: Step | None, other: Step | None) -> Iterator[str]:
    left, right = (step.digests if step else {} for step in (one, other))
    for name in sorted({**left, **right}):
        if name != LOCK and left.get(name) != right.get(name):
            yield name
