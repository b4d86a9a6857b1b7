"""Set-up: how long it takes from a bare machine to the tools, the environment, the first verdict.

Synopsis:
    .tools/venv/bin/python tests/benchmarks/set_up.py [--rounds 1] [--folder FOLDER]

Sets up fresh copies of this project, of an earlier commit of it, and virtual environments with the
same wheels, in turn. Prints a table in Markdown, then one line of JSON; progress goes to standard
error. It needs the network and some gigabytes, and removes all that it made. See README.md beside
this file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bootstrap")]

import sides  # noqa: E402
from repro.launch.supervise import signals_held  # noqa: E402
from sides import COLD, IDLE, PLAIN, VERDICT, WARM, Command, Side  # noqa: E402

BEFORE = "e8e8300"
"""The commit before environments were installed by uv and shared between clones."""
TASKS = (COLD, WARM, VERDICT, *[IDLE, PLAIN] * 3)
COLUMNS = ("", "before, s", "now, s", "pip, s", "now / before", "now / pip")
ENDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Measurement:
    """One task of one side: the load of the machine as it began, and how long it took."""

    round: int
    task: str
    side: str
    load: float
    seconds: float


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="each does everything once (1)")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else a temporary one")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error(f"Expected --rounds of 1 or more. Received {given.rounds}. Give more.")
    return given


@contextmanager
def scratch(folder: Path | None) -> Generator[Path]:
    """A new folder, which is gone when this process ends, whichever signal asks it to.

    Args:
        folder: where it shall lie; None for where temporary files lie.
    """
    for number in ENDED:
        signal.signal(number, signal.default_int_handler)
    place = Path(tempfile.mkdtemp(prefix="set-up ", dir=folder)).resolve()
    try:
        yield place
    finally:
        for number in ENDED:  # it takes a moment, in which nobody's patience may end it half-way
            signal.signal(number, signal.SIG_IGN)
        sides.remove(place)


def run(command: Command, side: Side) -> None:
    """Runs a command to its end; what it started ends with it.

    Args:
        command: and its arguments.
        side: where it runs.
    """
    said = side.folder / "said.txt"
    # Held until it is known what has to end: one that came meanwhile would leave that running.
    with said.open("wb") as file, signals_held() as before:
        hold_no_more = partial(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        child = subprocess.Popen(
            command, cwd=side.project, env=side.environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            preexec_fn=hold_no_more,
        )  # fmt: skip
        try:
            hold_no_more()
            status = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
    if status:
        raise SystemExit(
            f"{said.read_text(errors='replace')}\nExpected {' '.join(command)} of {side.name} to "
            f"go through. Received exit status {status}. Read the lines above."
        )


def measurements(every: Sequence[Side], rounds: int) -> Iterator[Measurement]:
    """Lets the sides take turns at each task; each round begins with another side.

    Args:
        every: the sides, of which not all have every task.
        rounds: how often everything is done.
    """
    for number in range(rounds):
        first = number % len(every)
        for task in TASKS:
            for side in [*every[first:], *every[:first]]:
                if task in side.commands:
                    yield _measured(number, task, side)
        for side in every:
            sides.remove(side.folder)


def _measured(number: int, task: str, side: Side) -> Measurement:
    side.make_ready(task)
    os.sync()
    load, start = os.getloadavg()[0], time.perf_counter()
    for command in side.commands[task]:
        run(command, side)
    one = Measurement(number, task, side.name, load, time.perf_counter() - start)
    print(asdict(one), file=sys.stderr, flush=True)
    return one


def rows(found: Sequence[Measurement]) -> Iterator[tuple[str, ...]]:
    """The table's rows: median and least of each side; medians of the rounds' own ratios.

    Args:
        found: the measurements, of each task and side in the order of the rounds.
    """

    def of(task: str, side: str) -> list[float]:
        return [m.seconds for m in found if (m.task, m.side) == (task, side)]

    for task in dict.fromkeys(TASKS):
        spent = {side: of(task, side) for side in ("before", "now", "pip")}
        cells = [_cell(spent[side]) for side in spent]
        yield task, *cells, *(_ratio(spent["now"], spent[side]) for side in ("before", "pip"))
    beyond = [
        [a - b for a, b in zip(of(IDLE, side), of(PLAIN, side), strict=True)]
        for side in ("before", "now")
    ]
    yield "`./run` beyond Snakemake's own time", *map(_cell, beyond), "–", "–", "–"


def _cell(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f})" if seconds else "–"


def _ratio(mine: Sequence[float], base: Sequence[float]) -> str:
    ratios = [a / b for a, b in zip(mine, base, strict=False)]
    return f"{statistics.median(ratios):.2f}" if ratios else "–"


def _sides(folder: Path) -> Iterator[Side]:
    if before := sides.write_commit(BEFORE):
        yield sides.clone("before", folder / "before", before)
    else:
        print(f"The comparison with commit {BEFORE} is left out: the history is not here.")
    yield sides.clone("now", folder / "now", sides.write_now)
    if sides.fits():
        yield sides.pip(folder / "pip")
    else:
        print("The comparison with pip is left out: the wheels are for another Python than this.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    given = _arguments(arguments)
    try:
        with scratch(given.folder) as folder:
            found = list(measurements(list(_sides(folder)), given.rounds))
    except KeyboardInterrupt:
        return 130
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * (len(COLUMNS) - 1))
    for row in rows(found):
        print("| " + " | ".join(row) + " |")
    whole: Mapping[str, object] = {"rounds": given.rounds, "cpus": os.cpu_count()}
    print(json.dumps({**whole, "measurements": [asdict(one) for one in found]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
