"""Which environments a Snakemake command line needs, without asking Snakemake.

Synopsis:
    needs.of(["all"], Path("/project"))               -> Needs({'keras'}, None, True)
    needs.making(["controls", "--cores", "1"])        -> ["--conda-create-envs-only", …, "all", …]

What is not found here is made all the same, by Snakemake itself, but keeps no other ./run waiting.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT, DEVELOPMENT = "keras", "keras-dev"
_DEVELOPERS = {"tests", "benchmark", "controls", "scripts"}
# With these Snakemake runs no job, or none of ours: it prints, or clears up.
_NO_JOB = re.compile(
    r"-[Ffkpt]*n[Ffkpt]*q?|--dry-?run|-h|--help|-v|--version|--unlock|(--lint|-s|--snakefile|--dag|"
    r"--rulegraph)(=.*)?|--filegraph|--d3dag|-S|--summary|-D|--detailed-summary|-l|--list|"
    r"--list-rules|--lt|--list-target-rules|(--lc|--list-changes)(=.*)?|--li|--list-input-changes|"
    r"--lp|--list-params-changes|--lu|--list-untracked|--list-conda-envs|--print-compilation|"
    r"(--containerize|--export-cwl|--cm|--cleanup-metadata)(=.*)?|--cleanup-shadow|"
    r"--delete-all-output|--delete-temp-output|(--archive|--generate-unit-tests)(=.*)?"
)


@dataclass(frozen=True)
class Needs:
    """Names of environments, the folder that the command line names, and whether jobs run."""

    names: frozenset[str]
    given: str | None
    jobs: bool


def of(arguments: Sequence[str], folder: Path) -> Needs:
    """Read a command line of Snakemake, for a project in some folder."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    parser.add_argument("--conda-prefix")
    options = parser.parse_known_args(arguments)[0]
    # What looks at results runs in the default environment, whichever the experiments use.
    names = {DEFAULT, *({DEVELOPMENT} if _DEVELOPERS & set(arguments) else ())}
    for file in (folder / "config" / "config.yaml", *options.configfile):
        names.update(_named(file))
    jobs = not any(map(_NO_JOB.fullmatch, arguments))
    return Needs(frozenset(names), options.conda_prefix, jobs)


def making(arguments: Sequence[str]) -> list[str]:
    """Return the command line that makes the environments of what another asks for, and of `all`.

    Snakemake's parser takes targets side by side only, so where options come first `all` is left
    out: its environments are made when a job needs them.
    """
    first = next(iter(arguments), "-")
    others = ["all"] if not first.startswith("-") and "all" not in arguments else []
    return ["--conda-create-envs-only", "--quiet=all", *others, *arguments]


def _named(file: Path) -> Iterator[str]:
    """The environments of the experiments in a configuration that can be read."""
    import yaml

    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        for entry in content["experiments"].values():
            yield str(entry.get("environment", DEFAULT))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError):
        return  # Snakemake says what is wrong there
