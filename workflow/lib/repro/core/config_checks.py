"""Config checks: what an entry of the configuration must satisfy that no schema can say.

Synopsis:
    check_digests(configuration)    # UserError, or nothing
    check("digits", entry)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from repro.core.digest import sha256_tree
from repro.core.errors import UserError
from repro.core.factor_table import FACTORS
from repro.core.layout import PRETRAINED
from repro.core.parameters import BestEpoch

FILE = "config/config.yaml"
CLASSES = ".training.class_weight"
"""Where keys are numbers of classes, which YAML gives as such."""


def check_digests(configuration: Any) -> None:
    """Refuses inputs that are there and whose digest is not; names the one that they have.

    What else is wrong with the configuration, which no schema has seen yet, is left to it.

    Raises:
        UserError: names the key, and what to write there.
    """
    for key, source in _sources(configuration):
        path, digest = source.get("path"), source.get("sha256")
        if not isinstance(path, str) or not path or not Path(path).exists():
            continue
        if not re.fullmatch("[0-9a-f]{64}", str(digest)):
            raise UserError(
                f"{FILE}: Expected the digest of {path} at `{key}.sha256`. Received "
                f"{digest or 'none'}. Write `sha256: {sha256_tree(Path(path))}` there, if {path} "
                "is as it should be."
            )


def _sources(configuration: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each file or folder that a digest belongs to in what may be a configuration, with its key."""
    for name, entry in _mapping(_mapping(configuration).get("experiments")).items():
        for kind in ("data", PRETRAINED):
            named, key = _mapping(_mapping(entry).get(kind)), f"experiments.{name}.{kind}"
            several = {f"{key}.{one}": source for one, source in named.items()}
            for place, source in ({key: named} if "path" in named else several).items():
                yield place, _mapping(source)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def check(name: str, entry: Mapping[str, Any]) -> None:
    """Refuses an entry, its defaults filled in, whose keys contradict one another.

    Raises:
        UserError: names the key.
    """
    _check_split(name, entry["split"])
    _check_repeat(name, entry)
    _check_seeds(name, entry)
    _check_factors(name, entry)
    _check_best(name, entry["training"])


def _check_split(name: str, split: Mapping[str, float]) -> None:
    # str() first: 0.8 + 0.1 + 0.1 is not 1 in binary, but is in the decimals that were written.
    total = sum(Fraction(str(share)) for share in split.values())
    if total != 1:
        raise UserError(
            f"{FILE}: Expected the fractions of `experiments.{name}.split` to sum to 1. "
            f"Received {dict(split)}, which sum to {float(total):g}. Correct them."
        )
    if not split["train"]:
        raise UserError(
            f"{FILE}: Expected `experiments.{name}.split.train` above 0. Received 0. Give it a "
            "share."
        )


def _check_repeat(name: str, entry: Mapping[str, Any]) -> None:
    shorter = cast(
        "Mapping[str, int]", entry["repeat"] if isinstance(entry.get("repeat"), dict) else {}
    )
    if shorter.get("epochs", 0) >= (whole := entry["training"]["epochs"]):
        raise UserError(
            f"{FILE}: Expected `experiments.{name}.repeat.epochs` below the {whole} of "
            f"`training.epochs`. Received {shorter['epochs']}. Say `repeat: full`."
        )
    if "steps" in shorter and entry["training"]["trace"] != "step":
        raise UserError(
            f"{FILE}: Expected `experiments.{name}.training.trace: step` beside "
            f"`repeat: {{steps: N}}`. Received `trace: {entry['training']['trace']}`, which leaves "
            "no step to compare. Trace every step, or repeat by epochs."
        )


def _check_best(name: str, training: Mapping[str, Any]) -> None:
    asked = training.get("best_epoch")
    if asked is not None and BestEpoch(**asked).direction is None:
        raise UserError(
            f"{FILE}: Expected `experiments.{name}.training.best_epoch.mode` to be min or max "
            f"beside a `monitor` whose name does not show it. Received {asked['mode']} for "
            f"{asked['monitor']}. Say which is better."
        )


def _check_seeds(name: str, entry: Mapping[str, Any]) -> None:
    if entry["seeds"] != "auto":
        return
    repeat = entry.get("repeat", "full")
    if entry["goal"] != "metrics" or repeat != "full":
        raise UserError(
            f"{FILE}: Expected `goal: metrics` and `repeat: full` beside "
            f"`experiments.{name}.seeds: auto`. Received `goal: {entry['goal']}` and "
            f"`repeat: {repeat}`, for which no rule says how many are enough. List the seeds."
        )


def _check_factors(name: str, entry: Mapping[str, Any]) -> None:
    if odd := [factor for factor in entry["factors"] if factor not in FACTORS]:
        raise UserError(
            f"{FILE}: Expected the names of factors in `experiments.{name}.factors`: "
            f"{', '.join(FACTORS)}. Received {odd[0]!r}. Correct it."
        )
