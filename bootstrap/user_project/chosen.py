"""Which project a verb works on: the folder that it is called in, or the one that is named.

Synopsis:
    here, arguments = chosen.project_of(["drift", "--directory", "mine"])
    here.folder, here.snakemake(["drift"])
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import project
from repro.core.errors import UserError

CONFIGURATION = Path("config", "config.yaml")
SNAKEFILE = project.ROOT / "Snakefile"
OF_CLONE = {
    "lock", "test", "docs", "containerfile", "clean",
    "tests", "benchmark", "controls", "scripts",
}  # fmt: skip
"""Verbs and targets that work on the clone, wherever they are called."""
_NO_CONFIGURATION_NEEDED = ("-h", "--help", "--version", "--configfile", "--configfiles")


@dataclass(frozen=True)
class UserProject:
    """The folder, absolute, whose configuration, data and results a verb works on.

    `entered` is whether whoever called was there already.
    """

    folder: Path
    entered: bool = field(default=True, compare=False)

    @property
    def shown(self) -> Path:
        """What paths in it begin with, so that whoever called can follow them."""
        return Path() if self.entered else self.folder

    def snakemake(self, arguments: Sequence[str]) -> list[str]:
        """Return what Snakemake is called with in that folder, to run the clone's workflow."""
        if self.folder.samefile(project.ROOT):
            return [*arguments]
        return ["--snakefile", str(SNAKEFILE), *map(self._with_profile, arguments)]

    def _with_profile(self, word: str) -> str:
        """A word of the command line; a profile that only the clone has, by its path there."""
        option, equals, path = word.rpartition("=")
        there = project.ROOT / path
        if not path.startswith("profiles/") or (self.folder / path).exists() or not there.is_dir():
            return word
        return f"{option}{equals}{there}"


CLONE = UserProject(project.ROOT)


def options() -> argparse.ArgumentParser:
    """Return a parent for the parsers of verbs: `project_of` takes what it describes."""
    parser = argparse.ArgumentParser(prog="./run", add_help=False, allow_abbrev=False)
    parser.add_argument(
        "--directory", "-d", type=Path, metavar="FOLDER",
        help="a project elsewhere; the other paths start there",
    )  # fmt: skip
    return parser


def project_of(arguments: Sequence[str]) -> tuple[UserProject, list[str]]:
    """Return the project of a command line, and the command line without its name.

    Raises:
        UserError: there is none, or nothing to do in it.
    """
    if arguments[0] in OF_CLONE:
        return CLONE, [*arguments]
    named, rest = options().parse_known_args(arguments)
    if not rest:
        raise UserError(
            "Expected a target or a verb. Received none. `./run --help` lists them; `all` is "
            "everything."
        )
    if rest[0] in OF_CLONE:
        return CLONE, rest
    folder = (named.directory or Path()).resolve()
    words = {word.partition("=")[0] for word in rest}
    if (folder / CONFIGURATION).is_file() or not words.isdisjoint(_NO_CONFIGURATION_NEEDED):
        return UserProject(_existing(folder), folder == Path.cwd()), rest
    if rest[0] == "setup" and named.directory is None:
        return CLONE, rest
    raise UserError(
        f"Expected a project, a folder with {CONFIGURATION}. Received {_existing(folder)}, which "
        "has none. Change to a project's folder, or name one by `--directory FOLDER`; "
        f"`{project.ROOT / 'run'} new FOLDER` makes one."
    )


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UserError(f"Expected a folder at {folder}. Received none. Correct `--directory`.")
    return folder
