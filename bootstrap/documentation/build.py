"""What ./run docs does: make the pages of docs/ as HTML, and fail at any warning.

Synopsis:
    ./run docs [--out FOLDER]

Sphinx warns of every link that leads nowhere, and of every page that no table of contents lists.
"""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

import project
import tools
from repro.core.errors import UserError

SOURCE = project.ROOT / "docs"


def main(argv: Sequence[str]) -> int:
    """Make the pages.

    Returns:
        0, or 1 where Sphinx warned; it has printed each warning with file and line.

    Raises:
        UserError: this copy has no pages.
    """
    parser = argparse.ArgumentParser(
        prog="./run docs",
        description="Make the pages of docs/ as HTML with Sphinx. A warning, such as one of a link "
        "that leads nowhere, is an error.",
    )
    parser.add_argument(
        "--out", type=Path, default=SOURCE / "_build", metavar="FOLDER",
        help="where the pages go (docs/_build/)",
    )  # fmt: skip
    out: Path = parser.parse_args(argv).out
    if not SOURCE.is_dir():
        raise UserError(
            f"Expected a clone, which holds {SOURCE.name}/. Received a copy without it, as "
            "archives have it. Use a clone."
        )
    command = sphinx(SOURCE, out, project.TOOLS / "doctrees")
    if subprocess.run(command, env=tools.environment(), check=False).returncode:
        return 1
    print(f"The pages are in {out}. Open {out / 'index.html'}.")
    return 0


def sphinx(source: Path, out: Path, parsed: Path) -> list[str]:
    """Return the command that makes the pages in a folder; `parsed` speeds up the next time."""
    python = str(tools.VENV / "bin" / "python")
    strict = ("--fail-on-warning", "--keep-going", "--nitpicky")
    places = ("-d", str(parsed), str(source), str(out))
    return [python, "-P", "-m", "sphinx", "--quiet", *strict, "-b", "html", *places]
