"""Jobs: with which words, files and numbers the job of an experiment starts.

Synopsis:
    launch("results/code.pyz", experiment, "repeat")     # python -I -B results/code.pyz launch …
    data_inputs(experiment)                              # ['data=digits.csv.gz']
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from repro.core import layout
from repro.core.config import NOT_SET, Experiment
from repro.core.config_checks import FILE
from repro.core.digest import files_below
from repro.core.errors import UserError
from repro.launch.command import every_step_has, launching
from repro.plan.schedule import ORIGINAL


def launch(code: str, experiment: Experiment, run: str) -> str:
    """The command that starts a step, up to the step's own words.

    Args:
        code: the program of the steps.
        experiment: its entry in the configuration.
        run: the original, or a repeat, which varies what must not matter.
    """
    factors = () if run == ORIGINAL else experiment.factors
    intra = experiment.training.threads.intra
    words = launching(run, intra, factors, experiment.environment_variables)
    return f"python -I -B {code} {shlex.join(words)} --"


def checkpoint_interval(experiment: Experiment) -> str:
    """Seconds between checkpoints, or `off`; as text, which no job waits for."""
    return "off" if experiment.checkpoint is None else str(experiment.checkpoint)


def files_of(path: str) -> list[str]:
    """The file itself, or all files of a folder: Snakemake sees no change inside a folder."""
    folder = Path(path)
    return [str(file) for _, file in files_below(folder)] if folder.is_dir() else [str(folder)]


def data_files(experiment: Experiment) -> list[str]:
    """All files of the raw data."""
    return [file for source in experiment.data.values() for file in files_of(source.path)]


def data_inputs(experiment: Experiment) -> list[str]:
    """The words after `--input` for the raw data: `data=PATH`, or `data:NAME=PATH` for each."""
    sources = experiment.data.items()
    return [f"{layout.source_input(name)}={source.path}" for name, source in sources]


def pretrained_files(experiment: Experiment) -> list[str]:
    """All files of weights that were trained elsewhere."""
    return [file for source in experiment.pretrained.values() for file in files_of(source.path)]


def pretrained_inputs(experiment: Experiment) -> list[str]:
    """The words after `--input` for those weights."""
    named = experiment.pretrained.items()
    return [f"{layout.source_input(name, layout.PRETRAINED)}={each.path}" for name, each in named]


def refuse_variables(experiments: Mapping[str, Experiment]) -> None:
    """Refuses environment variables that cannot be passed to steps, before anything is planned.

    Raises:
        UserError: each step has it anyway, or it is not set.
    """
    for name, experiment in experiments.items():
        key = f"`experiments.{name}.environment_variables`"
        for variable, value in experiment.environment_variables.items():
            if every_step_has(variable):
                raise UserError(
                    f"{FILE}: Expected variables in {key} whose value is yours alone to choose. "
                    f"Received {variable}, which the workflow sets or passes itself. Remove it."
                )
            if value == NOT_SET:
                raise UserError(
                    f"Expected the environment variable {variable} to be set, since {key} in "
                    f"{FILE} names it. Received none. Set it in your shell, or remove it there."
                )


def refuse_by_time(file: str, limit: int) -> None:
    """Refuses a program into which Snakemake would not look.

    Args:
        file: the program.
        limit: the most bytes of a file that Snakemake compares by content.

    Raises:
        UserError: it is larger.
    """
    if (size := Path(file).stat().st_size) > limit:
        raise UserError(
            f"Expected Snakemake to look into files of {size} bytes, as {file} is. Received a "
            f"limit of {limit}, beyond which it goes by their time, and would train again for "
            "the same program. Add `--max-checksum-file-size 1GB`, or put "
            "`max-checksum-file-size: 1GB` in your profile."
        )
