"""Command line: what the commands that run cases and count have in common.

Synopsis:
    options = parser("controls.py", "Runs the negative controls.", jobs=2).parse_args(arguments)
    with working_folder(options.folder, "controls-") as folder: ...
    status = printed(table(outcomes), figures(outcomes))
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class Goal(Protocol):
    """Something that was measured, and must be good enough."""

    @property
    def enough(self) -> bool:
        """Whether it is."""
        ...

    def text(self) -> str:
        """In words."""
        ...


def parser(program: str, description: str, jobs: int) -> ArgumentParser:
    """The options of all such commands.

    Args:
        program: the name of its file.
        description: what it does, a sentence.
        jobs: how many run at once by default.
    """
    made = ArgumentParser(prog=program, description=description)
    made.add_argument(
        "--jobs", type=int, default=jobs, metavar="N", help=f"how many at once ({jobs})"
    )
    made.add_argument("--folder", type=Path, help="run them here, in a new folder that stays")
    return made


@contextmanager
def working_folder(given: Path | None, prefix: str) -> Generator[Path]:
    """The folder that was asked for, made and kept; without one, a temporary folder.

    Raises:
        FileExistsError: it is there already.
    """
    if given is None:
        with tempfile.TemporaryDirectory(prefix=prefix) as folder:
            yield Path(folder)
    else:
        given.mkdir(parents=True)
        yield given.resolve()


def printed(table: Iterable[str], goals: Sequence[Goal]) -> int:
    """Prints a table, and a line for each goal.

    Returns:
        0 where every goal is reached, else 1.
    """
    print("\n".join(table), end="\n\n")
    for goal in goals:
        print(f"- {goal.text()}{'' if goal.enough else ' – not enough'}")
    return 0 if all(goal.enough for goal in goals) else 1
