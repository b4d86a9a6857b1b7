"""What ./run rerun does: look at an archive, byte by byte, before anything of it is used.

Synopsis:
    ./run rerun FILE.crate.zip --check-only
    ./run rerun FILE.crate.zip [--into FOLDER] [--yes]

Runs in whatever Python the machine has, with the standard library alone.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import project
from repro.core.errors import UserError
from repro.keep.accept import accepted, unpack
from repro.keep.claims import Inside
from repro.keep.index import SUMS

SUFFIX = ".crate.zip"
assert project.LIBRARY.is_dir()  # and importable


def main(argv: Sequence[str]) -> int:
    """Look at an archive; unpack it where that was asked for.

    Args:
        argv: the file, and options.

    Returns:
        0: it is in order.

    Raises:
        UserError: it is refused.

    Example:
        >>> main(["digits.crate.zip", "--check-only"])
        0
    """
    parser = argparse.ArgumentParser(
        prog="./run rerun",
        description="Look at an archive, byte by byte; then unpack it, and say what would run.",
    )
    parser.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    parser.add_argument("--check-only", action="store_true", help="unpack and run nothing")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where to unpack; else beside")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(argv)
    start = time.monotonic()
    with accepted(options.file) as inside:
        print(_told(options.file, inside, time.monotonic() - start), flush=True)
        command = f"./run all  # code, data and results of {inside.index.experiment}"
    if options.check_only:
        return 0
    folder = options.into or _beside(options.file)
    unpack(options.file, folder)
    print(f"Unpacked to {folder}. To run it: cd {folder} && {command}")
    return 0


def _told(file: Path, inside: Inside, seconds: float) -> str:
    size, index = file.stat().st_size, inside.index
    packages = "with its packages" if index.packages else "without packages"
    left = "".join(f"\nNot in it, too large: {path}" for path in index.left_out)
    return (
        f"{file.name}: experiment {index.experiment}, {packages}; {len(inside.kept)} files, {size} "
        f"bytes, all as they say of one another ({seconds:.1f} s).{left}\n"
        f"It is what its author archived if {SUMS} was published with this sha256:\n"
        f"{inside.kept[SUMS].sha256}"
    )


def _beside(file: Path) -> Path:
    if not file.name.endswith(SUFFIX):
        raise UserError(f"Expected a file called NAME{SUFFIX}. Received {file.name}. Say --into.")
    return file.with_name(file.name.removesuffix(SUFFIX))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
