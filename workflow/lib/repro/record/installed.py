"""What is installed in an environment: recorded once, checked before every use.

Synopsis:
    recorded = require(Path(sys.prefix))       # refuses an environment that is not as installed
    recorded.facts["packages"]                 # for the manifest

An installation ends with a record of the digest of every file, and of the package of the lock that
it belongs to. A check hashes a file again only if its inode, size or times are no longer the
recorded ones, so it costs a fraction of a second.
It fails closed: whatever was added, removed or changed is refused, and so is a `.pyc` that some
other Python wrote, since Python would run it without a look at the source beside it.

Nothing but the standard library is used: the source of this module is also part of the
post-deploy scripts (bootstrap/conda/render.py), which run before anything is installed.
"""

import hashlib
import json
import os
import platform as machine
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

RECORD = "repro-installed.json"  # not in conda-meta: conda takes every .json there for a package
SHOWN = 5
LARGE = 1 << 20  # bytes from which on a file is worth a thread of its own
_SMALL = 1 << 16  # bytes that are read at once
CLOCK_TICK = 0.02  # seconds; that of file times is 10 ms at most, on Linux

Survey = dict[str, list[Any]]


class Installed(NamedTuple):
    """What the record of an environment says.

    ``facts`` has ``lock`` (digest of conda-lock.yml), ``channel`` (``locked`` or ``local``),
    ``platform``, ``environment`` (its name) and ``packages``: mappings with ``manager`` (``conda``
    or ``pip``), ``name``, ``version``, ``build`` and ``sha256``. ``files`` is a :data:`Survey`
    whose rows end with the name of the package.
    """

    facts: dict[str, Any]
    files: Survey


def require(prefix: Path) -> Installed:
    """Return the record of an environment, or refuse one that is not as it was installed.

    Raises:
        UserError: what differs, and which folder to remove.
    """
    from repro.core.errors import UserError

    recorded, problems = _checked(prefix)
    if recorded is None or problems:
        raise UserError(refusal(prefix, problems))
    return recorded


def check(prefix: Path) -> list[str]:
    """Return a sentence for every file that is missing, was added or has other bytes."""
    return _checked(prefix)[1]


def refusal(prefix: Path, problems: Sequence[str]) -> str:
    """Put problems, at least one, into one message, with what to do."""
    more = len(problems) - SHOWN
    shown = [*problems[:SHOWN], *([f"And {more} more."] if more > 0 else [])]
    return (
        f"{' '.join(shown)} Remove the folder {prefix} and the file {prefix}.env_setup_done beside "
        "it, then try again: the environment is made anew."
    )


def survey(prefix: Path, known: Mapping[str, Sequence[Any]] | None = None) -> Survey:
    """Hash every file of an environment, large ones on all processors.

    Args:
        known: what an earlier survey found; what has not changed since is not hashed again.

    Returns:
        By path: digest, size in bytes, inode, mtime and ctime in ns. Folders, whose paths end in
        ``/``, are there too, with nothing: an empty one can already be imported.

    Raises:
        OSError: a file cannot be read.
    """
    # What is written within one tick of the clock has the same times: a change that comes right
    # after must fall into a later tick than the last one before.
    time.sleep(CLOCK_TICK)
    found = {path: status for path, status in _walk(prefix) if path != RECORD}
    return _hashed(prefix, found, known or {})


def rows(prefix: Path, paths: Iterable[str]) -> Survey:
    """Hash some files, in the same way, of which not all need be there.

    Raises:
        OSError: a file cannot be read.
    """
    time.sleep(CLOCK_TICK)
    found: dict[str, os.stat_result | None] = {}
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(f"{prefix}/{path}")
            found[path] = None if stat.S_ISDIR(status.st_mode) else status
    return _hashed(prefix, found, {})


def digest(path: Path) -> str:
    """Return what stands for the content of a file: its sha256, or where a link points.

    Raises:
        OSError: it cannot be read.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"a link to {path.readlink()}"
    if not stat.S_ISREG(mode):
        return "neither a file nor a link"  # a pipe, say, whose reader would wait for ever
    with path.open("rb", buffering=0) as file:
        # file_digest makes itself a buffer, which takes longer than a small file.
        start = file.read(_SMALL)
        value = hashlib.sha256(start)
        if len(start) == _SMALL:
            value = hashlib.file_digest(file, lambda: value)
        return f"sha256:{value.hexdigest()}"


def record(prefix: Path, rows: Survey, facts: Mapping[str, Any], owners: Mapping[str, str]) -> None:
    """Write the record, whole or not at all; a file without an owner belongs to no package.

    Raises:
        OSError: it cannot be written.
    """
    files = {path: [*row, owners.get(path, "")] if row else [] for path, row in rows.items()}
    content = {**facts, "files": dict(sorted(files.items()))}
    # Beside the environment: inside it, a left-over would be one more file that nobody expects.
    part = prefix.with_name(f"{prefix.name}.{RECORD}.part")
    try:
        with part.open("w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(prefix / RECORD)
    finally:
        part.unlink(missing_ok=True)


def unlike(path: Path, row: Sequence[Any]) -> str | None:
    """Return the digest that a file has now, or None where it is as its row of the record says.

    The row: digest, size, inode, mtime, ctime, package.

    Raises:
        OSError: it cannot be read.
    """
    if row[1:5] == _identity(path.lstat()):
        return None
    now = digest(path)
    return now if now != row[0] else None


def current_platform() -> str:
    """Return this machine's platform in conda's words."""
    name = f"{sys.platform}-{machine.machine()}"
    known = {"linux-x86_64": "linux-64", "darwin-arm64": "osx-arm64"}
    return known.get(name, name)


def _checked(prefix: Path) -> tuple[Installed | None, list[str]]:
    """The record, if it can be read, and what differs from it."""
    try:
        content = json.loads((prefix / RECORD).read_bytes())
        files: Survey = content.pop("files")
        return Installed(content, files), list(_differences(prefix, files))
    except FileNotFoundError:
        return None, [
            f"Expected {prefix / RECORD}, with which an installation ends. Received no such file."
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, [
            f"Expected to read all of {prefix}. Received {type(error).__name__}: {error}."
        ]


def _differences(prefix: Path, files: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    unseen = dict.fromkeys(files)
    for path, status in _walk(prefix):
        if path in files:
            del unseen[path]
            if status is not None and files[path][1:5] != _identity(status):
                want, now = files[path][0], digest(prefix / path)
                if now != want:
                    yield f"Expected {prefix / path} to be {want}. Received {now}."
        elif path != RECORD:
            yield f"Expected nothing at {prefix / path}. Received {_added(path)}."
    yield from (f"Expected {prefix / path}. Received nothing there." for path in unseen)


def _hashed(
    prefix: Path,
    found: Mapping[str, os.stat_result | None],
    known: Mapping[str, Sequence[Any]],
) -> Survey:
    """The rows of files and folders that were found."""
    rows: Survey = {path: [] if s is None else ["", *_identity(s)] for path, s in found.items()}
    anew = {path: row for path, row in rows.items() if row}
    for path, row in known.items():
        if row and path in anew and row[1:5] == anew[path][1:]:
            anew.pop(path)[0] = row[0]
    large = [path for path, row in anew.items() if row[1] >= LARGE]
    with ThreadPoolExecutor() as pool:
        digests = pool.map(digest, [prefix / path for path in large])
        for path in anew.keys() - set(large):
            anew[path][0] = digest(prefix / path)
        for path, value in zip(large, digests, strict=True):
            anew[path][0] = value
    return rows


def _added(path: str) -> str:
    if "__pycache__/" in path:
        return "what was added since, as by a Python started without -B (removing it is enough)"
    return "what was added since"


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """Give path and state of all below a folder; a folder's path ends in / and has no state."""
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{folder}{entry.name}/")
                    yield pending[-1], None
                else:
                    yield f"{folder}{entry.name}", entry.stat(follow_symlinks=False)


def _identity(status: os.stat_result) -> list[int]:
    # ctime as well: mtime can be set back, as rsync and tar do
    return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
