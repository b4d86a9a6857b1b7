"""What ./run archive does: check an experiment's results, gather what made them, write one file.

Synopsis:
    ./run archive EXPERIMENT [--out FILE] [--without-packages] [--data-limit MIB]
"""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import project
from repro.archive.contents import SUMS
from repro.archive.write import Locations, planned, write
from repro.audit.check import check
from repro.audit.results import read
from repro.core.config import filled
from repro.core.errors import UserError

from verbs import archive_packages, check_files


def main(argv: Sequence[str]) -> int:
    """Write the archive of one experiment.

    Raises:
        UserError: the results are not whole or outdated, or something cannot be had or written.
    """
    options = _parser().parse_args(argv)
    if not options.directory.is_dir():
        raise UserError(f"Expected a folder at {options.directory}. Received none. Correct it.")
    os.chdir(options.directory)
    value = check_files.configuration(options.configfile)
    chosen = filled(value, options.experiment)
    _refuse_unsound(value, str(options.configfile or check_files.CONFIGURATION), options.experiment)
    found = None
    if not options.without_packages:
        found = archive_packages.gathered(read(check_files.RESULTS).only(options.experiment))
    place = Locations(project.ROOT, Path(), check_files.RESULTS)
    plan = planned(place, chosen, options.experiment, found, options.data_limit)
    path = (options.out or Path(f"{options.experiment}.crate.zip")).absolute()
    content = sum(plan.size(name) for name in plan.names())
    with project.tidy_when_ended(), progress(content) as told:
        kept = write(path, plan, told)
    size = path.stat().st_size
    print(
        f"{path}: {len(kept)} files, {size} bytes, whose {SUMS} has the sha256\n{kept[SUMS].sha256}"
    )
    print(f"Publish that with it. To look at it: ./run rerun {path} --check-only")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run archive",
        description="Make one file of an experiment: code, data, environment, results, verdict. "
        "The same run gives the same bytes.",
    )
    parser.add_argument("experiment", metavar="EXPERIMENT")
    parser.add_argument("--out", type=Path, metavar="FILE", help="else EXPERIMENT.crate.zip")
    parser.add_argument(
        "--without-packages", action="store_true",
        help="leave packages to the lock: a small file, which needs a network to run again",
    )  # fmt: skip
    parser.add_argument(
        "--data-limit", type=int, metavar="MIB",
        help="raw data beyond this size are named by path, digest and address alone; else what "
        "the configuration says",
    )  # fmt: skip
    parser.add_argument("--configfile", type=Path, metavar="FILE", help="as given to Snakemake")
    parser.add_argument(
        "--directory", type=Path, metavar="FOLDER", default=Path(),
        help="a project elsewhere; the other paths start there",
    )  # fmt: skip
    return parser


def _refuse_unsound(value: Mapping[str, Any], file: str, experiment: str) -> None:
    """Only what is whole goes into an archive."""
    odd = check_files.changed_sources()
    report = check(check_files.RESULTS, project.ROOT, value, file, experiment=experiment)
    problems = [str(finding) for finding in report.findings] or [
        f"changed   {name}" for name in odd
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(
            f"Expected results of {experiment} that are whole, made by what is there now. "
            f"Received: {' '.join(problems[0].split())}{more}. See `./run check-files`; nothing "
            "was archived."
        )


@contextmanager
def progress(size: int) -> Generator[Callable[[int], object]]:
    """Show how far it is, on a terminal alone.

    Args:
        size: bytes in all.

    Yields:
        To be told how many more bytes are done.
    """
    from tqdm import tqdm

    quiet = None  # tqdm's word for: where standard error is no terminal
    with tqdm(total=size, unit="B", unit_scale=True, disable=quiet, file=sys.stderr) as bar:
        yield bar.update
