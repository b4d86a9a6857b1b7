"""What ./run digest does: print what the configuration wants of a file or folder of raw data.

Synopsis:
    ./run digest PATH [--directory FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from repro.core.digest import sha256_tree
from repro.core.errors import UserError

from user_project import chosen


def main(argv: Sequence[str]) -> int:
    """Print the line for the configuration.

    Raises:
        UserError: there is nothing at that path.
    """
    parser = argparse.ArgumentParser(
        prog="./run digest",
        parents=[chosen.options()],
        description="Print the digest of raw data, a file or a folder, as the configuration wants "
        "it: a folder's covers the names and contents of all files below it.",
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    options = parser.parse_args(argv)
    path = (options.directory or Path()) / options.path
    if not path.exists():
        raise UserError(
            f"Expected raw data, a file or a folder, at {path}. Received nothing there. Correct "
            "the path."
        )
    print(f"sha256: {sha256_tree(path)}")
    return 0
