"""What ./run rerun does: look at an archive, byte by byte; if it may, run it; say what came again.

Synopsis:
    ./run rerun FILE.crate.zip --check-only
    ./run rerun FILE.crate.zip [--evaluate | --current] [--into FOLDER] [--data FOLDER] [--yes]

Runs in whatever Python the machine has, with the standard library alone.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import project
from display import asking
from repro.archive.contents import SUMS, Inside
from repro.archive.open_archive import accepted, unpack
from repro.archive.zip_reader import shown
from repro.archive.zip_writer import odd
from repro.core.errors import UserError
from repro.record.manifest import recorded

from verbs import reproduce

SUFFIX = ".crate.zip"
_RUNS = {
    "whole": "then `./run all` runs there, the whole way from raw data to verdict",
    "evaluate": "then the archived weights are evaluated there once more, and nothing is trained",
    "current": "then `./run all` of this copy runs there, with the environment of today",
}
_THEIRS = "bootstrap/, the workflow and the experiment's code, all of them the archive's"


def main(argv: Sequence[str]) -> int:
    """Look at an archive; unless that is all, unpack it and run it once it was allowed.

    Returns:
        0: it is in order, and its claim was found again if it ran; 1: it was not; 2: a user's
        mistake; 3: nobody can tell; 4: it could not run; 128 + n: signal n ended it.

    Raises:
        UserError: it is refused.
    """
    options = _parser().parse_args(argv)
    start = time.monotonic()
    with accepted(options.file) as inside:
        print(_told(options.file, inside, time.monotonic() - start), flush=True)
        kind = reproduce.Kind(
            inside.index.experiment, options.mode, _channel(inside), inside.index.packages
        )
        left_out, seen = inside.index.left_out, inside.kept[SUMS].sha256
    if options.check_only:
        return 0
    folder = (options.into or _beside(options.file)).absolute()
    brought = _brought(left_out, options.data, folder)
    _ask(folder, kind, options.yes)
    with project.tidy_when_ended():
        unpack(options.file, folder, seen=seen)
    for source, target in brought:
        reproduce.bring(source, target)
    return reproduce.run(folder, kind)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run rerun",
        description="Look at an archive, byte by byte; say what would run, ask, unpack and run it; "
        "say what came again. Of a stranger's archive, run it in a container: it is a program.",
    )
    parser.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check-only", action="store_true", help="unpack and run nothing")
    modes.add_argument(
        "--evaluate", dest="mode", action="store_const", const="evaluate", default="whole",
        help="train nothing: evaluate the archived weights once more",
    )  # fmt: skip
    modes.add_argument(
        "--current",
        dest="mode",
        action="store_const",
        const="current",
        help="does it still hold? run its experiment by this copy, in the environment of today",
    )
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where to unpack; else beside")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER",
        help="where raw data lie that the archive leaves out, each at its path",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _channel(inside: Inside) -> str:
    """Where the conda packages of the results came from: `locked` or `local`."""
    steps = inside.results.steps.values()
    found = [recorded(s.value)["environment"]["installed"].get("channel") for s in steps]
    return "local" if "local" in found else "locked"


def _brought(left_out: Sequence[str], data: Path | None, folder: Path) -> list[tuple[Path, Path]]:
    """Raw data that the archive leaves out: where they are, and where they belong in the folder.

    What belongs outside of it is never written: it must be there.
    """
    brought: list[tuple[Path, Path]] = []
    for path in left_out:
        if odd(PurePosixPath(path).as_posix()):
            place = folder / path
        elif data is None:
            raise _lacking(path, "by `--data FOLDER`, at its path from there")
        else:
            place = data / path
            brought.append((place, folder / path))
        if not place.exists():
            raise _lacking(path, f"at {shown(str(place))}")
    return brought


def _lacking(path: str, where: str) -> UserError:
    return UserError(
        f"Expected the raw data that the archive leaves out, {where}. Received none: "
        f"{shown(path)}. Get it, then try again; nothing was unpacked."
    )


def _ask(folder: Path, kind: reproduce.Kind, yes: bool) -> None:
    theirs = "the experiment's code, which is the archive's" if kind.mode == "current" else _THEIRS
    inside = kind.offline and kind.mode != "current"
    where = "packages/ in it, nothing from elsewhere" if inside else "the indexes you configured"
    print(
        f"It would be unpacked to {folder}; {_RUNS[kind.mode]}: {theirs}, with your rights. "
        f"Packages come from {where}.",
        flush=True,
    )
    if not yes and not asking.agreed("Go on?"):
        raise UserError(
            "Expected a yes. Received none. Nothing was unpacked; `--yes` does not ask."
        )


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
    name = file.name.removesuffix(SUFFIX)
    if name == file.name or not name.strip("."):
        raise UserError(f"Expected a file called NAME{SUFFIX}. Received {file.name}. Say --into.")
    return file.with_name(name)
