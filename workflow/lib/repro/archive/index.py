"""Index: the first file of an archive, which says how to read the others; and their order.

Synopsis:
    index = parsed(content)                        # refused if a newer version wrote it
    names = ordered(files)
    text = sums(kept)                              # for sha256sum -c
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from repro.archive.zip_writer import Kept
from repro.core import canonical_json
from repro.core.errors import UserError

FORMAT = 1
"""Of the archive. A reader refuses a newer one, and reads every older one for ever: whoever changes
what an archive says or holds raises it, and keeps what reads and describes the older ones."""

INDEX, METADATA, SUMS = "archive.json", "ro-crate-metadata.json", "SHA256SUMS"
GUIDE, CONFIGURATION = "HOW-TO-CHECK.txt", "config/config.yaml"
PAGES = ("CITATION.cff", "LICENSE", "README.md")
ALWAYS = (
    CONFIGURATION,
    GUIDE,
    *PAGES,
    "bootstrap/__main__.py",
    "profiles/default/config.yaml",
    "run",
)
CONDA, PYPI = "packages/conda/", "packages/pypi/"


@dataclass(frozen=True)
class Index:
    """What an archive says of itself.

    `left_out` are raw data that were too large: their paths, from the project's folder; the
    digests are in the configuration. `packages` says whether all packages are inside.
    """

    experiment: str
    packages: bool
    left_out: tuple[str, ...] = ()
    format: int = FORMAT

    def text(self) -> str:
        """As the archive holds it."""
        return canonical_json.pretty(asdict(self))


def parsed(content: bytes) -> Index:
    """Reads the first file of an archive.

    Args:
        content: of the file.

    Returns:
        What it says.

    Raises:
        UserError: it is none, or a newer version wrote it.
    """
    refuse_newer(content)
    try:
        value = canonical_json.parsed(content)
        left_out = tuple(sorted({str(path) for path in value["left_out"]}))
        index = Index(str(value["experiment"]), value["packages"] is True, left_out)
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(str(error)) from error
    if index.text().encode() != content:
        raise _unreadable("other text than this workflow writes")
    return index


def refuse_newer(content: bytes) -> None:
    """Refuses an archive of a newer format, whatever else it may be."""
    try:
        number = json.loads(content)["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # told by whoever reads it in earnest
    if isinstance(number, int) and number > FORMAT:
        raise UserError(
            f"Expected an archive in format {FORMAT} or older. Received format {number}, of a "
            "newer version of this workflow. Read it with that version."
        )


def _unreadable(what: str) -> UserError:
    return UserError(
        f"Expected {INDEX} to say how to read the archive. Received: {what}. Get the archive again "
        "from where it was published."
    )


def ordered(names: Iterable[str]) -> list[str]:
    """The order of an archive: the index, then by name, and last what is made from all others."""
    last = {name: place for place, name in enumerate((METADATA, SUMS), start=1)}
    return sorted(names, key=lambda name: (name != INDEX, last.get(name, 0), name))


def sums(kept: Mapping[str, Kept]) -> str:
    """What `sha256sum -c` reads: a line for each file but itself, in their order."""
    lines = (f"{kept[name].sha256}  {name}\n" for name in ordered(kept) if name != SUMS)
    return "".join(lines)
