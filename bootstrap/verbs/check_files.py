"""What ./run manifest and ./run check-files do: ask the library about results, and print.

Synopsis:
    ./run manifest FILE [--json | --svg OUT.svg]
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


def manifest(argv: Sequence[str]) -> int:
    """Print what a file came from, or draw it.

    Args:
        argv: an output or a manifest; `--json`, or `--svg` and where to draw to.

    Returns:
        0.

    Raises:
        UserError: nothing is known of that file, or the picture cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="./run manifest", description="Print what a file came from, back to raw data and lock."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="an output, or a manifest")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="nodes and edges, manifests in whole")
    how.add_argument("--svg", type=Path, metavar="OUT.svg", help="draw it, by Graphviz")
    options = parser.parse_args(argv)

    from repro.audit import graph, show
    from repro.audit.ancestry import ancestry
    from repro.core.canonical import pretty
    from repro.core.writing import write_bytes

    found = ancestry(options.file)
    if options.svg:
        write_bytes(options.svg, graph.svg(found))
        return 0
    print(pretty(show.values(found)) if options.json else show.text(found), end="")
    return 0


def check_files(argv: Sequence[str]) -> int:
    """Hash everything again, and name each file that is not as it should be.

    Args:
        argv: `--write`, `--configfile` and `--directory`, each with its value.

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
