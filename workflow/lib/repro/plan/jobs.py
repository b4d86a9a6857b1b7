"""Jobs: with which words, files and numbers the job of an experiment starts.

Synopsis:
    launch("results/code.pyz", experiment, "repeat")     # python -I -B results/code.pyz launch …
    data_inputs(experiment)                              # ['data=digits.csv.gz']
"""

from __future__ import annotations

import shlex
from pathlib import Path

from repro.core import layout
from repro.core.config import Experiment
from repro.core.digest import files_below
from repro.core.errors import UserError
from repro.launch.command import launching
from repro.plan.schedule import ORIGINAL


def launch(code: str, experiment: Experiment, run: str) -> str:
    """The command that starts a step, up to the step's own words.

    Args:
        code: the program of the steps.
        experiment: its entry in the configuration.
        run: the original, or a repeat, which varies what must not matter.
    """
    factors = () if run == ORIGINAL else experiment.factors
    words = launching(run, experiment.training.threads.intra, factors)
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
