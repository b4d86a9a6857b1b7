"""What wheels bring into an environment, by the wheels themselves, which have the lock's sha256.

Synopsis:
    brought = contents.of(wheels, "lib/python3.11/site-packages")
    brought["lib/python3.11/site-packages/six.py"]      -> Brought("six", "sha256:ab12…")

What installers wrote of it is no evidence: they may have unpacked it long before.
"""

import base64
import configparser
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WRITTEN = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")


class Brought(NamedTuple):
    """The package of a file, and its digest, or None of what installers write."""

    package: str
    digest: str | None


def of(wheels: Sequence[Path], site: str) -> dict[str, Brought]:
    """Return the files of wheels by their paths in the environment.

    ``site`` is the path of site-packages.
    """
    found: dict[str, Brought] = {}
    for wheel in wheels:
        package = normal(wheel.name.partition("-")[0])
        with zipfile.ZipFile(wheel) as archive:
            found |= {path: Brought(package, digest) for path, digest in _files(archive, site)}
    return found


def rewritten(wheels: Sequence[Path]) -> bool:
    """Say whether installers change a file of the wheels: a script, which gets its Python."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            if any(".data/scripts/" in name for name in archive.namelist()):
                return True
    return False


def normal(name: str) -> str:
    """A distribution's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(archive: zipfile.ZipFile, site: str) -> Iterator[tuple[str, str | None]]:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    info = next(n for n in names if n.endswith(".dist-info/RECORD")).rpartition("/")[0]
    record = archive.read(f"{info}/RECORD").decode()
    digests = {row[0]: row[1] for row in csv.reader(io.StringIO(record)) if len(row) > 1}
    for name in names:
        folder, _, rest = name.partition("/")
        kind, _, path = rest.partition("/")
        if not folder.endswith(".data"):
            kind, path = "purelib", name
        if kind != "headers":  # which no Python reads, and each installer puts elsewhere
            place = {"scripts": f"bin/{path}", "data": path}.get(kind, f"{site}/{path}")
            yield place, _digest(archive, name, digests.get(name, ""))
    yield from ((f"{site}/{info}/{name}", None) for name in WRITTEN)
    if f"{info}/entry_points.txt" in names:
        commands = _commands(archive.read(f"{info}/entry_points.txt").decode())
        yield from ((f"bin/{name}", None) for name in commands)


def _digest(archive: zipfile.ZipFile, name: str, recorded: str) -> str | None:
    if ".data/scripts/" in name:
        return None
    algorithm, _, value = recorded.partition("=")
    if algorithm == "sha256":
        return f"sha256:{base64.urlsafe_b64decode(value + '==').hex()}"
    return f"sha256:{hashlib.sha256(archive.read(name)).hexdigest()}"


def _commands(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(delimiters="=", interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        yield from parser[section] if parser.has_section(section) else ()
