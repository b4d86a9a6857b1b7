"""What ./run new does: make a project to start from, which reaches a verdict as it is.

Synopsis:
    ./run new FOLDER

The experiment and its data are the clone's own example.
"""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import project
from repro.core.atomic import write_bytes
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError

from user_project.chosen import CONFIGURATION

TEMPLATE = project.BOOTSTRAP / "user_project" / "template"
EXAMPLE = project.ROOT / "workflow" / "experiments"
CODE, DATA = "experiments/digits.py", "data/digits.csv.gz"


def main(argv: Sequence[str]) -> int:
    """Make the project.

    Raises:
        UserError: there is something in that folder, or this copy lacks the example.
    """
    parser = argparse.ArgumentParser(
        prog="./run new",
        description="Make a project: a commented configuration, an experiment to start from, its "
        "data, and a .gitignore.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or an empty one")
    folder: Path = parser.parse_args(argv).folder
    _refuse_occupied(folder)
    files = _files()
    _write(folder, files)
    command = shlex.quote(str(project.ROOT / "run"))
    print(
        f"Made {', '.join(files)} in {folder}. To take it to its verdict:\n"
        f"    cd {shlex.quote(str(folder))} && {command} all"
    )
    return 0


def _refuse_occupied(folder: Path) -> None:
    if folder.is_dir():
        inside = next((path.name for path in folder.iterdir()), None)
        received = f"one with {inside} in it" if inside else None
    else:
        received = "a file" if folder.exists() else None
    if received:
        raise UserError(
            f"Expected a new or empty folder at {folder}. Received {received}. Name another one."
        )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files, or leave none: what is half made would be refused the next time."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for name, content in files.items():
            write_bytes(folder / name, content)
    except BaseException:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        inner = {(folder / name).parent for name in files} - {folder}
        for path in (*inner, *missing):
            with suppress(OSError):  # not there, or with somebody else's file in it
                path.rmdir()
        raise


def _files() -> dict[str, bytes]:
    """What a project begins with, by name; the configuration last, without which it is none."""
    try:
        code, data = ((EXAMPLE / Path(name).name).read_bytes() for name in (CODE, DATA))
    except FileNotFoundError as error:
        raise UserError(
            f"Expected a clone, which holds the example. Received a copy without {error.filename}, "
            "as archives have it. Use a clone."
        ) from None
    text = (TEMPLATE / "config.yaml").read_text("utf-8").replace("{sha256}", sha256_bytes(data))
    ignored = (TEMPLATE / "gitignore").read_bytes()
    return {
        ".gitignore": ignored, CODE: code, DATA: data, str(CONFIGURATION): text.encode(),
    }  # fmt: skip
