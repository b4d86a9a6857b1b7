"""What ./run check-files does: hash results again, and list what is not as it should be.

Synopsis:
    ./run check-files [--write FILE] [--configfile FILE] [--directory FOLDER]
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import project
from repro.core.errors import UserError
from user_project import chosen

RESULTS = Path("results")


def main(argv: Sequence[str]) -> int:
    """Hash everything again, and list each file that is not as it should be.

    Raises:
        UserError: there are no results, the configuration is not valid, or sums cannot be written.
    """
    options = _parser().parse_args(argv)
    sources = changed_sources()
    try:
        return _check(options, sources)
    except UserError:
        raise
    except Exception as error:
        if not sources:
            raise
        # What checks is itself among what was changed.
        print(*(f"changed   {name}" for name in sources), sep="\n")
        print(f"Nothing more is known: with these files the check fails ({error}). Restore them.")
        return 1


def project_options() -> argparse.ArgumentParser:
    """Return the parent that names a project elsewhere, and a configuration beside its own."""
    parser = chosen.options()
    parser.add_argument("--configfile", type=Path, metavar="FILE", help="as given to Snakemake")
    return parser


def configuration(*extra: Path | None) -> Any:
    """What Snakemake would make of the project's configuration and of further files."""
    from snakemake.common.configfile import load_configfile
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import update_config

    config: dict[str, Any] = {}
    further = [file for file in extra if file]
    own = [chosen.CONFIGURATION] if chosen.CONFIGURATION.exists() or not further else []
    for file in [*own, *further]:
        try:
            update_config(config, load_configfile(str(file)))
        except (WorkflowError, OSError, ValueError) as error:
            raise UserError(
                f"Expected a configuration in {file}. Received: {error}. Correct the file or its "
                "path."
            ) from None
    if "experiments" in config:
        return config
    # A Snakefile that imports the workflow by `module:` may keep its experiments below a key.
    keys = [key for key, part in config.items() if isinstance(part, dict) and "experiments" in part]
    return config[keys[0]] if len(keys) == 1 else config


def changed_sources() -> list[str]:
    """The files of the code that are not as recorded, found without the library: it may be one."""
    try:
        manifest = json.loads((RESULTS / "code.manifest.json").read_bytes())
        used = manifest["predicate"]["buildDefinition"]["resolvedDependencies"]
        known = {str(u["name"]): str(u["digest"]["sha256"]) for u in used if "name" in u}
    except (OSError, ValueError, KeyError, TypeError):
        return []  # the check itself reports that
    files = {name: project.ROOT / name for name in known}
    return [name for name, file in files.items() if _sha256(file) != known[name]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run check-files",
        parents=[project_options()],
        description="List each file of the results that is missing, changed, unclaimed, or made by "
        "code, configuration, lock or inputs that are no longer there.",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write sums for `sha256sum -c`")
    return parser


def _check(options: argparse.Namespace, sources: Sequence[str]) -> int:
    """Print what is wrong; return 0 if all is well, else 1."""
    from repro.audit.check import check, write_checksums

    name = str(options.configfile or chosen.CONFIGURATION)
    config = configuration(options.configfile)
    report = check(RESULTS, project.ROOT, config, name, options.write)
    print(report.text(), end="")
    listed = {finding.path for finding in report.findings}
    print("".join(f"changed   {name}\n" for name in sources if name not in listed), end="")
    sys.stdout.flush()
    if options.write:
        write_checksums(options.write, report)
    return 1 if report.findings or sources else 0


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
