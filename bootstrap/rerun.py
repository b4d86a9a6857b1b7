"""What ./run rerun does: look at an archive, byte by byte; then, if it may, run it once more.

Synopsis:
    ./run rerun FILE.crate.zip --check-only
    ./run rerun FILE.crate.zip [--into FOLDER] [--yes]

Runs in whatever Python the machine has, with the standard library alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import project
from repro.core.errors import UserError
from repro.core.writing import write_text
from repro.keep.accept import accepted, unpack
from repro.keep.claims import Inside
from repro.keep.index import SUMS
from repro.keep.strict import shown
from repro.record.manifest import recorded

SUFFIX = ".crate.zip"
ARCHIVED = "archived-results"
assert project.LIBRARY.is_dir()  # and importable


def main(argv: Sequence[str]) -> int:
    """Look at an archive; unless that is all, unpack it and run it once it was allowed.

    Args:
        argv: the file, and options.

    Returns:
        0: it is in order, and ran if it was to; else what its own `./run all` returned.

    Raises:
        UserError: it is refused.

    Example:
        >>> main(["digits.crate.zip", "--check-only"])
        0
    """
    parser = argparse.ArgumentParser(
        prog="./run rerun",
        description="Look at an archive, byte by byte; say what would run, ask, unpack and run it.",
    )
    parser.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    parser.add_argument("--check-only", action="store_true", help="unpack and run nothing")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where to unpack; else beside")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(argv)
    start = time.monotonic()
    with accepted(options.file) as inside:
        print(_told(options.file, inside, time.monotonic() - start), flush=True)
        channel, offline = _channel(inside), inside.index.packages
    if options.check_only:
        return 0
    folder = (options.into or _beside(options.file)).absolute()
    _ask(folder, offline, options.yes)
    unpack(options.file, folder)
    return _run(folder, channel, offline)


def _channel(inside: Inside) -> str:
    """Where the conda packages of the results came from: `locked` or `local`."""
    steps = inside.results.steps.values()
    found = {recorded(s.value)["environment"]["installed"]["channel"] for s in steps}
    return "local" if "local" in found else "locked"


def _ask(folder: Path, offline: bool, yes: bool) -> None:
    where = "packages/ in it, nothing from elsewhere" if offline else "the indexes you configured"
    print(
        f"It would be unpacked to {folder}; then `./run all` runs there: bootstrap/, the workflow "
        "and the experiment's code, all of them the archive's, with your rights. Packages come "
        f"from {where}.",
        flush=True,
    )
    if not yes and not (sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() == "y"):
        raise UserError(
            "Expected a yes. Received none. Nothing was unpacked; `--yes` does not ask."
        )


def _run(folder: Path, channel: str, offline: bool) -> int:
    """Run what was unpacked, with the archive's results beside; return Snakemake's status."""
    (folder / "results").rename(folder / ARCHIVED)
    write_text(folder / ".tools" / "channel", channel)
    environment = dict(os.environ)
    if offline:
        wheels = (folder / "packages" / "pypi").as_uri()  # a space would make two places of a path
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels}
        environment["PIP_CONFIG_FILE"] = os.devnull  # of no other index either
        if channel == "locked":  # the front end looks here before it asks the channel
            for file in (folder / "packages" / "conda").glob("*/*"):
                (folder / ".tools" / "pkgs").mkdir(exist_ok=True)
                shutil.copyfile(file, folder / ".tools" / "pkgs" / file.name)
    print(f"The results of the archive are in {folder / ARCHIVED}.\n$ ./run all", flush=True)
    return subprocess.run(["./run", "all"], cwd=folder, env=environment, check=False).returncode


def _told(file: Path, inside: Inside, seconds: float) -> str:
    size, index = file.stat().st_size, inside.index
    packages = "with its packages" if index.packages else "without packages"
    left = "".join(f"\nNot in it, too large: {shown(path)}" for path in index.left_out)
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
