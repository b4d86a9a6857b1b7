"""What ./run archive does: check an experiment's results, gather what made them, write one file.

Synopsis:
    ./run archive EXPERIMENT [--out FILE] [--without-packages] [--data-limit MIB]
                          [--directory FOLDER]
"""

import argparse
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
from user_project import chosen

from verbs import archive_packages, check_files


def main(argv: Sequence[str]) -> int:
    """Write the archive of one experiment.

    Raises:
        UserError: the results are not whole or outdated, or something cannot be had or written.
    """
    options = _parser().parse_args(argv)
    config = check_files.configuration(options.configfile)
    entry = filled(config, options.experiment)
    _refuse_unsound(config, str(options.configfile or chosen.CONFIGURATION), options.experiment)
    packages = None
    if not options.without_packages:
        packages = archive_packages.gathered(read(check_files.RESULTS).only(options.experiment))
    place = Locations(project.ROOT, Path(), check_files.RESULTS)
    plan = planned(place, entry, options.experiment, packages, options.data_limit)
    path = (options.out or Path(f"{options.experiment}.crate.zip")).absolute()
    content = sum(plan.size(name) for name in plan.names())
    with project.tidy_when_ended(), progress(content) as advance:
        entries = write(path, plan, advance)
    size = path.stat().st_size
    print(f"{path}: {len(entries)} files, {size} bytes, whose {SUMS} has the sha256")
    print(entries[SUMS].sha256)
    print(f"Publish that with it. To verify it: ./run rerun {path} --check-only")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run archive",
        parents=[check_files.project_options()],
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
    return parser


def _refuse_unsound(config: Mapping[str, Any], file: str, experiment: str) -> None:
    """Only what is whole goes into an archive."""
    report = check(check_files.RESULTS, project.ROOT, config, file, experiment=experiment)
    problems = [str(finding) for finding in report.findings] or [
        f"changed   {name}" for name in check_files.changed_sources()
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
    """Show on a terminal how far it is; yields what is called with how many more bytes are done."""
    from tqdm import tqdm

    quiet = None  # tqdm's word for: where standard error is no terminal
    with tqdm(total=size, unit="B", unit_scale=True, disable=quiet, file=sys.stderr) as bar:
        yield bar.update
