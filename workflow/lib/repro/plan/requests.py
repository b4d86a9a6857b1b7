"""Requests: what a verb of `./run` asks for by keys beside the experiments, `--config KEY=VALUE`.

Synopsis:
    to_measure(config, experiments)      # `cost`: the experiment whose overhead is measured
    drifting(config, experiments)        # `manifest`: what is compared with the present
    made_again(config, "digits")         # `archived`: what of an archive is made again
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.core import layout
from repro.core.errors import UserError
from repro.plan.results import RESULTS
from repro.plan.schedule import ORIGINAL

Config = Mapping[str, Any]


def to_measure(config: Config, experiments: Sequence[str]) -> str:
    """The experiment whose overhead is measured; the first one where none is named.

    Args:
        config: the configuration as Snakemake has it.
        experiments: their names.

    Raises:
        UserError: there is none of that name.
    """
    named = str(config.get("cost", experiments[0]))
    if named not in experiments:
        raise UserError(
            f"Expected the name of an experiment to measure: {', '.join(experiments)}. "
            f"Received {named}. Correct it."
        )
    return named


def unnamed(config: Config, experiments: Sequence[str]) -> list[str]:
    """Nothing; refused where it was left open which of several experiments is measured.

    Args:
        config: the configuration as Snakemake has it.
        experiments: their names.
    """
    if "cost" not in config and len(experiments) > 1:
        raise UserError(
            f"Expected `--config cost=NAME` with one of {', '.join(experiments)}. "
            "Received none. Name one."
        )
    return []


def drifting(config: Config, experiments: Sequence[str]) -> dict[str, str]:
    """The manifest that was named, or those of all trainings among the results.

    Args:
        config: the configuration as Snakemake has it.
        experiments: their names.

    Returns:
        For each, the experiment whose recipe tells the threads with which a step starts now.
    """
    if named := config.get("manifest"):
        return {str(named): _experiment_of(str(named), experiments)}
    every = layout.manifest("train", dict.fromkeys(("experiment", "run", "seed"), "*"))
    paths = sorted(path.as_posix() for path in Path(RESULTS).glob(every))
    return {path: _experiment_of(path, experiments) for path in paths}


def _experiment_of(path: str, experiments: Sequence[str]) -> str:
    names = [part for part in Path(path).parts if part in experiments]
    return names[-1] if names else experiments[0]


def made_again(config: Config, experiment: str) -> list[str]:
    """What an archive holds of the original, as it must be made again here.

    Args:
        config: the configuration as Snakemake has it.
        experiment: the only one of the archive.

    Returns:
        The manifests.

    Raises:
        UserError: no folder is named, or it holds nothing of the original.
    """
    if "archived" not in config:
        raise UserError(
            "Expected `--config archived=FOLDER` with the results of an archive. Received none. "
            "`./run rerun FILE` does all of it."
        )
    folder = Path(config["archived"])
    found = sorted(folder.glob(f"{experiment}/{ORIGINAL}/**/*{layout.SUFFIX}"))
    if not found:
        raise UserError(
            f"Expected the archived results of {experiment} in {folder}. Received none. Name the "
            "folder that holds them."
        )
    return [f"{RESULTS}/{path.relative_to(folder).as_posix()}" for path in found]
