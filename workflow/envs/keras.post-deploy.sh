#!/bin/sh -c 'exec /bin/sh "$CONDA_PREFIX.post-deploy.sh"'
# Rendered from conda-lock.yml by bootstrap/conda/render.py (`./run lock`); do not edit.
# lock: sha256:ba4f5c67d9e1ed8c39e8afa14c2e7bae5b239d24b303166a9b2939cb7724f41f
#
# Snakemake runs this in the new environment, after the conda packages of keras.<platform>.pin.txt.
# It compares them with the lock, installs the wheels, and records every file. The Python that it
# needs is inside it, because Snakemake looks at the script alone to see whether it changed. The
# first line is for Snakemake too: it reads the interpreter there and gives it the path of its copy
# of this script without quotes, which a space in the path would cut in two. Plain `sh` works as well.
set -eu

refuse() {
    echo "The environment keras was not made. $*" >&2
    exit 1
}

[ -x "${CONDA_PREFIX:-}/bin/python" ] ||
    refuse "Expected a Python in the environment, at ${CONDA_PREFIX:-\$CONDA_PREFIX}/bin/python." \
        "Received none. Let Snakemake run this script; see the messages above for what failed."
prefix=$(cd "$CONDA_PREFIX" && pwd -P)

# Left from an earlier environment in this place, it would make an interrupted one look finished.
rm -f "$prefix.env_setup_done"

# What would bring in the Python of the host, or have pip work elsewhere. Other settings of pip
# stay: index, mirror, proxy and certificates are the user's, and the hashes guard what they bring.
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONPYCACHEPREFIX PYTHONOPTIMIZE
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_PYTHON PIP_REQUIREMENT PIP_DRY_RUN
export PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8

room() {
    refuse "Expected to write into ${TMPDIR:-/tmp}. Received the error above. Make room there, or" \
        "name another folder with TMPDIR."
}

code=$(mktemp -d) || room
trap 'rm -rf "$code"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$code/." "$code/display" "$code/post_deploy" "$code/repro/record" "$code/wheels" || room

cat >"$code/repro/record/environment_lock.py" <<'END_OF_FILE' || room
"""An environment that is in use, so that nobody removes it meanwhile.

Synopsis:
    for_life(Path(sys.prefix))

The lock is a file beside the environment, which whoever installs or removes it holds alone. It
vanishes with the last process that has it open. The standard library is all that is used: this
source is also part of the post-deploy scripts.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_of(prefix: Path) -> Path:
    """The lock of an environment."""
    return prefix.with_name(f"{prefix.name}.lock")


def for_life(prefix: Path) -> None:
    """Holds an environment together with others until this process ends, whatever it becomes.

    Where it has no lock, nothing is done: installers make it.
    """
    try:
        handle = os.open(lock_of(prefix), os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        os.set_inheritable(handle, True)
    except OSError:
        os.close(handle)
END_OF_FILE

cat >"$code/repro/record/installed.py" <<'END_OF_FILE' || room
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
END_OF_FILE

cat >"$code/cache.py" <<'END_OF_FILE' || room
"""The folder that all clones of one user share: environments, channels and wheels lie there.

The standard library is all that is used: this source is also part of the post-deploy scripts.
"""

import os
from pathlib import Path


def folder() -> Path | None:
    """Return it: REPRO_CACHE, or where the user keeps caches; None for a user without a home."""
    if moved := os.environ.get("REPRO_CACHE"):
        return Path(os.path.expanduser(moved))  # noqa: PTH111 -- as below
    if (base := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return base / "repro"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- pathlib's raises where there is none
    return home / ".cache" / "repro" if home.is_dir() else None
END_OF_FILE

cat >"$code/display/progress.py" <<'END_OF_FILE' || room
"""How far a set-up is: notes that whoever installs writes to a file, and that ./run shows.

Synopsis:
    progress.note("wheels of keras", 3, 39, "tensorflow")
    progress.refused("Expected the wheel of six. Received none. Mend the index.", 4)

Snakemake captures what conda and the post-deploy scripts print, so that it cannot be seen while
they work. The standard library is all that is used: this source is also part of the post-deploy
scripts.
"""

import json
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

FILE = "REPRO_PROGRESS"  # the variable that names the file; without it nothing is noted


def note(what: str, done: int, total: int, name: str = "") -> None:
    """Note how far something is, in the same words until all of ``total`` (0: unknown) are done."""
    _write({"what": what, "done": done, "total": total, "name": name})


def refused(sentence: str, status: int) -> None:
    """Note why nothing more is installed: ./run ends with the first sentence, and status 2 or 4."""
    _write({"refused": sentence, "status": status})


def _write(entry: Mapping[str, str | int]) -> None:
    if file := os.environ.get(FILE):
        line = f"{json.dumps(entry)}\n".encode()
        try:
            with Path(file).open("ab", buffering=0) as notes:  # one write: lines stay whole
                notes.write(line)
        except OSError:
            pass  # what nobody can see stops no installation


@contextmanager
def followed(folder: Path, what: str, total: int, pattern: str = "*") -> Generator[None]:
    """Note how many files a folder holds, again and again, while something makes or fills it."""
    ended = threading.Event()

    def follow() -> None:
        last = (0, "")
        while not ended.wait(0.5):
            now = _counted(folder, pattern)
            if now != last:
                note(what, min(now[0], total), total, now[1])
                last = now

    note(what, 0, total)
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    note(what, total, total)


def _counted(folder: Path, pattern: str) -> tuple[int, str]:
    """How many there are, and the name of the newest, up to its version."""
    try:
        times = {file.name: file.lstat().st_mtime_ns for file in folder.glob(pattern)}
    except OSError:  # one was renamed or removed meanwhile
        return 0, ""
    newest = max(times, key=lambda name: times[name], default="")
    return len(times), newest.partition("-")[0]
END_OF_FILE

cat >"$code/locks.py" <<'END_OF_FILE' || room
"""Locks between processes: a file, held until the process that holds it lets go or ends.

Synopsis:
    with locks.folder(project.TOOLS): ...                    # alone; a second process waits
    with locks.held(file, locks.ALONE | locks.AT_ONCE): ...  # or BlockingIOError

Nothing but the standard library and `display.progress` is used: this source is also part of the
post-deploy scripts.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from display import progress

TOGETHER, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX
AT_ONCE = fcntl.LOCK_NB  # do not wait for those who hold it
PACE = 0.2  # seconds between two tries


@contextmanager
def held(file: Path, how: int = ALONE, what: str = "waiting for another ./run") -> Generator[None]:
    """Hold a lock; whoever waits for it notes all the while ``what`` is waited for.

    ``how`` is `TOGETHER` or `ALONE`, and whether `AT_ONCE`. What is missing of the lock and its
    folder is made; to hold it together with others, it need not be writable.

    Raises:
        BlockingIOError: others hold it, and waiting was not allowed.
        OSError: there is no such file and none can be made, or nothing can be locked there.
    """
    handle = _opened(file, how)
    try:
        fcntl.flock(handle, how) if how & AT_ONCE else _wait(handle, how, what)
        yield
    finally:
        os.close(handle)


@contextmanager
def folder(place: Path) -> Generator[None]:
    """Hold a folder alone; makes it."""
    with held(place / ".lock"):  # a folder itself cannot be locked over NFS
        yield


def _opened(file: Path, how: int) -> int:
    """Open a lock; no other program inherits it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        if how & ALONE:
            raise
        return os.open(file, os.O_RDONLY)


def _wait(handle: int, how: int, what: str) -> None:
    begun = time.monotonic()
    while True:
        try:
            fcntl.flock(handle, how | AT_ONCE)
        except BlockingIOError:
            progress.note(what, int(time.monotonic() - begun), 0, "seconds")
            time.sleep(PACE)
        else:
            if time.monotonic() - begun > PACE:
                progress.note(what, 1, 1)
            return
END_OF_FILE

cat >"$code/requirements-uv.txt" <<'END_OF_FILE' || room
# uv, which unpacks and installs wheels: those of the tools, and those of each environment, where it
# is a part of nothing: it goes away when it is done. Where it cannot be had, pip installs.
uv==0.13.9 \
    --hash=sha256:16963d19594e18d746a70c7fce82237bde4f2cac4cfcf0ca2b84796fe9d0c6e9 \
    --hash=sha256:2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25 \
    --hash=sha256:3eeeb51a267a2144640fcd8f38d4a2f63439b39bc47445fd84727c3fc462c843 \
    --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe \
    --hash=sha256:56ec37616c00220032fc7b8c9d0ef51367fd0d70d9cd6ddd841660f949f84fed \
    --hash=sha256:66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63 \
    --hash=sha256:6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b \
    --hash=sha256:6b0c7b9f47a5d011939d61e324d3fe18a8bc155d8dd53add738709a92f290a7c \
    --hash=sha256:6d5114bba238adddacb32fb11904f2b3ff4e988f8e9ff0d8d3b5e9822cf836b8 \
    --hash=sha256:7ec1e1dd9b6cb335c301afdf877989df384227313981850755a59561f75e4ab8 \
    --hash=sha256:a2ee66fe8b6608e1482ab1bde5799da04705c1cb40324c7f66054ecf46ae6e40 \
    --hash=sha256:a6e845f387e4ed55bb59342957a9179e24a631fcc7668bda3426ae1cef8ed4b9 \
    --hash=sha256:c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5 \
    --hash=sha256:c5dbdb7c8737cd183a9dce95b39cfd1f3d54ec2a27a1bb58f160293f9ba2c805 \
    --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \
    --hash=sha256:db5c8df7145c21ffea9c0f74e38823bac3af60cbadf0e26b8633f08627b17bab \
    --hash=sha256:dd6f4f93ddf8a668c73f0945f3638444b2140a4e15a3912067493fc6335543e4 \
    --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375 \
    --hash=sha256:eeb92051c2123b9730c46b04cc843cfa4bc7d7b0aec56df431a2215ef4cb0273
END_OF_FILE

cat >"$code/wheels/pip_command.py" <<'END_OF_FILE' || room
"""How pip is started to fetch wheels, and what the user set for it.

Synopsis:
    pip = Pip(lambda: ["python", "-m", "pip"], "3.11")
    run([*pip.start(), "download", *pip.options, ...], pip.environment())
"""

import ast
import functools
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

HASHED = ("--require-hashes", "--no-deps")
QUIET = ("--no-input", "-qq", "--disable-pip-version-check")
WHEELS = ("--only-binary", ":all:")
SOURCES = ("--no-binary", ":all:", "--no-build-isolation")
# Settings of pip that say where packages come from.
_WHERE = {
    "INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX", "FIND_LINKS", "TRUSTED_HOST", "CERT", "CLIENT_CERT",
    "PROXY", "TIMEOUT", "RETRIES", "KEYRING_PROVIDER",
}  # fmt: skip


class Refused(Exception):
    """pip or uv did not do it; they have said why on stderr."""


@dataclass(frozen=True)
class Pip:
    """How to start pip, and what it fetches, for which Python; ``silent`` is for what may fail."""

    start: Callable[[], Sequence[str]]
    python: str
    source: bool = False
    silent: bool = False

    @property
    def options(self) -> list[str]:
        """Those of `pip download`."""
        kind = SOURCES if self.source else (*WHEELS, "--python-version", self.python)
        return [*HASHED, *QUIET, *kind]

    def environment(self) -> dict[str, str]:
        """This process's, with what the user set for `pip install` in words that it hears too."""
        return {**os.environ, **_pip_config(tuple(self.start()), frozenset(os.environ.items()))}


def run(command: Sequence[str], environment: Mapping[str, str], *, silent: bool = False) -> None:
    """Run pip or uv.

    Raises:
        Refused: it ended with another status than 0.
    """
    null = subprocess.DEVNULL
    stderr = null if silent else None
    done = subprocess.run(command, env=environment, stdin=null, stderr=stderr, check=False)
    if done.returncode:
        raise Refused(command[0])


@functools.cache
def _pip_config(pip: tuple[str, ...], environment: frozenset[tuple[str, str]]) -> dict[str, str]:
    """What the user set for `pip install` alone, in the words that `pip download` hears."""
    settings = subprocess.run(
        [*pip, "config", "list"], env=dict(environment), capture_output=True, text=True, check=False
    )
    variables: dict[str, str] = {}
    for line in settings.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.removeprefix("install.").upper().replace("-", "_")
        if key.startswith("install.") and name in _WHERE and f"PIP_{name}" not in dict(environment):
            variables[f"PIP_{name}"] = str(ast.literal_eval(value))
    return variables
END_OF_FILE

cat >"$code/wheels/store.py" <<'END_OF_FILE' || room
"""Where wheels are kept: fetched once by pip, below their sha256, for all clones of one user.

Synopsis:
    store = usable_store(otherwise)
    files = store.fetched(text, Pip(start, "3.11"), "wheels of keras")

pip fetches, so what the user set for it (indexes, credentials, proxy, certificates) keeps its
meaning. Every file is hashed each time it is used.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cache
import locks
from display import progress

from wheels.pip_command import Pip, Refused, run

_LINES = re.compile(r"^\w", re.MULTILINE)  # each begins one requirement
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


@dataclass(frozen=True)
class Store:
    """A folder of wheels below their sha256, with a list for each text of requirements."""

    folder: Path

    def fetched(self, requirements: str, pip: Pip, what: str, *, hashed: bool = True) -> list[Path]:
        """Return the files of pinned requirements; pip fetches what is missing or damaged.

        Whoever hashes them on its own, as uv does, need not have them ``hashed`` here.

        Raises:
            Refused: pip did not fetch them.
            OSError: the folder cannot be written.
        """
        if not _LINES.search(requirements):
            return []
        # A home may be that of machines of several kinds, for which pip chooses other files.
        machine = [sys.platform, platform.machine(), platform.libc_ver()]
        tag = [pip.python, pip.source, *machine, requirements]
        index = self.folder / f"{hashlib.sha256(repr(tag).encode()).hexdigest()}.json"
        with locks.held(index.with_suffix(".lock")):
            files = self._indexed(index, requirements, hashed=hashed)
            if files is None:
                name = f".partial-{index.stem}-"
                for leftover in self.folder.glob(f"{name}*"):  # by who was killed
                    shutil.rmtree(leftover, ignore_errors=True)
                with tempfile.TemporaryDirectory(prefix=name, dir=self.folder) as scratch:
                    files = self._fetch(requirements, pip, what, Path(scratch))
                names = {file.parent.name: file.name for file in files}
                _write(index, json.dumps(names, indent=1))
            return files

    def find(self, digest: str) -> Path | None:
        """Return the file with that sha256, or None if it is not there."""
        return next((f for f in (self.folder / digest).glob("[!.]*") if f.is_file()), None)

    def _indexed(self, index: Path, requirements: str, *, hashed: bool) -> list[Path] | None:
        """The files of an earlier time; one that is damaged goes away, to be fetched again."""
        try:
            names: dict[str, str] = json.loads(index.read_text("utf-8"))
            if not names.keys() <= set(_HASH.findall(requirements)):
                return None
            files = [self.folder / digest / Path(name).name for digest, name in names.items()]
        except (OSError, ValueError, AttributeError, TypeError):
            return None
        whole = not self._damaged(files) if hashed else all(file.is_file() for file in files)
        return files if files and whole else None

    def _damaged(self, files: Iterable[Path]) -> list[Path]:
        """Remove what has not the digest that its folder is called by, and return it."""
        candidates = list(files)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            digests = pool.map(_digest, candidates)
        pairs = zip(candidates, digests, strict=True)
        damaged = [file for file, digest in pairs if digest != file.parent.name]
        for file in damaged:
            file.unlink(missing_ok=True)
        return damaged

    def _fetch(self, requirements: str, pip: Pip, what: str, scratch: Path) -> list[Path]:
        known = sorted(set(_HASH.findall(requirements)))
        self._damaged(file for digest in known if (file := self.find(digest)))
        stored = [folder for digest in known if (folder := self.folder / digest).is_dir()]
        folder, listed = scratch / "files", scratch / "wanted.txt"
        folder.mkdir()
        listed.write_text(requirements, encoding="utf-8")
        command = [*pip.start(), "download", *pip.options]
        command += [part for place in stored for part in ("--find-links", place.as_uri())]
        command += ["--dest", str(folder), "--requirement", str(listed)]
        total = len(_LINES.findall(requirements))
        with progress.followed(scratch, what, total, "**/*.whl"):
            # Large ones at once on the disk where they stay.
            run(command, {**pip.environment(), "TMPDIR": str(scratch)}, silent=pip.silent)
        return [self._keep(file) for file in sorted(folder.iterdir())]

    def _keep(self, file: Path) -> Path:
        place = self.folder / _digest(file) / file.name
        place.parent.mkdir(exist_ok=True)
        return file.replace(place)


def usable_store(otherwise: Path) -> Store:
    """Return the store in the user's cache, or another one where none can be written there."""
    if base := cache.folder():
        folder = base.absolute() / "wheels"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return Store(folder)
    return Store(otherwise)


def uv_wheel(store: Store, requirements: str, pip: Pip) -> Path | None:
    """Return the wheel of uv, or None where it cannot be had."""
    try:
        (wheel,) = store.fetched(requirements, replace(pip, silent=True), "fetching uv")
    except Refused:
        return None
    return wheel


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".partial-{os.getpid()}-{path.name}")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return "none"
END_OF_FILE

cat >"$code/wheels/install.py" <<'END_OF_FILE' || room
"""Installs wheels that lie in a folder: by uv, or by pip where uv cannot be had.

Synopsis:
    with unpacked_uv(wheel, folder) as uv, emptied(folder / "work") as scratch:
        unpack(files, text, "3.11", scratch, uv)                     # or all of it ahead
        install(files, text, Target(python, scratch), uv, "wheels of keras")

uv unpacks on all processors, and hashes each wheel against its requirement once more. Its own cache
would be trusted without a look, and its links into that would tie environments together: a file
that changes through one of them would change in all. So it gets an empty cache, which goes away.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from display import progress

from wheels.pip_command import HASHED, QUIET, WHEELS, run


@contextmanager
def unpacked_uv(wheel: Path | None, folder: Path) -> Generator[str | None]:
    """Give the path of uv while it is needed; None where it cannot be had or does not run."""
    if wheel is None:
        yield None
        return
    # Programs may run in this folder, as they often may not in /tmp.
    with emptied(folder / ".uv") as place, zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".data/scripts/uv"))
        uv = Path(archive.extract(name, place))
        uv.chmod(0o755)
        yield str(uv) if _runs(uv) else None


@dataclass(frozen=True)
class Target:
    """Where packages go, a folder on that disk to work in, which goes away, and their kind."""

    python: Path
    scratch: Path
    kind: tuple[str, ...] = WHEELS


def install(
    files: Sequence[Path], requirements: str, target: Target, uv: str | None, what: str
) -> None:
    """Install packages, and nothing else, by uv, or by pip where there is no uv.

    Raises:
        Refused: a wheel is missing or is another one, or it cannot be written.
    """
    python, scratch = target.python, target.scratch
    options = [*_options(files, requirements, scratch), *target.kind]
    site = next(python.parent.parent.glob("lib/python3*/site-packages"))
    with progress.followed(site, what, len(files), "*.dist-info"):
        if uv:
            command = [*_by_uv(uv, scratch), "--break-system-packages", "--python", str(python)]
            run([*command, *options], _without("UV_", scratch))
        else:
            pip = [str(python), "-IB", "-m", "pip", "install", "--no-user", "--no-compile"]
            quiet = ["--no-warn-script-location", "--root-user-action", "ignore"]
            run([*pip, *quiet, *QUIET, *options], _without("PIP_", scratch))


def unpack(files: Sequence[Path], requirements: str, python: str, scratch: Path, uv: str) -> None:
    """Let uv unpack wheels for a version of Python, for a later `install` from the same folder.

    Raises:
        Refused: a wheel is missing or is another one, or it cannot be written.
    """
    target = str(scratch / "target")  # goes away with the folder, which takes a while
    version = ["--target", target, "--python", sys.executable, "--python-version", python]
    options = [*_options(files, requirements, scratch), *WHEELS]
    command = [*_by_uv(uv, scratch), *version, *options]
    run(command, _without("UV_", scratch), silent=True)


def _options(files: Sequence[Path], requirements: str, scratch: Path) -> list[str]:
    """What uv and pip are told alike: these files, and no other."""
    links, listed = scratch / "wheels", scratch / "wanted.txt"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir()
    for file in files:
        (links / file.name).symlink_to(file.absolute())
    listed.write_text(requirements, encoding="utf-8")
    options = ["--no-index", "--find-links", str(links), "--requirement", str(listed)]
    return [*options, *HASHED, "--quiet"]


def _by_uv(uv: str, scratch: Path) -> list[str]:
    # Hard links to a cache that goes away: each file is written once.
    cache = ["--cache-dir", str(scratch / "cache"), "--link-mode", "hardlink"]
    return [uv, "pip", "install", "--no-config", *cache]


@contextmanager
def emptied(folder: Path) -> Generator[Path]:
    """Give an empty folder, which goes away; who was killed may have left it full."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(uv: Path) -> bool:
    try:
        done = subprocess.run([str(uv), "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _without(prefix: str, scratch: Path) -> dict[str, str]:
    """The environment without a program's own settings; what it leaves in TMPDIR goes away."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
    return {**variables, "TMPDIR": str(scratch)}
END_OF_FILE

cat >"$code/wheels/ahead.py" <<'END_OF_FILE' || room
"""What is got ready ahead for one ./run while its tools are made: unpacked wheels, and packages.

Synopsis:
    ahead.begin(folder)                                   # in ./run, which holds it until it ends
    with ahead.filling(ahead.WHEELS, text) as place: ...  # in a process beside it
    with ahead.scratch(ahead.WHEELS, text, otherwise, name) as folder: ...  # who needs it
    ahead.drop()                                          # in ./run again

Of wheels it is uv's cache, which uv trusts without a look. So nobody but this user may enter it, no
later ./run uses it, and what comes from it is compared with the wheels themselves
(`post_deploy.against_lock`).
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import locks

from wheels.install import emptied

VARIABLE = "REPRO_AHEAD"  # names the folder of this ./run
_HELD, _FILLING = "held.lock", "filling.lock"  # by the ./run, by who fills it
_WANTED, _READY = "wanted.txt", "ready"
_WORK = "work"
WHEELS, DEBIAN = "wheels", "debian"
"""What there is to get ready; a name is also that of its folder."""


def begin(within: Path) -> None:
    """Make an empty folder, which this process holds until it ends, whatever it becomes.

    Raises:
        OSError: nothing can be written or locked there.
    """
    within.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".", dir=within))
    handle = os.open(new / _HELD, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.set_inheritable(handle, True)
    # Under its own name only now: else another ./run would take it for left.
    os.environ[VARIABLE] = str(new.rename(new.with_name(new.name.removeprefix("."))))


@contextmanager
def filling(kind: str, wanted: str) -> Generator[Path]:
    """Give the folder in which to get something ready; whoever needs it waits until the end.

    ``wanted`` is what it is made from, as text.

    Raises:
        OSError: it is not there, or cannot be written.
    """
    place = Path(os.environ[VARIABLE], kind)
    with locks.held(place / _FILLING):
        (place / _WANTED).write_text(wanted, encoding="utf-8")
        work = place / _WORK
        work.mkdir()
        try:
            yield work
            (place / _READY).touch()
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)  # as of a disk that filled up
            raise


@contextmanager
def scratch(kind: str, wanted: str, otherwise: Path, what: str) -> Generator[Path]:
    """Give a folder to work in, which goes away: with what was got ready, or an empty one.

    Raises:
        OSError: it cannot be written.
    """
    with ExitStack() as stack:
        own = _own()
        place = own / kind if own else None
        if place and _text(place / _WANTED) == wanted:
            stack.enter_context(locks.held(place / _FILLING, what=what))
            work = place / _WORK
            stack.callback(shutil.rmtree, work, ignore_errors=True)
            if (place / _READY).exists() and _on_one_disk(work, otherwise.parent):
                (place / _READY).unlink()
                yield work
                return
            shutil.rmtree(work, ignore_errors=True)  # there may be no room for two
        yield stack.enter_context(emptied(otherwise))


def drop() -> None:
    """Remove this process's folder, of which nothing is needed any more."""
    if place := os.environ.pop(VARIABLE, None):
        shutil.rmtree(place, ignore_errors=True)


def left(within: Path) -> Iterator[Path]:
    """Give the folders whose ./run has ended, one after the other, held meanwhile."""
    for place in sorted(within.glob("[!.]*")):
        with suppress(OSError), locks.held(place / _HELD, locks.ALONE | locks.AT_ONCE):
            yield place


def _own() -> Path | None:
    """The folder of this ./run, if it is one that nobody else can enter."""
    place = Path(os.environ.get(VARIABLE, os.devnull))
    with suppress(OSError):
        status = place.lstat()
        private = (status.st_uid, stat.S_IMODE(status.st_mode)) == (os.getuid(), stat.S_IRWXU)
        return place if private and place.is_dir() else None
    return None


def _text(file: Path) -> str | None:
    with suppress(OSError):
        return file.read_text("utf-8")
    return None


def _on_one_disk(*folders: Path) -> bool:
    return len({folder.stat().st_dev for folder in folders}) == 1
END_OF_FILE

cat >"$code/post_deploy/beside.py" <<'END_OF_FILE' || room
"""What lies beside the folder of an environment, and is called after it.

Synopsis:
    beside.path(Path("envs/a_"), beside.FLAG)      -> envs/a_.env_setup_done

Whoever uses, makes or removes an environment holds its lock, which the jobs of the workflow know
too.
"""

from pathlib import Path

from repro.record.environment_lock import lock_of

FLAG = ".env_setup_done"  # Snakemake's: it is finished
PINS = ".pin.txt"
OF_SNAKEMAKE = (FLAG, PINS, ".post-deploy.sh", ".yaml")  # the flag comes first
PARTIAL = ".partial"  # while its conda packages are installed
WHEELS = ".wheels"  # while its wheels are

__all__ = ["FLAG", "OF_SNAKEMAKE", "PARTIAL", "PINS", "WHEELS", "lock_of", "path"]


def path(prefix: Path, suffix: str) -> Path:
    """Return a file or a folder that belongs to an environment and lies beside it."""
    return prefix.with_name(prefix.name + suffix)
END_OF_FILE

cat >"$code/post_deploy/against_lock.py" <<'END_OF_FILE' || room
"""Compares a new environment with the lock: its conda packages, its wheels, and their files.

Synopsis:
    problems = conda_problems(prefix, packages, survey(prefix))
    problems = wheel_problems(prefix, packages, survey(prefix), contents.of(wheels, site))
"""

import importlib.metadata
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from repro.record.installed import Survey, digest

from post_deploy import contents
from post_deploy.contents import Brought

Package = Mapping[str, str]
Meta = dict[str, Any]


def conda_problems(prefix: Path, packages: Sequence[Package], surveyed: Survey) -> list[str]:
    """Compare the conda packages, their archives and files with the lock's for this platform."""
    locked = {p["name"]: p for p in packages if p["manager"] == "conda"}
    metas = _metas(prefix)
    missing = locked.keys() - {meta["name"] for meta in metas}
    problems = [f"Expected {n} {locked[n]['version']}. Received none." for n in sorted(missing)]
    for meta in metas:
        name = f"{meta['name']} {meta['version']}"
        want = locked.get(meta["name"])
        if want is None:
            problems.append(f"Expected no conda package but the lock's. Received {name} on top.")
            continue
        if (got := _archive_sha256(meta)) != want["sha256"]:
            problems.append(
                f"Expected {name} with sha256 {want['sha256']}, the lock's. Received {got}."
            )
        problems += _file_problems(prefix, name, meta, surveyed)
    return problems


def wheel_problems(
    prefix: Path, packages: Sequence[Package], surveyed: Survey, brought: Mapping[str, Brought]
) -> list[str]:
    """Compare the distributions with the lock, and the files of the wheels with the wheels."""
    places = [str(prefix / path) for path in surveyed if path.endswith("/site-packages/")]
    found = importlib.metadata.distributions(path=places)
    versions = {contents.normal(one.name): one.version for one in found}
    extra = versions.keys() - {p["name"] for p in packages}
    problems = [f"Expected no distribution but the lock's. Received {n}." for n in sorted(extra)]
    for package in (p for p in packages if p["manager"] == "pip"):
        if (got := versions.get(package["name"], "none")) != package["version"]:
            problems.append(f"Expected {package['name']} {package['version']}. Received {got}.")
    for path, (package, want) in brought.items():
        row = surveyed.get(path)
        got = row[0] if row else "no such file"
        if want and got != want:
            problems.append(
                f"Expected {path} as in the wheel of {package}, {want}. Received {got}."
            )
    return problems


def added(
    before: Collection[str], surveyed: Survey, brought: Mapping[str, Brought], ours: Collection[str]
) -> list[str]:
    """Name what was in the environment neither ``before``, nor comes from wheels, nor is ``ours``.

    Of what a wheel has for C compilers, each installer makes a place of its own below include.
    """
    known = {*before, *brought, *ours, ".lock"}  # uv's, where Python is that of a venv
    for path in (*brought, *ours):
        while (path := path.rpartition("/")[0]) and f"{path}/" not in known:
            known.add(f"{path}/")
    new = sorted(path for path in surveyed.keys() - known if not path.startswith("include/"))
    return [f"Expected nothing at {path}. Received what no wheel of the lock has." for path in new]


def owners(prefix: Path, brought: Mapping[str, Brought]) -> dict[str, str]:
    """Return the package that each file belongs to, by the packages' own records."""
    owner_by_path: dict[str, str] = {}
    for meta in _metas(prefix):
        owner_by_path |= {entry["_path"]: meta["name"] for entry in meta["paths_data"]["paths"]}
    return owner_by_path | {path: package for path, (package, _) in brought.items()}


def _metas(prefix: Path) -> list[Meta]:
    """Read what an installer wrote of each package, with each path as it lies in the prefix.

    conda writes those of a `noarch: python` package as packed; libmamba and py-rattler do not.
    """
    metas = [json.loads(file.read_bytes()) for file in sorted(prefix.glob("conda-meta/*.json"))]
    site_packages = _site_packages(metas)
    for meta in metas:
        if meta.get("noarch") == "python":
            for entry in meta["paths_data"]["paths"]:
                top, slash, rest = entry["_path"].partition("/")
                place = {"site-packages": site_packages, "python-scripts": "bin"}.get(top, top)
                entry["_path"] = f"{place}{slash}{rest}"
    return metas


def _site_packages(metas: Sequence[Meta]) -> str:
    """Where the Python among the packages looks for modules, by the rule of all installers."""
    for meta in metas:
        if meta["name"] == "python":
            version = ".".join(meta["version"].split(".")[:2])
            place = meta.get("python_site_packages_path")
            return place or f"lib/python{version}/site-packages"
    return "site-packages"


def _archive_sha256(meta: Meta) -> str:
    """Return the digest of a package's archive; of a local one nobody else has looked at it."""
    url = urlsplit(str(meta["url"]))
    if url.scheme != "file":
        return str(meta.get("sha256"))
    archive = Path(url2pathname(url.path))
    return digest(archive).removeprefix("sha256:") if archive.is_file() else f"no file {archive}"


def _file_problems(prefix: Path, name: str, meta: Meta, surveyed: Survey) -> Iterator[str]:
    unpacked = meta.get("extracted_package_dir")
    mend = f"Remove {unpacked}" if unpacked else "Run `conda clean --all --yes`"
    for entry in meta["paths_data"]["paths"]:
        path, link = prefix / entry["_path"], entry["path_type"] == "softlink"
        # Of a link, the digest as packed is that of what it points to.
        want = (not link and entry.get("sha256_in_prefix")) or entry.get("sha256")
        if unpacked and path.is_symlink() and _within(path, unpacked):
            yield (
                f"Expected {path} in the environment itself. Received a link to {path.readlink()}. "
                "Turn `always_softlink` and `allow_softlinks` off in conda's configuration."
            )
        elif want and not (link and path.is_symlink()):
            actual = "no such file"
            if path.exists():
                row = surveyed.get(entry["_path"])
                actual = row[0] if row and not path.is_symlink() else digest(path.resolve())
            if actual != f"sha256:{want}":
                yield (
                    f"Expected {path} as in {name}, sha256:{want}. Received {actual}: damaged "
                    f"where conda keeps the package unpacked. {mend}, then try again."
                )


def _within(path: Path, folder: str) -> bool:
    return path.resolve().is_relative_to(Path(folder).resolve())
END_OF_FILE

cat >"$code/post_deploy/contents.py" <<'END_OF_FILE' || room
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
END_OF_FILE

cat >"$code/post_deploy/bytecode.py" <<'END_OF_FILE' || room
"""Compiles what a step imports, once and bound to no time, when an environment is made.

Synopsis:
    with bytecode.written(prefix, wheels=True) as paths: ...     # others write meanwhile
"""

import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

HERE = Path(__file__).parent
IMPORTED = HERE / "imported.txt"
# Else a module that was not compiled would be, by whoever imports it outside of a job.
NO_BYTECODE = {"repro_no_bytecode.pth": "import sys; sys.dont_write_bytecode = True\n"}
# compileall, without the search for garbage, of which compiling makes none.
COMPILE = "import compileall, gc, sys; gc.disable(); sys.exit(not compileall.main())"
WORKERS = os.cpu_count() or 1


@contextmanager
def written(prefix: Path, *, wheels: bool) -> Generator[set[str]]:
    """Compile what a step imports, let nothing else ever be compiled, and give the new paths.

    ``wheels`` are all in site-packages; else it is Python's own library, by one process, since
    wheels may still be unpacked.
    """
    library = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name, text in NO_BYTECODE.items():
        (library / "site-packages" / name).write_text(text)
    files = compiled(library, IMPORTED.read_text("utf-8").splitlines())
    files = [f for f in files if f.is_relative_to(library / "site-packages") == wheels]
    paths = [cache_from_source(file) for file in files]
    paths += [str(library / "site-packages" / name) for name in NO_BYTECODE]
    workers = min(WORKERS if wheels else 1, len(files))  # of no file compileall makes all it finds
    running = [_compiler(prefix, f"{wheels}-{n}", files[n::workers]) for n in range(workers)]
    try:
        yield {os.path.relpath(path, prefix) for path in paths}
    finally:
        for process in running:
            process.wait()  # whatever its status: what does not compile cannot be imported


def _compiler(prefix: Path, name: str, files: Sequence[Path]) -> "subprocess.Popen[bytes]":
    names = HERE.parent / f"compiled-{name}.txt"
    names.write_text("\n".join(map(str, files)))
    command = [str(prefix / "bin" / "python"), "-IB", "-c", COMPILE, "-qq", "-f"]
    return subprocess.Popen([*command, "--invalidation-mode", "unchecked-hash", "-i", str(names)])


def compiled(library: Path, imported: Sequence[str]) -> list[Path]:
    """Return the modules to compile: those that imported.txt names, and all that the user added.

    A line is a folder with all below it, ``FOLDER/*`` for its own modules alone, or ``-NAME`` for a
    package of which nothing is imported.
    """
    site, files = library / "site-packages", list[Path]()
    for line in (line for line in imported if line and line[0] not in "-#"):
        folder = library / line.removesuffix("*")
        files += folder.glob("*.py") if line.endswith("*") else folder.rglob("*.py")
    known = {
        line.removeprefix("-").removeprefix("site-packages/").partition("/")[0] for line in imported
    }
    for package in site.iterdir():
        if package.name not in known:
            files += package.rglob("*.py")
    return sorted({file for file in files if not _tests(file)})


def _tests(file: Path) -> bool:
    """Whether a module tests others, which no step imports."""
    return file.name.endswith("_test.py") or file.parent.name == "tests"
END_OF_FILE

cat >"$code/post_deploy/finish.py" <<'END_OF_FILE' || room
"""Finishes a new environment: compares it with the lock, installs the wheels, records every file.

Synopsis:
    python -m post_deploy.finish PREFIX < LOCK

LOCK is JSON: the facts of the record, and under `packages` those of each platform.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import locks
from display import progress
from repro.record.installed import current_platform, record, rows, survey
from wheels import ahead
from wheels.install import Target, install, unpacked_uv
from wheels.pip_command import Pip, Refused
from wheels.store import usable_store, uv_wheel

from post_deploy import against_lock, beside, bytecode, contents
from post_deploy.contents import Brought

HERE = Path(__file__).parents[1]
UV = HERE / "requirements-uv.txt"
STEPS = ("conda packages", "wheels", "bytecode", "files")

COULD_NOT_RUN = 4  # the status with which ./run ends

Package = Mapping[str, str]


class NotMade(Exception):
    """The environment is refused; the text says why, the lines before it what differs."""


def main(argv: Sequence[str], lock: Mapping[str, Any]) -> int:
    """Finish an environment and return 0, or print why it is not as in the lock and return 1."""
    prefix, platform = Path(argv[0]), current_platform()
    try:
        with locks.held(beside.lock_of(prefix)):
            packages: Sequence[Package] = lock["packages"].get(platform, [])
            if not packages:
                raise NotMade(
                    f"Expected one of {', '.join(lock['packages'])}. Received {platform}."
                )
            _finish(prefix, {**lock, "platform": platform, "packages": packages})
    except NotMade as why:
        return _refusal(f"The environment {lock['environment']} was not made. {why}")
    except OSError as error:
        return _refusal(
            f"The environment {lock['environment']} was not made. Expected to read and write "
            f"files. Received from the system: {error}. Make room or give the right to write "
            "there (REPRO_CACHE moves what is kept in your cache), then try again."
        )
    return 0


def requirements(packages: Sequence[Package]) -> str:
    """Return the wheels as pip and uv read them."""
    pinned = (p for p in packages if p["manager"] == "pip")
    return "".join(f"{p['name']}=={p['version']} --hash=sha256:{p['sha256']}\n" for p in pinned)


def _finish(prefix: Path, facts: Mapping[str, Any]) -> None:
    packages, note = facts["packages"], partial(_note, facts["environment"])
    note("conda packages")
    installed = survey(prefix)
    _refuse(
        against_lock.conda_problems(prefix, packages, installed),
        "Expected the conda packages of the lock. Received others (above). Where a package is "
        "named, remove it from the channel's cache or mend the channel; try again.",
    )
    note("wheels")
    with ExitStack() as compiling:
        compiled = compiling.enter_context(bytecode.written(prefix, wheels=False))
        with _installed(prefix, facts["environment"], requirements(packages)) as of_wheels:
            note("bytecode")
            compiled |= compiling.enter_context(bytecode.written(prefix, wheels=True))
        brought = {path: what for path, what in of_wheels.items() if path not in compiled}
        # Not before: where files lose another name, their times change.
        hashed = rows(prefix, brought)
    note("files")
    finished = survey(prefix, installed | hashed)
    problems = against_lock.wheel_problems(prefix, packages, finished, brought)
    _refuse(
        [*problems, *against_lock.added(installed, finished, brought, compiled)],
        "Expected the wheels of the lock, whole. Received others (above). Try again.",
    )
    record(prefix, finished, facts, against_lock.owners(prefix, brought))
    progress.note(f"environment {facts['environment']}", len(STEPS), len(STEPS))


def _note(environment: str, step: str) -> None:
    progress.note(f"environment {environment}", STEPS.index(step), len(STEPS), step)


def _refusal(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    progress.refused(sentence, COULD_NOT_RUN)
    return 1


def _refuse(problems: Sequence[str], otherwise: str) -> None:
    for problem in problems[:5]:
        print(problem, file=sys.stderr)
    if len(problems) > 5:
        print(f"And {len(problems) - 5} more.", file=sys.stderr)
    if problems:
        raise NotMade(otherwise)


@contextmanager
def _installed(prefix: Path, name: str, wanted: str) -> Generator[dict[str, Brought]]:
    """Install the wheels, give what they bring, and remove what that needed."""
    python, scratch = prefix / "bin" / "python", beside.path(prefix, beside.WHEELS)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = Pip(lambda: [str(python), "-IB", "-m", "pip"], version)
    try:
        scratch.mkdir(exist_ok=True)
        store = usable_store(scratch)
        files = store.fetched(wanted, pip, f"fetching wheels of {name}")
        wheel = uv_wheel(store, UV.read_text("utf-8"), pip)
        what, usable = f"wheels of {name}", "" if contents.rewritten(files) else wanted
        # Meanwhile they may still be unpacked.
        brought = contents.of(files, os.path.relpath(sysconfig.get_path("purelib"), sys.prefix))
        with (
            unpacked_uv(wheel, scratch) as uv,
            ahead.scratch(ahead.WHEELS, usable, scratch / "work", f"unpacking {what}") as work,
        ):
            install(files, wanted, Target(python, work), uv, what)
            yield brought
            _check(python, uv)
    except Refused:
        raise NotMade(
            "Expected each wheel of the lock, with its sha256, from the index that pip is "
            "configured with. Received the error above. `pip config list` shows the settings; "
            "mend the index or the network, then try again."
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check(python: Path, uv: str | None) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [str(python), "-IB", "-m", "pip", "check", *quiet]
    by_uv = [uv, "pip", "check", "--no-config", "--no-cache", "--quiet", "--python", str(python)]
    command = [part for part in by_uv if part] if uv else pip
    variables = {**os.environ, "TMPDIR": str(HERE)}  # uv leaves a lock there
    if subprocess.run(command, stdin=subprocess.DEVNULL, env=variables, check=False).returncode:
        raise NotMade(
            "Expected packages that fit together. Received the contradictions above. Correct "
            "environment.yml and run `./run lock`."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], json.load(sys.stdin)))
END_OF_FILE

cat >"$code/post_deploy/imported.txt" <<'END_OF_FILE' || room
# What a step imports, by folder: these are compiled when an environment is made. Made by
# `python -m conda.imported`; do not edit. FOLDER/* is its own modules; of -NAME, nothing.
*
-site-packages/grpc
-site-packages/markdown_it
-site-packages/pip
-site-packages/pygments
-site-packages/setuptools
asyncio
collections
concurrent
ctypes
email
encodings/*
html
http
importlib
json
logging/*
multiprocessing
re
site-packages/*
site-packages/PIL/*
site-packages/_distutils_hack
site-packages/absl
site-packages/astunparse
site-packages/certifi/*
site-packages/charset_normalizer
site-packages/cloudpickle
site-packages/cycler
site-packages/dateutil
site-packages/flatbuffers
site-packages/fontTools/*
site-packages/fontTools/misc/*
site-packages/gast
site-packages/google
site-packages/h5py/*
site-packages/h5py/_hl
site-packages/idna
site-packages/jinja2
site-packages/joblib
site-packages/keras
site-packages/kiwisolver
site-packages/markupsafe
site-packages/matplotlib/*
site-packages/matplotlib/_api
site-packages/matplotlib/axes
site-packages/matplotlib/backends/*
site-packages/matplotlib/projections
site-packages/matplotlib/style
site-packages/matplotlib/tri
site-packages/ml_dtypes
site-packages/mpl_toolkits/mplot3d
site-packages/namex
site-packages/narwhals/*
site-packages/narwhals/_compliant
site-packages/narwhals/stable
site-packages/numpy/*
site-packages/numpy/_core/*
site-packages/numpy/_typing
site-packages/numpy/_utils
site-packages/numpy/char
site-packages/numpy/core/*
site-packages/numpy/ctypeslib
site-packages/numpy/f2py/*
site-packages/numpy/f2py/_backends/*
site-packages/numpy/fft
site-packages/numpy/lib
site-packages/numpy/linalg/*
site-packages/numpy/ma/*
site-packages/numpy/matrixlib/*
site-packages/numpy/polynomial/*
site-packages/numpy/random/*
site-packages/numpy/rec
site-packages/numpy/strings
site-packages/numpy/testing
site-packages/numpy/typing/*
site-packages/opt_einsum
site-packages/optree
site-packages/packaging/*
site-packages/pandas/*
site-packages/pandas/_config
site-packages/pandas/_libs
site-packages/pandas/_testing
site-packages/pandas/api
site-packages/pandas/arrays
site-packages/pandas/compat
site-packages/pandas/core
site-packages/pandas/errors
site-packages/pandas/io
site-packages/pandas/plotting/*
site-packages/pandas/tseries
site-packages/pandas/util
site-packages/pyparsing
site-packages/requests
site-packages/rich
site-packages/scipy/*
site-packages/scipy/_lib/*
site-packages/scipy/_lib/_uarray
site-packages/scipy/_lib/array_api_compat/*
site-packages/scipy/_lib/array_api_compat/common
site-packages/scipy/_lib/array_api_compat/numpy
site-packages/scipy/_lib/array_api_extra
site-packages/scipy/constants
site-packages/scipy/fft
site-packages/scipy/integrate
site-packages/scipy/interpolate
site-packages/scipy/linalg
site-packages/scipy/ndimage
site-packages/scipy/optimize
site-packages/scipy/sparse
site-packages/scipy/spatial
site-packages/scipy/special/*
site-packages/scipy/stats
site-packages/sklearn/*
site-packages/sklearn/__check_build
site-packages/sklearn/callback/*
site-packages/sklearn/externals
site-packages/sklearn/metrics/*
site-packages/sklearn/metrics/_pairwise_distances_reduction
site-packages/sklearn/metrics/_plot/*
site-packages/sklearn/metrics/cluster/*
site-packages/sklearn/model_selection/*
site-packages/sklearn/preprocessing/*
site-packages/sklearn/utils/*
site-packages/sklearn/utils/_repr_html
site-packages/tensorflow
site-packages/termcolor
site-packages/tzdata/*
site-packages/tzdata/zoneinfo/*
site-packages/urllib3
site-packages/wrapt
unittest
urllib
xml
zoneinfo
END_OF_FILE


cat >"$code/lock.json" <<'END_OF_FILE' || room
{"environment": "keras", "channel": "locked", "lock": "sha256:ba4f5c67d9e1ed8c39e8afa14c2e7bae5b239d24b303166a9b2939cb7724f41f", "packages": {
"linux-64": [
{"manager": "conda", "name": "_openmp_mutex", "version": "4.5", "sha256": "1dd3fffd892081df9726d7eb7e0dea6198962ba775bd88842135a4ddb4deb3c9", "build": "20_gnu"},
{"manager": "conda", "name": "bzip2", "version": "1.0.8", "sha256": "1a0d382c515ebf55f8ee1f38c8b81bc95af5c2acc42ad53b66bc5df932032f96", "build": "hda65f42_10"},
{"manager": "conda", "name": "ca-certificates", "version": "2026.7.22", "sha256": "0a0544cf95f64394fe4959286f5c71f5444ad58feb0602e53becb27448d24da6", "build": "hbd8a1cb_0"},
{"manager": "conda", "name": "icu", "version": "78.3", "sha256": "9f07834f0c546ab14d885ce0366285f61f44e326c0edd1fc63b8294e113ae432", "build": "py310h44b86e0_2"},
{"manager": "conda", "name": "ld_impl_linux-64", "version": "2.46.1", "sha256": "27d83f1188cd19bcb7754a078b3fa7f4cfb8527f8eb2fde54dd01fc529d1adec", "build": "default_hbd61a6d_102"},
{"manager": "conda", "name": "libexpat", "version": "2.8.1", "sha256": "16feffd9ddbbe5b718515d38ee376c685ba95491cd901244e24671d20b952a77", "build": "hecca717_1"},
{"manager": "conda", "name": "libffi", "version": "3.5.2", "sha256": "31f19b6a88ce40ebc0d5a992c131f57d919f73c0b92cd1617a5bec83f6e961e6", "build": "h3435931_0"},
{"manager": "conda", "name": "libgcc", "version": "16.1.0", "sha256": "d5cb8475131c31680f8fd30512c418f373064e272e452063276a8fb14c9fa42f", "build": "ha9f2e26_1"},
{"manager": "conda", "name": "libgomp", "version": "16.1.0", "sha256": "62cb599ad0539d99386515326d9d5e8f51f75a60c69c2131b21df76edf35bd89", "build": "he0feb66_1"},
{"manager": "conda", "name": "liblzma", "version": "5.8.3", "sha256": "9787df8c22a59c9a70d3e5a10db9ad663485e75e9ccc3f09bd092cb7b95e0dab", "build": "hb03c661_1"},
{"manager": "conda", "name": "libnsl", "version": "2.0.1", "sha256": "927fe72b054277cde6cb82597d0fcf6baf127dcbce2e0a9d8925a68f1265eef5", "build": "hb9d3cd8_1"},
{"manager": "conda", "name": "libsqlite", "version": "3.53.4", "sha256": "72023efc207fe681e26b65fc9d668062cf0b4f0eacf3431e6eb099b95c1f2efd", "build": "hf4e2dac_0"},
{"manager": "conda", "name": "libstdcxx", "version": "16.1.0", "sha256": "79721dd08aeb0ab9e773f1f9ef41cf4e6c17477e3d72319147619045bce05a09", "build": "h934c35e_1"},
{"manager": "conda", "name": "libuuid", "version": "2.42.2", "sha256": "9b1bdce27a7e31f7d241aeecff67a1f3101d52a2b1e33ccc2cdf2613072bf81f", "build": "h5347b49_0"},
{"manager": "conda", "name": "libxcrypt", "version": "4.4.38", "sha256": "f7e9292dd219a6435bbb1223da9586c3e70d66d169c5a92f08db3f2127df04e9", "build": "h280c20c_0"},
{"manager": "conda", "name": "libzlib", "version": "1.3.2", "sha256": "eb8a0db0aa570124f7d2a93d7c7f596e3390df5e047818d873baad32985fc736", "build": "h25fd6f3_3"},
{"manager": "conda", "name": "ncurses", "version": "6.6", "sha256": "5d46557214ed184381dafe835b7c94a474a1c3b307a08a250b1ea4779b44ffb3", "build": "hdb14827_1"},
{"manager": "conda", "name": "openssl", "version": "3.6.3", "sha256": "012096056b97abf1f68c46b7146bd2cbd68c1be762340b4f5dad4fbbe99177bc", "build": "h35e630c_1"},
{"manager": "conda", "name": "packaging", "version": "26.3", "sha256": "c432626b16768b8dab228bfb706f7060c2d462a21c516d240f68f2f902b5a044", "build": "pyhc364b38_0"},
{"manager": "conda", "name": "pip", "version": "26.2", "sha256": "bbbd59ac670c9d9882270cbd0744b2cc48e901af4b7067a509b2cb8c1552f175", "build": "pyh8b19718_0"},
{"manager": "conda", "name": "python", "version": "3.11.15", "sha256": "e830c8c69605674a997ee280d79c0f05ff5c1ed80ce3743678b2f663f410dfb9", "build": "h7508c33_1_cpython"},
{"manager": "conda", "name": "readline", "version": "8.3", "sha256": "01b3fe073a66e321970d09e04b388708f8cbdca5cdfbfcb7c9eeb470ad10383d", "build": "hd6e31c0_1"},
{"manager": "conda", "name": "setuptools", "version": "84.0.0", "sha256": "9e200ee5f9ff19a4d94e4b51c4856d53dec849f91032f345cf0c6bc3d51a7183", "build": "pyh332efcf_0"},
{"manager": "conda", "name": "tk", "version": "8.6.13", "sha256": "43624eab22f5f29df7d6ffe914cf442f28fd559b55b290906255492826e636e8", "build": "noxft_hd70dff1_3"},
{"manager": "conda", "name": "tzdata", "version": "2026c", "sha256": "b928c30ddcb0e3f544c6eade8352737e6e610e263276b90232db6a578ef899d8", "build": "h151e31d_0"},
{"manager": "conda", "name": "wheel", "version": "0.47.0", "sha256": "9e156ffaefb8463437144326ada4b85d1de17961b9997ac5f1cbbaf747bd8bed", "build": "pyhd8ed1ab_0"},
{"manager": "conda", "name": "zstd", "version": "1.5.7", "sha256": "47d682b9f6d6ec9eb1a6e6c3e75ea6273e899e78fb7fc59f81d39745009fbc60", "build": "hb78ec9c_7"},
{"manager": "pip", "name": "absl-py", "version": "2.5.1", "sha256": "721200f2f0e9960f2ca9dc3a2a706b201f5f75d812c158f059cbbe29eeafbdb8"},
{"manager": "pip", "name": "astunparse", "version": "1.6.3", "sha256": "c2652417f2c8b5bb325c885ae329bdf3f86424075c4fd1a128674bc6fba4b8e8"},
{"manager": "pip", "name": "attrs", "version": "26.1.0", "sha256": "c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309"},
{"manager": "pip", "name": "certifi", "version": "2026.10.19.post1", "sha256": "1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2"},
{"manager": "pip", "name": "charset-normalizer", "version": "3.5.3", "sha256": "2a6f937e0b70133d1f826d0a253331b6fe1a4c874808cc12e16f2fb8177042f4"},
{"manager": "pip", "name": "cloudpickle", "version": "3.1.3", "sha256": "1654f4f18e416447210a63c5c25a135d65a292156aa5fa519dfa4baf7726dddb"},
{"manager": "pip", "name": "contourpy", "version": "1.3.3", "sha256": "51e79c1f7470158e838808d4a996fa9bac72c498e93d8ebe5119bc1e6becb0db"},
{"manager": "pip", "name": "cycler", "version": "0.12.1", "sha256": "85cef7cff222d8644161529808465972e51340599459b8ac3ccbac5a854e0d30"},
{"manager": "pip", "name": "flatbuffers", "version": "25.12.19", "sha256": "7634f50c427838bb021c2d66a3d1168e9d199b0607e6329399f04846d42e20b4"},
{"manager": "pip", "name": "fonttools", "version": "4.68.0", "sha256": "4b9c89b5876f1a74b1341632dfaf4c4c2be565d76c060445df401ebe7a4ceefa"},
{"manager": "pip", "name": "gast", "version": "0.7.0", "sha256": "99cbf1365633a74099f69c59bd650476b96baa5ef196fec88032b00b31ba36f7"},
{"manager": "pip", "name": "google-pasta", "version": "0.2.0", "sha256": "b32482794a366b5366a32c92a9a9201b107821889935a02b3e51f6b432ea84ed"},
{"manager": "pip", "name": "grpcio", "version": "1.85.3", "sha256": "f2948333a1f462c0e559b5ea436655ed36822fa448f5713d6de2d483bed6e03f"},
{"manager": "pip", "name": "h5py", "version": "3.14.0", "sha256": "723a40ee6505bd354bfd26385f2dae7bbfa87655f4e61bab175a49d72ebfc06b"},
{"manager": "pip", "name": "idna", "version": "3.20", "sha256": "ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c"},
{"manager": "pip", "name": "jinja2", "version": "3.1.6", "sha256": "85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67"},
{"manager": "pip", "name": "joblib", "version": "1.6.0", "sha256": "3dbbf9f6e4b592a2357b854608e980fe6390d131d7a82f011a377ef2ebef7aba"},
{"manager": "pip", "name": "jsonschema", "version": "4.26.0", "sha256": "d489f15263b8d200f8387e64b4c3a75f06629559fb73deb8fdfb525f2dab50ce"},
{"manager": "pip", "name": "jsonschema-specifications", "version": "2025.9.1", "sha256": "98802fee3a11ee76ecaca44429fda8a41bff98b00a0f2838151b113f210cc6fe"},
{"manager": "pip", "name": "keras", "version": "3.15.1", "sha256": "836460e480930acbd19bb7a17e62f9ecad40e8a9af9a651fc8d0586a96d27e20"},
{"manager": "pip", "name": "kiwisolver", "version": "1.5.1", "sha256": "95a02752aa032eef4aed01cda6d9b687c669bd0396bf4519eef8bba22a286720"},
{"manager": "pip", "name": "libclang", "version": "18.1.1", "sha256": "c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b"},
{"manager": "pip", "name": "markdown-it-py", "version": "4.3.0", "sha256": "7aa1511a46c39138de78d9eba92ce47e63124d8003fc98b3a351909e04239efa"},
{"manager": "pip", "name": "markupsafe", "version": "3.0.4", "sha256": "6da83a088f8ef93b2d483a8232a4dbf4d69d3d8496b568a03c56becac43e1808"},
{"manager": "pip", "name": "matplotlib", "version": "3.11.2", "sha256": "07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8"},
{"manager": "pip", "name": "mdurl", "version": "0.1.2", "sha256": "84008a41e51615a49fc9966191ff91509e3c40b939176e643fd50a5c2196b8f8"},
{"manager": "pip", "name": "ml-dtypes", "version": "0.6.0", "sha256": "6c8e39b53e90afda8ce52859c93de4dba3e02b76d85dcf091cc469f9184c6dae"},
{"manager": "pip", "name": "namex", "version": "0.1.0", "sha256": "e2012a474502f1e2251267062aae3114611f07df4224b6e06334c57b0f2ce87c"},
{"manager": "pip", "name": "narwhals", "version": "2.29.0", "sha256": "1c69b3dc30240f6e848c5a673cafc86affa44184ecce721e25b7194663ad10dc"},
{"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93"},
{"manager": "pip", "name": "opt-einsum", "version": "3.4.0", "sha256": "69bb92469f86a1565195ece4ac0323943e83477171b91d24c35afe028a90d7cd"},
{"manager": "pip", "name": "optree", "version": "0.20.0", "sha256": "cd49b5a6066ebb027b37afa19f02d77e33067f33b0d5b7602b537e6892789d00"},
{"manager": "pip", "name": "pandas", "version": "3.1.1", "sha256": "4f1602f614bb83f443381dbcbb94c4ac764b2e50c8d6c965614c5cd83e328c47"},
{"manager": "pip", "name": "pillow", "version": "13.0.0", "sha256": "a625df9a2a5597fa5e5266e01aefc82604bb85d291e3547981e863560d75da6c"},
{"manager": "pip", "name": "protobuf", "version": "7.36.2", "sha256": "89f23aa53c24553a2416fd4fd1ec06f74fa42b14b546d8883128813f775bbfd2"},
{"manager": "pip", "name": "pygments", "version": "2.21.0", "sha256": "2363c69b61c4a97c838da3b130dcd6468f4848992b21a82f2a63ec34377137d9"},
{"manager": "pip", "name": "pyparsing", "version": "3.3.3", "sha256": "ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4"},
{"manager": "pip", "name": "python-dateutil", "version": "4.0.0", "sha256": "a5e246f79eb80475e691bf93862cead98decd8a498cf53ba0516fcdc0f50dc1c"},
{"manager": "pip", "name": "pyyaml", "version": "6.0.4", "sha256": "622aa875fa6533f25fedcffe23079357d65a690d462200afed5d8e9d0e01ebee"},
{"manager": "pip", "name": "referencing", "version": "0.37.0", "sha256": "381329a9f99628c9069361716891d34ad94af76e461dcb0335825aecc7692231"},
{"manager": "pip", "name": "requests", "version": "2.34.2", "sha256": "2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0"},
{"manager": "pip", "name": "rich", "version": "15.0.0", "sha256": "33bd4ef74232fb73fe9279a257718407f169c09b78a87ad3d296f548e27de0bb"},
{"manager": "pip", "name": "rpds-py", "version": "2026.9.1", "sha256": "136a1c3fe4402b7008bc81cb62ee538481795b61a7e83df88dff3b3f02b726ff"},
{"manager": "pip", "name": "safetensors", "version": "0.8.0", "sha256": "fd6f3f93c9a0a7cc2788ee63fb763353d4bd2e89b0751bc78fcf7dda00bea774"},
{"manager": "pip", "name": "scikit-learn", "version": "1.9.1", "sha256": "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df"},
{"manager": "pip", "name": "scipy", "version": "1.17.1", "sha256": "43af8d1f3bea642559019edfe64e9b11192a8978efbd1539d7bc2aaa23d92de4"},
{"manager": "pip", "name": "six", "version": "1.17.0", "sha256": "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"},
{"manager": "pip", "name": "tensorflow", "version": "2.21.0", "sha256": "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124"},
{"manager": "pip", "name": "termcolor", "version": "3.3.0", "sha256": "cf642efadaf0a8ebbbf4bc7a31cec2f9b5f21a9f726f4ccbb08192c9c26f43a5"},
{"manager": "pip", "name": "threadpoolctl", "version": "3.8.0", "sha256": "f1b49c82704d50f13ffae019c727b0fa4f6791a58f48f06a09c45face1be66da"},
{"manager": "pip", "name": "time-machine", "version": "3.6.0", "sha256": "426c7cc6952af830960bda4fb1fc1ef0d735a016dc21b3fbc90fa57888e27953"},
{"manager": "pip", "name": "typing-extensions", "version": "4.16.0", "sha256": "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8"},
{"manager": "pip", "name": "tzdata", "version": "2026.6", "sha256": "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"},
{"manager": "pip", "name": "urllib3", "version": "2.8.0", "sha256": "0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3"},
{"manager": "pip", "name": "wrapt", "version": "2.5.2", "sha256": "0743950d3dda9940e56f81f5334ba051c4fe2e1421e4e4a4ef8eb8fb86a90894"}
],
"linux-aarch64": [
{"manager": "conda", "name": "_openmp_mutex", "version": "4.5", "sha256": "a2527b1d81792a0ccd2c05850960df119c2b6d8f5fdec97f2db7d25dc23b1068", "build": "20_gnu"},
{"manager": "conda", "name": "bzip2", "version": "1.0.8", "sha256": "b3495077889dde6bb370938e7db82be545c73e8589696ad0843a32221520ad4c", "build": "h4777abc_9"},
{"manager": "conda", "name": "ca-certificates", "version": "2026.7.22", "sha256": "0a0544cf95f64394fe4959286f5c71f5444ad58feb0602e53becb27448d24da6", "build": "hbd8a1cb_0"},
{"manager": "conda", "name": "ld_impl_linux-aarch64", "version": "2.46.1", "sha256": "2c4901f4227b0850328ed0c69f958b30ad2cd18982f7a31c7c1f911827004d08", "build": "default_h1979696_102"},
{"manager": "conda", "name": "libexpat", "version": "2.8.1", "sha256": "20a5726bc8705d91437c9e6ef83b30da64a1719b869656d20a1ee818333ea5ac", "build": "hfae3067_1"},
{"manager": "conda", "name": "libffi", "version": "3.5.2", "sha256": "3df4c539449aabc3443bbe8c492c01d401eea894603087fca2917aa4e1c2dea9", "build": "h376a255_0"},
{"manager": "conda", "name": "libgcc", "version": "16.1.0", "sha256": "88a3d400c678df034c9d498f32503779977d5ea826063687c663e42c945abed5", "build": "h205dda4_1"},
{"manager": "conda", "name": "libgcc-ng", "version": "16.1.0", "sha256": "e0456b4b49e8f9f9ffc04b1b412101ea2c38476eaceb9a0e4e16792d7cfdd929", "build": "he9431aa_1"},
{"manager": "conda", "name": "libgomp", "version": "16.1.0", "sha256": "1c609a4a72597350317b92c4d9dfb85d21740219048e2b1d458925a6ccfa3d7a", "build": "h8acb6b2_1"},
{"manager": "conda", "name": "liblzma", "version": "5.8.3", "sha256": "d61962b9cd54c3554361550203c64d5b65b71e3058a285b66e4b04b9769f0a5c", "build": "he30d5cf_0"},
{"manager": "conda", "name": "libnsl", "version": "2.0.1", "sha256": "c0dc4d84198e3eef1f37321299e48e2754ca83fd12e6284754e3cb231357c3a5", "build": "h86ecc28_1"},
{"manager": "conda", "name": "libsqlite", "version": "3.53.4", "sha256": "da46b52f6815e9771f4e21e3332c423c88644e91ac96b0534e85158adc88a8b4", "build": "h022381a_0"},
{"manager": "conda", "name": "libuuid", "version": "2.42.2", "sha256": "7663489f97c104ae3814db10f384932c74b439f3c1fd4247e4fe3599830c090a", "build": "h1022ec0_0"},
{"manager": "conda", "name": "libxcrypt", "version": "4.4.36", "sha256": "6b46c397644091b8a26a3048636d10b989b1bf266d4be5e9474bf763f828f41f", "build": "h31becfc_1"},
{"manager": "conda", "name": "libzlib", "version": "1.3.2", "sha256": "76efa6cc9d7e6f5ee3bbca0939f64054af2bdfb3c3632531f8e633cf6c2ea41e", "build": "hdc9db2a_3"},
{"manager": "conda", "name": "ncurses", "version": "6.6", "sha256": "369db85c5cd8d99dde364ce70725d76511d9c8199e5b820c740414091bf5bcca", "build": "hf8d1292_0"},
{"manager": "conda", "name": "openssl", "version": "3.6.3", "sha256": "da4a5df42614166b69c2f6d8602fc1425f7aaa699f77c3bafb5c7fe69b3d9fb7", "build": "h546c87b_0"},
{"manager": "conda", "name": "packaging", "version": "26.3", "sha256": "c432626b16768b8dab228bfb706f7060c2d462a21c516d240f68f2f902b5a044", "build": "pyhc364b38_0"},
{"manager": "conda", "name": "pip", "version": "26.2", "sha256": "bbbd59ac670c9d9882270cbd0744b2cc48e901af4b7067a509b2cb8c1552f175", "build": "pyh8b19718_0"},
{"manager": "conda", "name": "python", "version": "3.11.15", "sha256": "da3aa4c63af904d38c2e0b6ceecfa539d60c2653ac3cff7cae79d87298dc4fb0", "build": "h91f4b29_0_cpython"},
{"manager": "conda", "name": "readline", "version": "8.3", "sha256": "fe695f9d215e9a2e3dd0ca7f56435ab4df24f5504b83865e3d295df36e88d216", "build": "hb682ff5_0"},
{"manager": "conda", "name": "setuptools", "version": "84.0.0", "sha256": "9e200ee5f9ff19a4d94e4b51c4856d53dec849f91032f345cf0c6bc3d51a7183", "build": "pyh332efcf_0"},
{"manager": "conda", "name": "tk", "version": "8.6.13", "sha256": "cd51fbda051a9f3679d10ef4a94cd1ff38c10533b82845dadce8ba87245ba4ce", "build": "noxft_h5cf4473_3"},
{"manager": "conda", "name": "tzdata", "version": "2026c", "sha256": "b928c30ddcb0e3f544c6eade8352737e6e610e263276b90232db6a578ef899d8", "build": "h151e31d_0"},
{"manager": "conda", "name": "wheel", "version": "0.47.0", "sha256": "9e156ffaefb8463437144326ada4b85d1de17961b9997ac5f1cbbaf747bd8bed", "build": "pyhd8ed1ab_0"},
{"manager": "conda", "name": "zstd", "version": "1.5.7", "sha256": "569990cf12e46f9df540275146da567d9c618c1e9c7a0bc9d9cfefadaed20b75", "build": "h85ac4a6_6"},
{"manager": "pip", "name": "absl-py", "version": "2.5.1", "sha256": "721200f2f0e9960f2ca9dc3a2a706b201f5f75d812c158f059cbbe29eeafbdb8"},
{"manager": "pip", "name": "astunparse", "version": "1.6.3", "sha256": "c2652417f2c8b5bb325c885ae329bdf3f86424075c4fd1a128674bc6fba4b8e8"},
{"manager": "pip", "name": "attrs", "version": "26.1.0", "sha256": "c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309"},
{"manager": "pip", "name": "certifi", "version": "2026.10.19.post1", "sha256": "1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2"},
{"manager": "pip", "name": "charset-normalizer", "version": "3.5.3", "sha256": "90b1ff6cb9c7a204a3b79b1b0ed6ac8a1d8fed3b6dc69e50ae5de0f358ee81d4"},
{"manager": "pip", "name": "cloudpickle", "version": "3.1.3", "sha256": "1654f4f18e416447210a63c5c25a135d65a292156aa5fa519dfa4baf7726dddb"},
{"manager": "pip", "name": "contourpy", "version": "1.3.3", "sha256": "929ddf8c4c7f348e4c0a5a3a714b5c8542ffaa8c22954862a46ca1813b667ee7"},
{"manager": "pip", "name": "cycler", "version": "0.12.1", "sha256": "85cef7cff222d8644161529808465972e51340599459b8ac3ccbac5a854e0d30"},
{"manager": "pip", "name": "flatbuffers", "version": "25.12.19", "sha256": "7634f50c427838bb021c2d66a3d1168e9d199b0607e6329399f04846d42e20b4"},
{"manager": "pip", "name": "fonttools", "version": "4.68.0", "sha256": "53f2387d7e3816763f30e08d14263be18e28ead53d4dc20a82f9280d0c99d88a"},
{"manager": "pip", "name": "gast", "version": "0.7.0", "sha256": "99cbf1365633a74099f69c59bd650476b96baa5ef196fec88032b00b31ba36f7"},
{"manager": "pip", "name": "google-pasta", "version": "0.2.0", "sha256": "b32482794a366b5366a32c92a9a9201b107821889935a02b3e51f6b432ea84ed"},
{"manager": "pip", "name": "grpcio", "version": "1.85.3", "sha256": "885f8c19eb4f472dc9b91bec03ea8b2b135027b4d94c4386501069a7b6e08efa"},
{"manager": "pip", "name": "h5py", "version": "3.14.0", "sha256": "8c497600c0496548810047257e36360ff551df8b59156d3a4181072eed47d8ad"},
{"manager": "pip", "name": "idna", "version": "3.20", "sha256": "ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c"},
{"manager": "pip", "name": "jinja2", "version": "3.1.6", "sha256": "85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67"},
{"manager": "pip", "name": "joblib", "version": "1.6.0", "sha256": "3dbbf9f6e4b592a2357b854608e980fe6390d131d7a82f011a377ef2ebef7aba"},
{"manager": "pip", "name": "jsonschema", "version": "4.26.0", "sha256": "d489f15263b8d200f8387e64b4c3a75f06629559fb73deb8fdfb525f2dab50ce"},
{"manager": "pip", "name": "jsonschema-specifications", "version": "2025.9.1", "sha256": "98802fee3a11ee76ecaca44429fda8a41bff98b00a0f2838151b113f210cc6fe"},
{"manager": "pip", "name": "keras", "version": "3.15.1", "sha256": "836460e480930acbd19bb7a17e62f9ecad40e8a9af9a651fc8d0586a96d27e20"},
{"manager": "pip", "name": "kiwisolver", "version": "1.5.1", "sha256": "719a35fa1156db3640555f95ebb94f60a444e64d1c69626b0edef5df78eba225"},
{"manager": "pip", "name": "libclang", "version": "18.1.1", "sha256": "54dda940a4a0491a9d1532bf071ea3ef26e6dbaf03b5000ed94dd7174e8f9592"},
{"manager": "pip", "name": "markdown-it-py", "version": "4.3.0", "sha256": "7aa1511a46c39138de78d9eba92ce47e63124d8003fc98b3a351909e04239efa"},
{"manager": "pip", "name": "markupsafe", "version": "3.0.4", "sha256": "849dd2bb0e5e4ab2b71c7191726a4a8d5aa8a610daa584728cbee0b710ddc4ef"},
{"manager": "pip", "name": "matplotlib", "version": "3.11.2", "sha256": "30ec15d7eefee71de16b7c689b42ba49715a4644650b76a6c7c70d79daf24e91"},
{"manager": "pip", "name": "mdurl", "version": "0.1.2", "sha256": "84008a41e51615a49fc9966191ff91509e3c40b939176e643fd50a5c2196b8f8"},
{"manager": "pip", "name": "ml-dtypes", "version": "0.6.0", "sha256": "7728c0420ec1c338564fc8b01015ff2d58567e70f17fedce5a0a7c0308c0d5b9"},
{"manager": "pip", "name": "namex", "version": "0.1.0", "sha256": "e2012a474502f1e2251267062aae3114611f07df4224b6e06334c57b0f2ce87c"},
{"manager": "pip", "name": "narwhals", "version": "2.29.0", "sha256": "1c69b3dc30240f6e848c5a673cafc86affa44184ecce721e25b7194663ad10dc"},
{"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "0ab0a9c4ffb1a6d95ef519fe4247dba8eb6b18ad93999f76b7f657039acabd47"},
{"manager": "pip", "name": "opt-einsum", "version": "3.4.0", "sha256": "69bb92469f86a1565195ece4ac0323943e83477171b91d24c35afe028a90d7cd"},
{"manager": "pip", "name": "optree", "version": "0.20.0", "sha256": "90e0d2e4c052fa1c2e35720e4b998c972d32bfe52647957f73bb1a9d3d958c78"},
{"manager": "pip", "name": "pandas", "version": "3.1.1", "sha256": "593fb29eb5e51ab77ee37bda7ab2232aa1077088af7b4acbd18ca2f43f6c02f5"},
{"manager": "pip", "name": "pillow", "version": "13.0.0", "sha256": "7c88c10dd432f3b39ccdafc9ed81d0c21b8fd634502574da76d1bfa4fe2c76d0"},
{"manager": "pip", "name": "protobuf", "version": "7.36.2", "sha256": "e11e1f0180583a2af89db6a2ecd9e8dc40aa6d2988ca175bfd0e6d12ea72d74e"},
{"manager": "pip", "name": "pygments", "version": "2.21.0", "sha256": "2363c69b61c4a97c838da3b130dcd6468f4848992b21a82f2a63ec34377137d9"},
{"manager": "pip", "name": "pyparsing", "version": "3.3.3", "sha256": "ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4"},
{"manager": "pip", "name": "python-dateutil", "version": "4.0.0", "sha256": "a5e246f79eb80475e691bf93862cead98decd8a498cf53ba0516fcdc0f50dc1c"},
{"manager": "pip", "name": "pyyaml", "version": "6.0.4", "sha256": "71bb5b87465d88d1dfc577115af6d435bff9b26f2512936f610c26aa55966028"},
{"manager": "pip", "name": "referencing", "version": "0.37.0", "sha256": "381329a9f99628c9069361716891d34ad94af76e461dcb0335825aecc7692231"},
{"manager": "pip", "name": "requests", "version": "2.34.2", "sha256": "2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0"},
{"manager": "pip", "name": "rich", "version": "15.0.0", "sha256": "33bd4ef74232fb73fe9279a257718407f169c09b78a87ad3d296f548e27de0bb"},
{"manager": "pip", "name": "rpds-py", "version": "2026.9.1", "sha256": "e01b3c878c8641913e688edd1b3f08658c6783d29cf6b826bd3c0d1ae7a1ffaa"},
{"manager": "pip", "name": "safetensors", "version": "0.8.0", "sha256": "7a46e5ff292c356d6991e60942ba7f79817682d3a2cef0702136448cb9c4d235"},
{"manager": "pip", "name": "scikit-learn", "version": "1.9.1", "sha256": "4298fcc01b3d8fa9768d36894e99cce0747b3b2dd73bfd80779e393769d0afab"},
{"manager": "pip", "name": "scipy", "version": "1.17.1", "sha256": "744b2bf3640d907b79f3fd7874efe432d1cf171ee721243e350f55234b4cec4c"},
{"manager": "pip", "name": "six", "version": "1.17.0", "sha256": "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"},
{"manager": "pip", "name": "tensorflow", "version": "2.21.0", "sha256": "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c"},
{"manager": "pip", "name": "termcolor", "version": "3.3.0", "sha256": "cf642efadaf0a8ebbbf4bc7a31cec2f9b5f21a9f726f4ccbb08192c9c26f43a5"},
{"manager": "pip", "name": "threadpoolctl", "version": "3.8.0", "sha256": "f1b49c82704d50f13ffae019c727b0fa4f6791a58f48f06a09c45face1be66da"},
{"manager": "pip", "name": "time-machine", "version": "3.6.0", "sha256": "eec3e790bcef4427066112f0be677f6d72c7b3f4385be44f439fdf8f110360e0"},
{"manager": "pip", "name": "typing-extensions", "version": "4.16.0", "sha256": "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8"},
{"manager": "pip", "name": "tzdata", "version": "2026.6", "sha256": "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"},
{"manager": "pip", "name": "urllib3", "version": "2.8.0", "sha256": "0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3"},
{"manager": "pip", "name": "wrapt", "version": "2.5.2", "sha256": "594c6d10b9cfb951a09f7338531a41d31194e7eee9dee206c0a8992421682719"}
],
"osx-arm64": [
{"manager": "conda", "name": "bzip2", "version": "1.0.8", "sha256": "8ec22f0ba25cbfc2e64d70cf29459eccd7ffdf6436f6a6ff15bbfef799f7d4f6", "build": "h4e30115_10"},
{"manager": "conda", "name": "ca-certificates", "version": "2026.7.22", "sha256": "0a0544cf95f64394fe4959286f5c71f5444ad58feb0602e53becb27448d24da6", "build": "hbd8a1cb_0"},
{"manager": "conda", "name": "icu", "version": "78.3", "sha256": "6cdb5dee54c72e56ab189fb3ad33cb28533553d42590e7e831160248f4416a43", "build": "py310h579977c_2"},
{"manager": "conda", "name": "libexpat", "version": "2.8.1", "sha256": "5af74261101e3c777399c6294b2b5d290e508153268eb2e9ff99c4d69834612f", "build": "hf6b4638_1"},
{"manager": "conda", "name": "libffi", "version": "3.5.2", "sha256": "6686a26466a527585e6a75cc2a242bf4a3d97d6d6c86424a441677917f28bec7", "build": "hcf2aa1b_0"},
{"manager": "conda", "name": "liblzma", "version": "5.8.3", "sha256": "23d0630046a3e8b164d8f80f2b74ed2605af2e7050ab9913018056402fae4311", "build": "h8088a28_1"},
{"manager": "conda", "name": "libsqlite", "version": "3.53.4", "sha256": "745662565e103f290e9dc4263bbd88285082f8cf699854fe2d5f1e35a4a0d326", "build": "h1ae2325_0"},
{"manager": "conda", "name": "libzlib", "version": "1.3.2", "sha256": "a18fa5d5bac452401459f966cf0d872224e8080c4ff93c77e168d43ab42ef9d7", "build": "h8088a28_3"},
{"manager": "conda", "name": "ncurses", "version": "6.6", "sha256": "7024a48c8c0d0114ed4ab53c76bf9275d50e91ba7cea367a9aead638d3c29c68", "build": "he64c551_1"},
{"manager": "conda", "name": "openssl", "version": "3.6.3", "sha256": "66be2283b5b37dcda1332b5e74c1782a8cb14fd2e62e0d38017c2d35bf73c119", "build": "hd24854e_1"},
{"manager": "conda", "name": "packaging", "version": "26.3", "sha256": "c432626b16768b8dab228bfb706f7060c2d462a21c516d240f68f2f902b5a044", "build": "pyhc364b38_0"},
{"manager": "conda", "name": "pip", "version": "26.2", "sha256": "bbbd59ac670c9d9882270cbd0744b2cc48e901af4b7067a509b2cb8c1552f175", "build": "pyh8b19718_0"},
{"manager": "conda", "name": "python", "version": "3.11.15", "sha256": "a44be5222fe8d3c072ecd22491d37316724b70be6b8e8dabdc1a25e6d293fba8", "build": "h0c9c016_1_cpython"},
{"manager": "conda", "name": "readline", "version": "8.3", "sha256": "a77010528efb4b548ac2a4484eaf7e1c3907f2aec86123ed9c5212ae44502477", "build": "h46df422_0"},
{"manager": "conda", "name": "setuptools", "version": "84.0.0", "sha256": "9e200ee5f9ff19a4d94e4b51c4856d53dec849f91032f345cf0c6bc3d51a7183", "build": "pyh332efcf_0"},
{"manager": "conda", "name": "tk", "version": "8.6.13", "sha256": "47186bc7ab8d7e8bee86bbd1a917196f8c21cf63f081fc33cd6d1221af087580", "build": "hd3d0363_3"},
{"manager": "conda", "name": "tzdata", "version": "2026c", "sha256": "b928c30ddcb0e3f544c6eade8352737e6e610e263276b90232db6a578ef899d8", "build": "h151e31d_0"},
{"manager": "conda", "name": "wheel", "version": "0.47.0", "sha256": "9e156ffaefb8463437144326ada4b85d1de17961b9997ac5f1cbbaf747bd8bed", "build": "pyhd8ed1ab_0"},
{"manager": "pip", "name": "absl-py", "version": "2.5.1", "sha256": "721200f2f0e9960f2ca9dc3a2a706b201f5f75d812c158f059cbbe29eeafbdb8"},
{"manager": "pip", "name": "astunparse", "version": "1.6.3", "sha256": "c2652417f2c8b5bb325c885ae329bdf3f86424075c4fd1a128674bc6fba4b8e8"},
{"manager": "pip", "name": "attrs", "version": "26.1.0", "sha256": "c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309"},
{"manager": "pip", "name": "certifi", "version": "2026.10.19.post1", "sha256": "1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2"},
{"manager": "pip", "name": "charset-normalizer", "version": "3.5.3", "sha256": "01b35bec964b92b89bdf94adf931d2e80a15f1c7b93bf850b4430cca23f7a2a2"},
{"manager": "pip", "name": "cloudpickle", "version": "3.1.3", "sha256": "1654f4f18e416447210a63c5c25a135d65a292156aa5fa519dfa4baf7726dddb"},
{"manager": "pip", "name": "contourpy", "version": "1.3.3", "sha256": "23416f38bfd74d5d28ab8429cc4d63fa67d5068bd711a85edb1c3fb0c3e2f381"},
{"manager": "pip", "name": "cycler", "version": "0.12.1", "sha256": "85cef7cff222d8644161529808465972e51340599459b8ac3ccbac5a854e0d30"},
{"manager": "pip", "name": "flatbuffers", "version": "25.12.19", "sha256": "7634f50c427838bb021c2d66a3d1168e9d199b0607e6329399f04846d42e20b4"},
{"manager": "pip", "name": "fonttools", "version": "4.68.0", "sha256": "362443ab355701d6fd26b10d022cd6c8456e1e248f80103c44cbe5ef0228f87f"},
{"manager": "pip", "name": "gast", "version": "0.7.0", "sha256": "99cbf1365633a74099f69c59bd650476b96baa5ef196fec88032b00b31ba36f7"},
{"manager": "pip", "name": "google-pasta", "version": "0.2.0", "sha256": "b32482794a366b5366a32c92a9a9201b107821889935a02b3e51f6b432ea84ed"},
{"manager": "pip", "name": "grpcio", "version": "1.85.3", "sha256": "053622a5e8ad0ab88ac6a381c99bc1931f17e8760ea1938b23140e1c72af2b64"},
{"manager": "pip", "name": "h5py", "version": "3.14.0", "sha256": "543877d7f3d8f8a9828ed5df6a0b78ca3d8846244b9702e99ed0d53610b583a8"},
{"manager": "pip", "name": "idna", "version": "3.20", "sha256": "ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c"},
{"manager": "pip", "name": "jinja2", "version": "3.1.6", "sha256": "85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67"},
{"manager": "pip", "name": "joblib", "version": "1.6.0", "sha256": "3dbbf9f6e4b592a2357b854608e980fe6390d131d7a82f011a377ef2ebef7aba"},
{"manager": "pip", "name": "jsonschema", "version": "4.26.0", "sha256": "d489f15263b8d200f8387e64b4c3a75f06629559fb73deb8fdfb525f2dab50ce"},
{"manager": "pip", "name": "jsonschema-specifications", "version": "2025.9.1", "sha256": "98802fee3a11ee76ecaca44429fda8a41bff98b00a0f2838151b113f210cc6fe"},
{"manager": "pip", "name": "keras", "version": "3.15.1", "sha256": "836460e480930acbd19bb7a17e62f9ecad40e8a9af9a651fc8d0586a96d27e20"},
{"manager": "pip", "name": "kiwisolver", "version": "1.5.1", "sha256": "dc1a26b8e53395a01c2c611e58602fa47461f136fba7cd5542e6db6d64be1839"},
{"manager": "pip", "name": "libclang", "version": "18.1.1", "sha256": "0b2e143f0fac830156feb56f9231ff8338c20aecfe72b4ffe96f19e5a1dbb69a"},
{"manager": "pip", "name": "markdown-it-py", "version": "4.3.0", "sha256": "7aa1511a46c39138de78d9eba92ce47e63124d8003fc98b3a351909e04239efa"},
{"manager": "pip", "name": "markupsafe", "version": "3.0.4", "sha256": "7d3391b2188d18737cb2fa147028b1096236eaa7e156446c650a489fa2cadc91"},
{"manager": "pip", "name": "matplotlib", "version": "3.11.2", "sha256": "c27e577ece613ea12a0790e00b4eb80d901c59a3e16cad474f31d8b1529690b9"},
{"manager": "pip", "name": "mdurl", "version": "0.1.2", "sha256": "84008a41e51615a49fc9966191ff91509e3c40b939176e643fd50a5c2196b8f8"},
{"manager": "pip", "name": "ml-dtypes", "version": "0.6.0", "sha256": "f4f59f83c82ab480e924b988e7b1b4eb4de836dfcf5390c6f59148d1a00e1d02"},
{"manager": "pip", "name": "namex", "version": "0.1.0", "sha256": "e2012a474502f1e2251267062aae3114611f07df4224b6e06334c57b0f2ce87c"},
{"manager": "pip", "name": "narwhals", "version": "2.29.0", "sha256": "1c69b3dc30240f6e848c5a673cafc86affa44184ecce721e25b7194663ad10dc"},
{"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "110f8b71aacb688ec69062bb7f6938a0f8acb01b7c1c4beb453c65b6d234584d"},
{"manager": "pip", "name": "opt-einsum", "version": "3.4.0", "sha256": "69bb92469f86a1565195ece4ac0323943e83477171b91d24c35afe028a90d7cd"},
{"manager": "pip", "name": "optree", "version": "0.20.0", "sha256": "a2e3850d24ec380d5f840b37276c5388107c87fba94a7bb1c5857fe8c7041278"},
{"manager": "pip", "name": "pandas", "version": "3.1.1", "sha256": "78837bfc15a272896def947e9b47a671363f5291c5266105c68c06d6a1b0045e"},
{"manager": "pip", "name": "pillow", "version": "13.0.0", "sha256": "37290fbef0c73e2d51d594eb78fded7dc7170d1c3ad0a890269e6fd8c8c4e061"},
{"manager": "pip", "name": "protobuf", "version": "7.36.2", "sha256": "cbc70b17ee27e28894c7fee8bb04be1abead49e936bc70eb60052531eee2079e"},
{"manager": "pip", "name": "pygments", "version": "2.21.0", "sha256": "2363c69b61c4a97c838da3b130dcd6468f4848992b21a82f2a63ec34377137d9"},
{"manager": "pip", "name": "pyparsing", "version": "3.3.3", "sha256": "ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4"},
{"manager": "pip", "name": "python-dateutil", "version": "4.0.0", "sha256": "a5e246f79eb80475e691bf93862cead98decd8a498cf53ba0516fcdc0f50dc1c"},
{"manager": "pip", "name": "pyyaml", "version": "6.0.4", "sha256": "730788375056c43d3ac15bd894c9cd2fb7a931a38b302f408620c64b3ef176ed"},
{"manager": "pip", "name": "referencing", "version": "0.37.0", "sha256": "381329a9f99628c9069361716891d34ad94af76e461dcb0335825aecc7692231"},
{"manager": "pip", "name": "requests", "version": "2.34.2", "sha256": "2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0"},
{"manager": "pip", "name": "rich", "version": "15.0.0", "sha256": "33bd4ef74232fb73fe9279a257718407f169c09b78a87ad3d296f548e27de0bb"},
{"manager": "pip", "name": "rpds-py", "version": "2026.9.1", "sha256": "3231c4c0e521dafa5be0c9f114ee2c2ad46650836f2d72caa86801950c3e7044"},
{"manager": "pip", "name": "safetensors", "version": "0.8.0", "sha256": "c80201d22cbf405b80647a60ada77bba06c8fba2da2743ba1e89cdcc39a81f25"},
{"manager": "pip", "name": "scikit-learn", "version": "1.9.1", "sha256": "b48b2b5b41d9c5fbafef5f37b042f61110df3318ad2a45baf57287ea5b9ba5a2"},
{"manager": "pip", "name": "scipy", "version": "1.17.1", "sha256": "e18f12c6b0bc5a592ed23d3f7b891f68fd7f8241d69b7883769eb5d5dfb52696"},
{"manager": "pip", "name": "six", "version": "1.17.0", "sha256": "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"},
{"manager": "pip", "name": "tensorflow", "version": "2.21.0", "sha256": "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88"},
{"manager": "pip", "name": "termcolor", "version": "3.3.0", "sha256": "cf642efadaf0a8ebbbf4bc7a31cec2f9b5f21a9f726f4ccbb08192c9c26f43a5"},
{"manager": "pip", "name": "threadpoolctl", "version": "3.8.0", "sha256": "f1b49c82704d50f13ffae019c727b0fa4f6791a58f48f06a09c45face1be66da"},
{"manager": "pip", "name": "time-machine", "version": "3.6.0", "sha256": "56a8352426af637b1bf73f8dd0c218470b09934b62e16d7c8ac2bc96980792c8"},
{"manager": "pip", "name": "typing-extensions", "version": "4.16.0", "sha256": "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8"},
{"manager": "pip", "name": "tzdata", "version": "2026.6", "sha256": "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"},
{"manager": "pip", "name": "urllib3", "version": "2.8.0", "sha256": "0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3"},
{"manager": "pip", "name": "wrapt", "version": "2.5.2", "sha256": "b632d90ac0d04e3ba8821b19954d6c36ea8f714b75db53c58015025fefccb1ac"}
]
}}
END_OF_FILE

PYTHONPATH="$code" "$prefix/bin/python" -Ps -m post_deploy.finish "$prefix" <"$code/lock.json"
