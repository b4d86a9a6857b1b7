"""Archive: what writing an archive costs beside copying and hashing the same bytes.

Synopsis:
    python tests/benchmarks/archive.py [--mib 1024] [--folder FOLDER]

Writes random files of which one is most of all, as the wheels of an environment are; then, in turn,
copies and hashes them, archives them, and reads the archive as `./run rerun --check-only` does.
Everything reaches the disk before the clock stops. Prints a table in Markdown, then a line of JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "workflow" / "lib"))

from repro.archive.zip_reader import opened  # noqa: E402
from repro.archive.zip_writer import BLOCK, put, written  # noqa: E402
from repro.archive.zip_writer import blocks as blocks_of  # noqa: E402
from repro.core.atomic import flush  # noqa: E402

SHARES = (0.6, *[0.02] * 15, *[0.001] * 100)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1024, help="bytes in all (1024)")
    parser.add_argument("--repetitions", type=int, default=6, help="of each, in turn (6)")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else a temporary one")
    return parser.parse_args()


def _fill(folder: Path, mib: int) -> list[Path]:
    chance = random.Random(0)
    block = chance.randbytes(BLOCK)
    files: list[Path] = []
    for number, share in enumerate(SHARES):
        path = folder / f"{number:03}.bin"
        with path.open("wb") as file:
            for start in range(0, int(share * mib * BLOCK), BLOCK):
                file.write(block[: min(BLOCK, int(share * mib * BLOCK) - start)])
        files.append(path)
    return files


def copy_and_hash(files: list[Path], to: Path) -> None:
    """The least that any way of keeping files must do: every byte read, hashed and written."""
    with to.open("wb") as target:
        for path in files:
            digest = hashlib.sha256()
            with path.open("rb") as source:
                for block in blocks_of(source):
                    digest.update(block)
                    target.write(block)
    flush(to)


def archive(files: list[Path], to: Path) -> None:
    """What `repro.archive.write.write` does with them; whole, flushed, renamed."""
    with written(to) as zipped:
        for path in files:
            with path.open("rb") as source:
                put(zipped, path.name, blocks_of(source), path.stat().st_size)


def look(_: list[Path], at: Path) -> None:
    """What `./run rerun --check-only` does first: every byte."""
    with opened(at):
        pass


def _seconds(what: Callable[[list[Path], Path], None], files: list[Path], path: Path) -> float:
    os.sync()
    start = time.perf_counter()
    what(files, path)
    return time.perf_counter() - start


def main() -> int:
    """Measures, and prints."""
    given = _arguments()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        files = _fill(folder, given.mib)
        os.sync()
        took: dict[str, list[float]] = {"copy and hash": [], "archive": [], "check-only": []}
        ways = [("copy and hash", copy_and_hash), ("archive", archive)]
        for number in range(given.repetitions):
            # In turn, since a disk takes the first gigabyte otherwise than the second.
            for name, what in ways if number % 2 else reversed(ways):
                path = folder / name
                took[name].append(_seconds(what, files, path))
                if what is archive:
                    took["check-only"].append(_seconds(look, files, path))
                path.unlink()
    median = {key: statistics.median(values) for key, values in took.items()}
    print(f"| {given.mib} MiB, medians of {given.repetitions} | |\n|---|---:|")
    for key, seconds in median.items():
        print(f"| {key}, s | {seconds:.2f} |")
    base = median["copy and hash"]
    print(f"| archive, of copy and hash | {median['archive'] / base:.2f} |")
    print(f"| check-only, of copy and hash | {median['check-only'] / base:.2f} |")
    print(json.dumps({"mib": given.mib, "seconds": took}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
