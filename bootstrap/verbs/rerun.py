"""What ./run rerun does: verify an archive, byte by byte; if it may, run it and compare results.

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
    "whole": "then `./run all` runs there, from raw data to verdict",
    "evaluate": "then the archived weights are evaluated there again, and nothing is trained",
    "current": "then `./run all` of this copy runs there, with the environment of today",
}
_THEIRS = "bootstrap/, the workflow and the experiment's code, all of them the archive's"


def main(argv: Sequence[str]) -> int:
    """Verify an archive; unless that is all, ask, unpack it, and return what `reproduce.run` does.

    Raises:
        UserError: it is refused.
    """
    options = _parser().parse_args(argv)
    start = time.monotonic()
    with accepted(options.file) as inside:
        print(_summary(options.file, inside, time.monotonic() - start), flush=True)
        kind = reproduce.Kind(
            inside.index.experiment, options.mode, _channel(inside), inside.index.packages
        )
        left_out, sums = inside.index.left_out, inside.kept[SUMS].sha256
    if options.check_only:
        return 0
    folder = (options.into or _beside(options.file)).absolute()
    copies = _raw_data(left_out, options.data, folder)
    _ask(folder, kind, options.yes)
    with project.tidy_when_ended():
        unpack(options.file, folder, seen=sums)
    for source, target in copies:
        reproduce.bring(source, target)
    return reproduce.run(folder, kind)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run rerun",
        description="Verify an archive, byte by byte; list what would run, ask, unpack and run it; "
        "report what was reproduced. Run a stranger's archive in a container: it is a program.",
    )
    parser.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check-only", action="store_true", help="unpack and run nothing")
    modes.add_argument(
        "--evaluate", dest="mode", action="store_const", const="evaluate", default="whole",
        help="train nothing: evaluate the archived weights again",
    )  # fmt: skip
    modes.add_argument(
        "--current", dest="mode", action="store_const", const="current",
        help="does it still hold? run its experiment by this copy, in the environment of today",
    )  # fmt: skip
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
    channels = [recorded(s.value)["environment"]["installed"].get("channel") for s in steps]
    return "local" if "local" in channels else "locked"


def _raw_data(left_out: Sequence[str], data: Path | None, folder: Path) -> list[tuple[Path, Path]]:
    """Pair raw data that the archive leaves out with their places; outside, they must be there."""
    copies: list[tuple[Path, Path]] = []
    for path in left_out:
        if odd(PurePosixPath(path).as_posix()):
            place = folder / path
        elif data is None:
            raise _lacking(path, "by `--data FOLDER`, at its path from there")
        else:
            place = data / path
            copies.append((place, folder / path))
        if not place.exists():
            raise _lacking(path, f"at {shown(str(place))}")
    return copies


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


def _summary(file: Path, inside: Inside, seconds: float) -> str:
    size, index = file.stat().st_size, inside.index
    packages = "with its packages" if index.packages else "without packages"
    missing = "".join(f"\nNot in it, too large: {shown(path)}" for path in index.left_out)
    return (
        f"{file.name}: experiment {index.experiment}, {packages}; {len(inside.kept)} files, {size} "
        f"bytes, all consistent with one another ({seconds:.1f} s).{missing}\n"
        f"It is what its author archived if {SUMS} was published with this sha256:\n"
        f"{inside.kept[SUMS].sha256}"
    )


def _beside(file: Path) -> Path:
    name = file.name.removesuffix(SUFFIX)
    if name == file.name or not name.strip("."):
        raise UserError(f"Expected a file called NAME{SUFFIX}. Received {file.name}. Say --into.")
    return file.with_name(name)
