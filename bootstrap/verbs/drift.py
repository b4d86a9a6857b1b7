"""What ./run drift does: refuse a manifest that cannot be read, then let Snakemake compare.

Synopsis:
    ./run drift [MANIFEST] [--directory FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from repro.record import manifest
from user_project import chosen
from user_project.chosen import UserProject

from verbs import prepare


def main(argv: Sequence[str], here: UserProject) -> int:
    """Refuse a manifest that cannot be read, then let Snakemake compare it with the present."""
    parser = argparse.ArgumentParser(
        prog="./run drift",
        parents=[chosen.options()],
        description="List what differs now from what made results: 0 where every goal can still be "
        "claimed for them, else 1.",
    )
    parser.add_argument(
        "manifest", type=Path, nargs="?", metavar="MANIFEST",
        help="of one result, by its path from the project's folder; else every training's",
    )  # fmt: skip
    parser.add_argument("--config", "-C", nargs="*", action="extend", default=[])
    options, rest = parser.parse_known_args(argv)
    manifest_option: list[str] = []
    if options.manifest is not None:
        manifest.read(options.manifest)
        manifest_option = ["--config", f"manifest={options.manifest}"]
    return prepare.target(["drift", *rest, *manifest_option, "--config", *options.config], here)
