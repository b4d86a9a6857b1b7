"""Cluster: what the jobs of an experiment ask of it.

Synopsis:
    refuse_unequal(experiments)         # before an array is submitted
    gpus(experiment, "train")           # 1
"""

from __future__ import annotations

from collections.abc import Mapping

from repro.core.config import Experiment
from repro.core.config_checks import FILE
from repro.core.errors import UserError


def refuse_unequal(experiments: Mapping[str, Experiment]) -> None:
    """Refuses job arrays of experiments whose jobs ask for other resources.

    All jobs of an array get what its first asks for.

    Raises:
        UserError: names two of them.
    """
    first, *others = experiments
    for name in others:
        if experiments[name].resources != experiments[first].resources:
            raise UserError(
                f"{FILE}: Expected the same `resources` in all experiments, since an array gives "
                f"all its jobs those of the first. Received others in {name} than in {first}. "
                "Make them equal, or leave `slurm-array-jobs` out of the profile."
            )
