"""Names: what a file in an archive may be called, so that it lands where it says, everywhere.

Synopsis:
    names.refuse_odd(["run", "results/code.pyz"])          # or one sentence that names the first

The rules are the same for whoever writes an archive and whoever reads one. Two names that some
file system takes for one (other case, other Unicode form) are refused on every system.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from repro.core.errors import UserError

LONGEST_PART, LONGEST = 255, 1000  # bytes in UTF-8
DEEPEST = 30
"""Parts of a name: every folder of every name is looked at, so depth costs most."""


def odd(name: str) -> str | None:
    """Why a file in an archive may not be called so; None if it may.

    Args:
        name: path from the archive's top, parts separated by `/`.

    Returns:
        A few words.

    Example:
        >>> odd("../a")
        'leads out of the folder'
    """
    parts = name.split("/")
    if name.startswith("/"):
        return "starts at the root of the disk"
    if ".." in parts:
        return "leads out of the folder"
    if "\\" in name or ":" in name:
        return "has a backslash or a colon, which some systems read as a path"
    if not name.isprintable():
        return "has characters that cannot be shown"
    if "" in parts or "." in parts:
        return "is no plain path of a file"
    if unicodedata.normalize("NFC", name) != name:
        return "is not in Unicode's normal form NFC"
    if len(name.encode()) > LONGEST or max(len(part.encode()) for part in parts) > LONGEST_PART:
        return "is too long"
    if len(parts) > DEEPEST:
        return f"lies more than {DEEPEST - 1} folders deep"
    return None


def refuse_odd(names: Iterable[str]) -> None:
    """Refuses names that lead elsewhere, and two that some file system takes for one.

    Args:
        names: of all files of an archive.

    Raises:
        UserError: names the first.
    """
    spelt: dict[str, str] = {}
    files: set[str] = set()
    below: dict[str, str] = {}
    for name in names:
        if why := odd(name):
            raise UserError(
                f"Expected file names that mean the same on every system. Received {name!a}, "
                f"which {why}. Rename that file."
            )
        path = PurePosixPath(name)
        for part in (path, *path.parents[:-1]):
            folded = _folded(str(part))
            if (first := spelt.setdefault(folded, str(part))) != str(part):
                raise _twice(f"{str(part)!a} and {first!a}, which are one place on some systems")
            if part is not path:
                below[folded] = name
        if (folded := _folded(name)) in files:
            raise _twice(f"{name!a} twice")
        files.add(folded)
    if inside := next((folder for folder in below if folder in files), None):
        raise _twice(f"{below[inside]!a} below {spelt[inside]!a}, which is a file")


def _twice(what: str) -> UserError:
    return UserError(f"Expected each file of an archive once. Received {what}. Rename one of them.")


def _folded(name: str) -> str:
    # Twice: folding can make characters that the normal form joins, and the other way round.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
