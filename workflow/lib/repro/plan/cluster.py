"""Cluster: what the jobs of an experiment ask of it.

Synopsis:
    refuse(experiments, "train", "squeue", sys.maxsize)     # before any job is submitted
    kept_off(experiment, Path(".../original/data.manifest.json"))      # '--exclude=node17'
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from repro.core.config import Experiment
from repro.core.config_checks import FILE
from repro.core.errors import UserError
from repro.core.parameters import Resources
from repro.record.step import read_step


def refuse(
    experiments: Mapping[str, Experiment], arrays: str | None, status: str | None, most: int
) -> None:
    """Refuses what Snakemake's plug-in for Slurm would hang on, or do otherwise than it was asked.

    Args:
        experiments: the configuration.
        arrays: of which rules jobs are submitted as arrays.
        status: the command that asks for the states of jobs.
        most: how many jobs may be in Slurm at once.

    Raises:
        UserError: it is so.
    """
    if status == "sacct":
        _refuse_without_accounts()
    if arrays:
        _refuse_unequal(experiments)
        if most < sys.maxsize:
            raise UserError(
                "Expected `--jobs unlimited` beside job arrays, since the plug-in for Slurm loses "
                f"jobs of an array that may not all be submitted. Received {most}. Leave it out, "
                "or add `--slurm-array-jobs=`."
            )


def _refuse_without_accounts() -> None:
    """By `sacct`, no job is seen to end where it has nothing to tell."""
    asking = ["sacct", "--noheader", "--allocations"]
    done = subprocess.run(asking, capture_output=True, text=True, check=False)
    if done.returncode and "is disabled" in done.stderr:
        raise UserError(
            "Expected a Slurm that keeps accounts, since `sacct` is asked how jobs are. Received "
            "one that keeps none. Add `--slurm-status-command squeue`, or write it in the profile."
        )


def _refuse_unequal(experiments: Mapping[str, Experiment]) -> None:
    """All jobs of an array get what its first asks for."""
    first, *others = experiments
    for name in others:
        if _asked(experiments[name]) != _asked(experiments[first]):
            raise UserError(
                f"{FILE}: Expected the same `resources` and `training.threads` in all experiments, "
                "since an array gives all its jobs memory, time and processors of the first. "
                f"Received others in {name} than in {first}. "
                "Make them equal, or leave `slurm-array-jobs` out of the profile."
            )
    for name, experiment in experiments.items():
        if experiment.elsewhere:
            raise UserError(
                f"{FILE}: Expected no `repeat: {{elsewhere: true}}` beside job arrays, which give "
                f"all their jobs the same node to avoid. Received it in {name}. Leave it out, or "
                "add `--slurm-array-jobs=`."
            )


def _asked(experiment: Experiment) -> tuple[Resources, int]:
    """What its jobs ask for: with processors, which are as many as threads."""
    return experiment.resources, experiment.training.threads.intra


def kept_off(experiment: Experiment, original: str | None) -> str | None:
    """What keeps a repeat's job off the node where the original's like step ran.

    Args:
        experiment: its entry in the configuration.
        original: the manifest of that step.

    Returns:
        An option of sbatch; None where it is not asked for, the node is not known, or no other
        is there.
    """
    if not experiment.elsewhere or original is None or not Path(original).is_file():
        return None
    node = read_step(Path(original)).process.get("node")
    return f"--exclude={node}" if node and nodes(experiment.resources.partition) - {node} else None


@cache
def nodes(partition: str) -> frozenset[str]:
    """The nodes of a partition, of all where none is named; none where there is no Slurm."""
    if shutil.which("sinfo") is None:
        return frozenset()
    named = [f"--partition={partition}"] if partition else []
    command = ["sinfo", "--noheader", "--Node", "--format=%N", *named]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return frozenset(done.stdout.split())
