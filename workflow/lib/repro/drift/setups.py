"""Setups: on which machines and in which environments the runs were made.

Synopsis:
    known = setups(steps)
    known.count, known.scope

Two setups are one where nothing differs that may change a bit, by `repro.drift.effects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.core.text import shortened
from repro.drift import nodes
from repro.drift.effects import IRRELEVANT
from repro.drift.environment_differences import Difference, drift
from repro.drift.facts import facts
from repro.machine.fact import lacking
from repro.record.step import Step

_SHOWN = 6


@dataclass(frozen=True)
class Setups:
    """`count` of them took part, and so many `programs`; `scope` says which, in words."""

    count: int
    programs: int
    scope: str


def setups(steps: Sequence[Step]) -> Setups:
    """Tells apart the setups of the original's steps and every repeat's.

    A step is compared with its like: one that does not load TensorFlow cannot tell of its devices.
    """
    by_name: dict[str, list[Step]] = {}
    for step in steps:
        by_name.setdefault(step.name, []).append(step)
    environments = {name: _distinct(alike) for name, alike in by_name.items()}
    programs = max(len({_program(step) for step in alike}) for alike in by_name.values())
    count = max(map(len, environments.values()))
    if count == 1 and programs == 1:
        return Setups(1, 1, f"{nodes.where(steps)} {_words(facts(_telling(by_name)[0]))}")
    odd = [what for distinct in environments.values() for what in _differing(distinct)]
    odd += ["the program or the experiment's code"] if programs > 1 else []
    named = shortened(list(dict.fromkeys(odd)), _SHOWN)
    return Setups(count, programs, f"{_by_run(by_name)}; what differs: {named}")


def _distinct(steps: Iterable[Step]) -> list[Mapping[str, Any]]:
    environments: list[Mapping[str, Any]] = []
    for step in steps:
        environment = facts(step)
        if all(_apart(other, environment) for other in environments):
            environments.append(environment)
    return environments


def differing(left: Step, right: Step) -> list[Difference]:
    """All that differs between the setups of two steps of one kind, worst first.

    What may change bits or metrics, and what is irrelevant.
    """
    return _differences(facts(left), facts(right))


def _differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Difference]:
    return drift(_shared(left, right), _shared(right, left))


def _apart(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    """What differs between two setups and may change bits."""
    return [
        difference.what
        for difference in _differences(left, right)
        if difference.effect != IRRELEVANT
    ]


def _shared(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """The facts, without the system's libraries that only one of two processes has loaded."""
    left_host, right_host = (
        environment.get("loaded", {}).get("host", {}) for environment in (left, right)
    )
    if lacking(left_host) or lacking(right_host):
        return dict(left)
    names = {path.rpartition("/")[2] for path in right_host}
    host = {path: digest for path, digest in left_host.items() if path.rpartition("/")[2] in names}
    return {**left, "loaded": {**left.get("loaded", {}), "host": host}}


def _differing(environments: Sequence[Mapping[str, Any]]) -> list[str]:
    return [what for other in environments[1:] for what in _apart(environments[0], other)]


def _program(step: Step) -> tuple[str | None, ...]:
    used = step.digests
    return used.get("code"), used.get("experiment")


def _telling(by_name: Mapping[str, Sequence[Step]]) -> Sequence[Step]:
    """The steps that tell of every run: those of training, where there was any."""
    return by_name.get("train") or next(iter(by_name.values()))


def _by_run(by_name: Mapping[str, Sequence[Step]]) -> str:
    """Each run with its machine; runs on machines of one name are told together."""
    runs: dict[str, list[str]] = {}
    for step in _telling(by_name):
        runs_there = runs.setdefault(f"a machine {_words(facts(step))}", [])
        runs_there += [step.run] if step.run not in runs_there else []
    return "; ".join(f"{' and '.join(names)} on {machine}" for machine, names in runs.items())


def _words(environment: Mapping[str, Any]) -> str:
    cpu, system, gpu = environment["cpu"], environment["system"], environment["gpu"]
    tensorflow, channel = environment["packages"]["tensorflow"], environment["installed"]["channel"]
    model = cpu["model"] if isinstance(cpu["model"], str) else cpu["architecture"]
    devices = f"{len(gpu)} GPU(s)" if isinstance(gpu, list) and gpu else "no GPU"  # pyright: ignore
    return (
        f"({model}, {devices}, {system['name']} {system['kernel']}), "
        f"TensorFlow {tensorflow}, channel {channel}"
    )
