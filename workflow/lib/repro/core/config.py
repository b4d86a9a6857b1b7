"""Config: the configuration, checked, with every default filled in.

Synopsis:
    experiments = resolve(yaml_value)
    experiments["digits"].training.epochs
    experiments["digits"].parameters("train", seed=0)     # what that step depends on

Runs where the Snakefile is read. A job receives only its own step's parameters, as
canonical JSON, so a change re-runs exactly the steps that it concerns.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from repro.core.canonical_json import Json, decoded
from repro.core.config_checks import CLASSES, FILE, check, check_digests
from repro.core.digest import sha256_variable
from repro.core.errors import UserError
from repro.core.factor_table import FACTORS, STRESS
from repro.core.layout import PRETRAINED
from repro.core.parameters import (
    CompareParameters,
    CostParameters,
    EquivalencePlan,
    EvaluateParameters,
    LookParameters,
    Parameters,
    PrepareParameters,
    ProbeParameters,
    RawData,
    ReportParameters,
    Resources,
    Search,
    Training,
    TrainParameters,
    counts,
)
from repro.core.schema import checked

NOT_SET = "not set"
"""In place of the digest of an environment variable that this process does not have."""

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


@dataclass(frozen=True)
class Source(RawData):
    """Raw data, and where else it can be had."""

    address: str | None = None
    """For people, and for an archive that leaves the data out: nothing is fetched from there."""


def sources(value: Mapping[str, Any]) -> dict[str, Source]:
    """The sources that an entry of the configuration names; a single one as ""."""
    named = {"": value} if "path" in value else value
    return {name: Source(**source) for name, source in named.items()}


def _raw(named: Mapping[str, Source]) -> dict[str, RawData]:
    return {name: RawData(source.path, source.sha256) for name, source in named.items()}


@dataclass(frozen=True)
class Experiment:
    """One entry of the configuration.

    `data` has the key "" where it is a single source, and is empty where there is none; so is
    `pretrained`, weights that were trained elsewhere.
    """

    code: str
    data: Mapping[str, Source]
    pretrained: Mapping[str, Source]
    data_seed: int
    split: Mapping[str, float]
    settings: Mapping[str, Json]
    training: Training
    checkpoint: int | None
    """Seconds between checkpoints; it decides no result, so it is no part of `training`."""
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    """At how many seeds is looked, with `seeds: auto`; then `seeds` are those of the last look."""
    goal: str
    repeat: str | Mapping[str, int]
    elsewhere: bool
    """Whether a repeat asks for another node of a cluster than the original had."""
    repeats: int
    equivalence: EquivalencePlan
    factors: tuple[str, ...]
    search: Search
    archive: Mapping[str, int]
    limits: Mapping[str, int]
    """How much is read of what need not end: those of `ReadLimits` that are named."""
    resources: Resources
    environment: str
    environment_variables: Mapping[str, str]
    """What steps see of the user's shell, with the digest of each or `NOT_SET`."""

    @property
    def sources(self) -> list[Source]:
        """All that it reads beside its code."""
        return [*self.data.values(), *self.pretrained.values()]

    @classmethod
    def of(cls, value: Mapping[str, Any], stress: bool = False) -> Experiment:
        """From the checked mapping; under stress the factor `load` is varied too."""
        wanted = {STRESS: stress, **value["factors"]}
        every = value["training"]["checkpoint"]
        auto, budget = value["seeds"] == "auto", value["equivalence"]["budget"]
        named: dict[str, Any] = {
            **value,
            "data": sources(value.get("data", {})),
            "pretrained": sources(value.get(PRETRAINED, {})),
            "training": decoded(Training, value["training"]),
            "checkpoint": every if type(every) is int else None,
            "seeds": tuple(range(budget) if auto else value["seeds"]),
            "looks": counts(budget) if auto else (),
            "repeat": _asked(value),
            "elsewhere": _elsewhere(value),
            "equivalence": decoded(EquivalencePlan, value["equivalence"]),
            "search": decoded(Search, value["search"]),
            "environment_variables": {
                name: sha256_variable(os.environ[name]) if name in os.environ else NOT_SET
                for name in value.get("environment_variables", ())
            },
            "limits": value.get("limits", {}),
            "resources": decoded(Resources, value.get("resources", {})),
            "factors": tuple(name for name in FACTORS if wanted.get(name, True)),
        }
        return cls(**named)

    def parameters(self, step: str, run: str = "original", seed: int | None = None) -> Parameters:
        """What a step depends on, see `repro.core.parameters`.

        The step is `prepare`, `train`, `evaluate`, `probe`, `cost`, `look` or `compare`. A run that
        is not `original` may stop early. The root seed is by default the first.
        """
        threads, training = self.training.threads, self.training
        started: dict[str, Any] = {
            "threads": threads,
            "environment_variables": self.environment_variables,
            "settings": self.settings,
        }
        root = self.seeds[0] if seed is None else seed
        if step in ("train", "evaluate", "probe", "cost"):
            started["pretrained"] = _raw(self.pretrained)
        match step:
            case "prepare":
                return PrepareParameters(
                    **started, data=_raw(self.data), data_seed=self.data_seed, split=self.split,
                    limits=self.limits,
                )  # fmt: skip
            case "train":
                limit = None if run == "original" or isinstance(self.repeat, str) else self.repeat
                return TrainParameters(**started, training=training, seed=root, limit=limit)
            case "evaluate":
                return EvaluateParameters(**started, batch_size=training.batch_size, seed=root)
            case "probe" | "cost":
                kind = ProbeParameters if step == "probe" else CostParameters
                return kind(**started, training=training, seed=root)
            case "look":
                return LookParameters(
                    threads=threads, repeats=self.repeats, equivalence=self.equivalence
                )
            case "compare":
                return CompareParameters(
                    threads=threads, seeds="auto" if self.looks else self.seeds, goal=self.goal,
                    repeat=self.repeat, repeats=self.repeats, factors=self.factors,
                    search=self.search, equivalence=self.equivalence,
                )  # fmt: skip
            case "report":
                return ReportParameters(threads=threads)
            case _:
                raise ValueError(f"no step is called {step}")


def _needed(value: Mapping[str, Any]) -> str | dict[str, int]:
    """How far a repeat must go for the goal: to execute the documented way, one step is enough."""
    if value["goal"] != "documented":
        return "full"
    training = value["training"]
    if training["trace"] == "step":
        return {"steps": 1}
    return {"epochs": 1} if training["epochs"] > 1 else "full"


def _asked(value: Mapping[str, Any]) -> str | dict[str, int]:
    """How far a repeat goes, wherever it does."""
    asked = value.get("repeat", _needed(value)) or "off"
    if isinstance(asked, str):
        return asked
    return {key: count for key, count in asked.items() if key != "elsewhere"} or _needed(value)


def _elsewhere(value: Mapping[str, Any]) -> bool:
    asked = value.get("repeat")
    return isinstance(asked, Mapping) and bool(cast("Mapping[str, Any]", asked).get("elsewhere"))


def _plain(value: Any, where: str) -> Any:
    """The value in plain Python types; refused where it is not one that JSON could hold."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        if where.endswith(CLASSES):
            mapping = {str(k) if type(k) is int else k: part for k, part in mapping.items()}
        if odd := [key for key in mapping if not isinstance(key, str)]:
            raise UserError(
                f"{FILE}: Expected text as keys in `{where}`. Received {odd[0]!r}. Put it in "
                "quotes."
            )
        return {key: _plain(part, f"{where}.{key}".lstrip(".")) for key, part in mapping.items()}
    if isinstance(value, list):
        return [_plain(part, where) for part in cast("list[Any]", value)]
    _check_plain(value, where)
    return value


def _check_plain(value: Any, where: str) -> None:
    if value is not None and not isinstance(value, str | int | float | bool):
        raise UserError(
            f"{FILE}: Expected plain text, numbers, lists and mappings in `{where}`. "
            f"Received {value!r} (a {type(value).__name__}). Put it in quotes."
        )
    if isinstance(value, str) and ".settings." in where and _EXPONENT.fullmatch(value):
        raise UserError(
            f"{FILE}: Expected a number with a decimal point and a signed exponent in `{where}`. "
            f"Received {value}, which YAML reads as text. Write it such as 1.0e-3 or 1.0e+3."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(
            f"{FILE}: Expected finite numbers in `{where}`. Received {value}. Correct it."
        )


def resolve(value: Any) -> dict[str, Experiment]:
    """The experiments of a configuration by name, from what YAML gave (`experiments` on top).

    Raises:
        UserError: a key, type, range or sum is wrong; the sentence names the key.
    """
    value = _plain(value, "")
    check_digests(value)
    value = checked(value, "config", FILE)
    for name, entry in value["experiments"].items():
        check(name, entry)
    return {n: Experiment.of(entry, value["stress"]) for n, entry in value["experiments"].items()}


def filled(value: Any, name: str) -> dict[str, Json]:
    """One experiment's configuration, every default written out; `resolve` takes it for the same.

    Raises:
        UserError: it is not valid, or has no such experiment.
    """
    value = checked(_plain(value, ""), "config", FILE)
    known = value["experiments"]
    if name not in known:
        raise UserError(
            f"Expected one of the experiments in {FILE}: {', '.join(known)}. Received {name}. "
            "Name one of those."
        )
    entry = {**known[name], "repeat": _asked(known[name])}
    stress = {"stress": True} if value["stress"] else {}
    return {"experiments": {name: entry}, **stress}


def check_files(experiments: Mapping[str, Experiment], *, data: bool = True) -> None:
    """Refuses an experiment whose code or raw data is not there, before anything is planned.

    Paths start from the working directory; `data` says whether raw data must be there by now.

    Raises:
        UserError: names the key and the path.
    """
    for name, experiment in experiments.items():
        paths = {"code": experiment.code}
        for kind, named in (("data", experiment.data), (PRETRAINED, experiment.pretrained)):
            for source, value in named.items() if data else ():
                paths[f"{kind}.{source}.path" if source else f"{kind}.path"] = value.path
        for key, path in paths.items():
            if not Path(path).exists():
                raise UserError(
                    f"{FILE}: Expected a file or folder at `experiments.{name}.{key}`. Received "
                    f"{path}, where there is nothing. Put it there, or correct the path."
                )
