"""The command line of `check`: any script, unmodified; are its results the same again?

Synopsis:
    ./run check [options] -- python train.py --epochs 3
    python check.pyz [options] -- python train.py
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from repro.check.checking import check
from repro.check.page import page
from repro.check.progress import Progress, seconds_of
from repro.check.report import github_lines, report
from repro.check.session import BUDGET, CheckOptions
from repro.check.varied import factor_names
from repro.cli.apply_patch import applied, require_clean
from repro.core.atomic import write_bytes, write_text
from repro.core.canonical_json import pretty
from repro.core.errors import CouldNotRun, UserError
from repro.repair.patch import TriedPatch

LONGEST = 40
"""Of a longer patch no line is printed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Checks a command.

    Returns:
        0 its results are the same; 1 they are not; 2 a mistake of the user's; 3 undecided;
        4 it could not run; 128 + n where signal n ended it.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files may hold what it cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        _check_folder()
        options, asked = _options(words)
        with _ended_by_signals():
            return _check(options, asked)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.status
    except _Ended as ended:
        return 128 + ended.number
    except OSError as error:
        print(
            "Expected to read and write files, and to start programs. Received from the system: "
            f"{error}. Mend that, and run again.",
            file=sys.stderr,
        )
        return CouldNotRun.status
    except Exception as error:  # else Python ends with 1, which tells of a difference
        traceback.print_exc()
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"Internal error ({what}). Please report it, with the lines above.", file=sys.stderr)
        return CouldNotRun.status


def _check(options: CheckOptions, asked: argparse.Namespace) -> int:
    progress = Progress(sys.stderr)
    if asked.apply:
        require_clean(Path.cwd())
    try:
        checked = check(options, progress)
    except _Ended:
        with suppress(OSError):  # the terminal may be gone
            _say_so_far(progress, json=asked.json)
        raise
    value, patch = report(checked), checked.findings.patch
    write_text(options.out / "report.json", pretty(value))
    write_bytes(options.out / "report.html", page(value).encode("utf-8", "backslashreplace"))
    if asked.json:
        print(pretty(value))
    elif asked.github:
        print("\n".join(github_lines(value)))
    lines = [*checked.answer.details, *_patch(options.out, patch.diff if patch else "")]
    lines.append(f"More: {_near(options.out / 'report.html')}")
    print(
        "\n".join([*lines, checked.answer.sentence]), file=sys.stderr if asked.json else sys.stdout
    )
    if asked.apply:
        print(_applied(options.out, patch), file=sys.stderr)
    return checked.answer.status


def _applied(out: Path, patch: TriedPatch | None) -> str:
    if patch is None or not patch.confirmed:
        return "No patch was applied: none was confirmed."
    if not patch.diff:
        return "No patch was applied: what was found changes no file."
    return applied(Path.cwd(), out / "fix.patch", _asked)


def _asked(question: str) -> str:
    """An answer from the terminal; the question keeps out of a report on standard output."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _patch(out: Path, diff: str) -> list[str]:
    """Writes the patch, in place of one of an earlier check; the lines to print."""
    file = out / "fix.patch"
    if not diff:
        file.unlink(missing_ok=True)
        return []
    write_text(file, diff)
    lines = diff.splitlines()
    shown = lines if len(lines) <= LONGEST else []
    return [
        f"Patch: {_near(file)} (git apply -p1, or patch -p1)",
        *(f"    {line}" for line in shown),
    ]


def _say_so_far(progress: Progress, *, json: bool) -> None:
    if not progress.known:
        progress.line("A signal ended it before there was an answer.")
        return
    progress.line("A signal ended it before all was found out. The answer so far:")
    print(progress.known, file=sys.stderr if json else sys.stdout, flush=True)


def _near(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _check_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise UserError(
            "Expected to start in a folder that is there. Received one that was removed. Change to "
            "another one."
        ) from None


class _Ended(BaseException):
    """A signal that ends this process, once all is cleared away."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _ended_by_signals() -> Generator[None]:
    def end(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        raise _Ended(number)

    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # What was started to go on without its terminal ignores some.
    heeded = [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _options(words: list[str]) -> tuple[CheckOptions, argparse.Namespace]:
    """What was asked for.

    Raises:
        UserError: there is no command, or an option has no sense.
    """
    asked = parser().parse_args(words)
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if asked.runs < 2:
        raise UserError(
            "Expected `--runs` to be at least 2, since one run shows nothing. Received "
            f"{asked.runs}. Correct it."
        )
    if asked.apply and (asked.only or asked.in_place):
        raise UserError(
            "Expected `--apply` without `--only` and `--in-place`, with which no patch is tried. "
            "Received both. Leave one out."
        )
    options = CheckOptions(
        tuple(command), asked.out.absolute(), asked.budget, asked.runs, asked.steps,
        asked.only, factor_names(asked.keep), tuple(asked.ignore), asked.rtol,
        asked.overlay, asked.in_place, asked.network, asked.load,
    )  # fmt: skip
    return options, asked


def parser() -> argparse.ArgumentParser:
    """The options, with their help."""
    made = argparse.ArgumentParser(
        prog="check",
        usage="check [options] -- COMMAND ...",
        description="Run any command again, with everything changed that must not matter, and say "
        "whether its results are the same, how far apart they are, and what the difference needs. "
        "The command runs at least twice.",
        epilog="Exit status: 0 the same, 1 not the same, 2 a mistake of yours (also: the command "
        "fails by itself), 3 undecided, 4 it could not run.",
    )
    made.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run")
    made.add_argument("--runs", type=int, default=2, metavar="N", help="how often it runs (2)")
    made.add_argument(
        "--budget", type=_seconds, metavar="TIME",
        help=f"end after 90s, 10m or 2h; without it, {BUDGET / 60:.0f}m after the first answer",
    )  # fmt: skip
    made.add_argument(
        "--steps", type=_steps, metavar="N", help="end watched runs after N training steps"
    )
    made.add_argument(
        "--only", choices=["outputs", "steps"],
        help="compare outputs and watch no steps; or watch steps and try no patch",
    )  # fmt: skip
    made.add_argument(
        "--apply", action="store_true",
        help="apply a confirmed patch after asking, in a clean work tree of git",
    )  # fmt: skip
    made.add_argument(
        "--keep", action="append", default=[], metavar="FACTOR",
        help="leave a factor as it is, such as home or clock; several with commas",
    )  # fmt: skip
    made.add_argument("--ignore", action="append", default=[], metavar="GLOB",
                      help="outputs that are not compared, such as 'logs/*'")  # fmt: skip
    made.add_argument("--rtol", type=_tolerance, default=0.0, metavar="X",
                      help="let numbers pass that differ relatively by at most X")  # fmt: skip
    _add_surroundings(made)
    made.add_argument("--json", action="store_true", help="print the report to standard output")
    made.add_argument("--github", action="store_true", help="print annotations for GitHub Actions")
    made.add_argument("--out", type=Path, default=Path("check"), metavar="FOLDER",
                      help="where the report goes (check/)")  # fmt: skip
    return made


def _add_surroundings(made: argparse.ArgumentParser) -> None:
    """The options for where the command runs, and beside what."""
    ways = made.add_mutually_exclusive_group()
    ways.add_argument("--no-overlay", dest="overlay", action="store_false",
                      help="run in a copy of the folder")  # fmt: skip
    ways.add_argument("--in-place", action="store_true", help="run in the folder as it is")
    made.add_argument("--no-network", dest="network", action="store_false",
                      help="take the network away in varied runs")  # fmt: skip
    made.add_argument("--load", action="store_true", help="keep the processors busy in varied runs")


def _seconds(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a time such as 90s, 10m or 2h: {text!r}"
        ) from None


def _steps(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected at least 1: {text!r}")
    return int(text)


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1: {text!r}")
    return value
