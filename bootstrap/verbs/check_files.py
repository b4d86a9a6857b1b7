"""What ./run check-files does: hash results again, and name what is not as it should be.

Synopsis:
    ./run check-files [--write FILE] [--configfile FILE] [--directory FOLDER]

Nothing but the host's tools takes part, so results can be looked at where no job could run.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import project
from repro.core.errors import UserError

CONFIGURATION = Path("config/config.yaml")
RESULTS = Path("results")


def main(argv: Sequence[str]) -> int:
    """Hash everything again, and name each file that is not as it should be.

    Returns:
        0 if all is well, else 1.

    Raises:
        UserError: there are no results, the configuration is not valid, or sums cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="./run check-files",
        description="Name each file of the results that is missing, changed, unclaimed, or made by "
        "code, configuration, lock or inputs that are no longer there.",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write sums for `sha256sum -c`")
    parser.add_argument("--configfile", type=Path, metavar="FILE", help="as given to Snakemake")
    parser.add_argument(
        "--directory", type=Path, metavar="FOLDER", default=Path(),
        help="a project elsewhere; the other paths start there",
    )  # fmt: skip
    options = parser.parse_args(argv)
    if not options.directory.is_dir():
        raise UserError(f"Expected a folder at {options.directory}. Received none. Correct it.")
    os.chdir(options.directory)
    odd = changed_sources()
    try:
        from repro.audit.check import check, write_checksums

        name = str(options.configfile or CONFIGURATION)
        value = configuration(options.configfile)
        report = check(RESULTS, project.ROOT, value, name, options.write)
    except UserError:
        raise
    except Exception as error:
        if not odd:
            raise
        # What checks is itself among what was changed.
        print(*(f"changed   {name}" for name in odd), sep="\n")
        print(f"More cannot be said: with these files the check fails ({error}). Restore them.")
        return 1
    print(report.text(), end="")
    named = {finding.path for finding in report.findings}
    print("".join(f"changed   {name}\n" for name in odd if name not in named), end="")
    sys.stdout.flush()
    if options.write:
        write_checksums(options.write, report)
    return 1 if report.findings or odd else 0


def configuration(extra: Path | None) -> Any:
    """What Snakemake would make of the project's configuration and of one more file."""
    from snakemake.common.configfile import load_configfile
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import update_config

    value: dict[str, Any] = {}
    files = [CONFIGURATION] if CONFIGURATION.exists() or extra is None else []
    for file in [*files, *([extra] if extra else [])]:
        try:
            update_config(value, load_configfile(str(file)))
        except (WorkflowError, OSError, ValueError) as error:
            raise UserError(
                f"Expected a configuration in {file}. Received: {error}. Correct the file or its "
                "path."
            ) from None
    if "experiments" in value:
        return value
    # A Snakefile that imports the workflow by `module:` may keep its experiments below a key.
    named = [key for key, part in value.items() if isinstance(part, dict) and "experiments" in part]
    return value[named[0]] if len(named) == 1 else value


def changed_sources() -> list[str]:
    """The files of the code that are not as recorded, found without the library: it may be one."""
    try:
        value = json.loads((RESULTS / "code.manifest.json").read_bytes())
        used = value["predicate"]["buildDefinition"]["resolvedDependencies"]
        known = {str(u["name"]): str(u["digest"]["sha256"]) for u in used if "name" in u}
    except (OSError, ValueError, KeyError, TypeError):
        return []  # told by the check itself
    files = {name: project.ROOT / name for name in known}
    return [name for name, file in files.items() if _sha256(file) != known[name]]


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
