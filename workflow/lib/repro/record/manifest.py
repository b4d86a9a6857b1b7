"""Manifest: binds outputs to what made them; written by the process that did the work.

Synopsis:
    write(path, making, outputs)
    value = read(path)                  # or one sentence that says why not
    check_subjects(path, "data")        # the files beside it are still what it says

What a manifest says is described in `repro.record.statement`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from repro.core.atomic import write_text
from repro.core.canonical_json import parsed, pretty
from repro.core.digest import Sha256, files_below, sha256_file
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.record.statement import EXTENSION, FORMAT, Making, sealed, statement

LARGEST = 64 * 2**20
"""In bytes; NAMED files of an input with long names need a tenth of it."""


def write(path: Path, making: Making, outputs: Sequence[Path]) -> None:
    """Writes the manifest of some files and folders, which must lie in its folder or below.

    Raises:
        UserError: it would break the schema, or cannot be written.
    """
    value = statement(making, path.parent, outputs)
    write_text(path, pretty(checked(value, "manifest", path.name)))


def recorded(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a manifest says beyond SLSA's fields: `environment` and `process`."""
    return value["predicate"][EXTENSION]


def read(path: Path) -> dict[str, Any]:
    """Reads a manifest, of an older version too, and refuses one that is not as it was written.

    Raises:
        UserError: the file is missing, too large, no strict JSON, of a newer format, breaks the
            schema, names a file twice or outside its folder, or was altered.
    """
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise ValueError(f"{size} bytes where {LARGEST} are the most")
        content = path.read_bytes()
        value = parsed(content)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected a manifest at {path.name}. Received a file that cannot be read as one "
            f"({error}). Delete the outputs of that step and run it again."
        ) from error
    _refuse_newer(value, path.name)
    checked(value, "manifest", path.name)
    return sound(content, path.name)


def sound(content: bytes, name: str) -> dict[str, Any]:
    """What a manifest says, refused where it is not as written; the schema is not asked.

    So it needs the standard library alone, and where the content breaks the schema it may raise
    whatever comes of it.

    Raises:
        UserError: of a newer format, with a file twice or outside its folder, or altered.
        Exception: the content is no manifest.
    """
    value = parsed(content)
    _refuse_newer(value, name)
    _refuse_odd_names((s["name"] for s in value["subject"]), name)
    if recorded(value)["sha256"] != sealed(value) or content != pretty(value).encode():
        raise UserError(
            f"Expected {name} as it was written: what it says has the sha256 "
            f"{recorded(value)['sha256']}. Received an altered file. Delete the outputs of that "
            "step and run it again."
        )
    return value


def _refuse_newer(value: Any, name: str) -> None:
    try:
        number = value["predicate"][EXTENSION]["format"]
    except (KeyError, TypeError, IndexError):
        return  # the schema says what is missing
    if isinstance(number, int) and number > FORMAT:
        raise UserError(
            f"Expected {name} in format {FORMAT} or older. Received format {number}, of a newer "
            "version of this workflow. Read it with that version."
        )


def _refuse_odd_names(names: Iterable[str], manifest: str) -> None:
    for name, times in Counter(names).items():
        path = PurePosixPath(name)
        if times > 1 or path.is_absolute() or ".." in path.parts or str(path) != name:
            what = "stands there twice" if times > 1 else "leads elsewhere"
            raise UserError(
                f"Expected {manifest} to name each file below its folder once. Received "
                f"{name!r}, which {what}. Delete the outputs of that step and run it again."
            )


def check_subjects(
    path: Path, below: str | None = None, sha256: Sha256 = sha256_file
) -> dict[str, Any]:
    """Reads a manifest, and refuses files that are no longer what it says.

    Args:
        below: a folder beside it, all of whose files must be subjects.

    Raises:
        UserError: a subject is missing or has another digest, or a file was added.
    """
    value = read(path)
    claimed = {subject["name"]: subject["digest"]["sha256"] for subject in value["subject"]}
    files = {name: path.parent / name for name in claimed}
    if below is not None:
        files |= {f"{below}/{name}": file for name, file in files_below(path.parent / below)}
    digests = {name: sha256(file) for name, file in files.items() if file.is_file()}
    if odd := sorted(name for name in files if claimed.get(name) != digests.get(name)):
        raise UserError(
            f"Expected the files beside {path.name} to be as it says. Received a difference at "
            f"{odd[0]} (sha256 {digests.get(odd[0])} in place of {claimed.get(odd[0])}). Delete "
            f"{path.name} and run again: they are made again."
        )
    return value
