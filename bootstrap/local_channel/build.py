"""Decides where conda packages come from: the locked channel, or a local one built from Debian.

Synopsis:
    channel.ensure(forced, anew=False)      -> 'locked' or 'local'

A channel that the user forces is used; else the one remembered in .tools/channel; else the
locked channel is asked for one of its packages, and where it does not answer the local one is
built, in the user's cache, once for all clones: its packages lie in a folder that is called by
their digests. Its pins, under .tools/local, are never part of the published lock.
"""

import asyncio
import hashlib
import json
import shutil
import sys
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import debian
import install
import package
import progress
import project
import tools
from repro.core.errors import CouldNotRun, UserError
from repro.core.writing import whole_folder
from wheel_store import Refused, usable_store

if TYPE_CHECKING:
    from render import CondaPackage

Word = Literal["locked", "local"]
WORDS: tuple[Word, ...] = ("locked", "local")
REMEMBERED = project.TOOLS / "channel"
LOCAL = project.TOOLS / "local"  # the renders of this clone
CHANNELS = project.CACHE / "channels"
ENVS = project.ROOT / "workflow" / "envs"
WHEELS = project.ROOT / "bootstrap" / "channel-wheels.txt"
ARCHIVED = project.ROOT / "packages" / "conda"  # in a folder that was an archive
PATIENCE = 5.0  # seconds for the locked channel to answer


def ensure(forced: str | None, *, anew: bool) -> Word:
    """Choose the channel, build it if it is the local one, and remember the choice.

    Args:
        forced: what ``--config channel=`` says, if anything; remembered by `setup` alone.
        anew: whether to ask again rather than to follow what is remembered.

    Returns:
        The word that the Snakefile finds in .tools/channel, unless it was forced.

    Raises:
        UserError: no such channel, or this machine can reach none and build none.

    Example:
        >>> ensure("locked", anew=False)
        'locked'
    """
    if forced is not None and forced not in WORDS:
        raise UserError(
            f"Expected `channel` to be locked or local. Received {forced}. Correct `--config`."
        )
    word = forced or (None if anew else remembered()) or _probe()
    if word == "local":
        make_local()
    if anew or forced is None:
        project.write(REMEMBERED, word)
    return "local" if word == "local" else "locked"


def renders(word: Word) -> Path:
    """Return the folder of the environments' files.

    Args:
        word: the channel.

    Example:
        >>> renders("locked").name
        'envs'
    """
    return LOCAL / "envs" if word == "local" else ENVS


def remembered() -> Word | None:
    """Return the choice of an earlier run, or None.

    Example:
        >>> remembered()
        'local'
    """
    text = REMEMBERED.read_text(encoding="utf-8").strip() if REMEMBERED.is_file() else ""
    return next((word for word in WORDS if word == text), None)


def answers(url: str, seconds: float) -> bool:
    """Say whether an address answers in time.

    Args:
        url: of one package.
        seconds: for everything together, the look-up of the name included.

    Example:
        >>> answers("file:///nowhere/a-1-0.conda", 5)
        False
    """
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=seconds):
                answered.set()
        except (OSError, ValueError):
            pass  # whatever the reason, it does not answer

    # A look-up of a name has no time limit of its own: the thread is left behind then.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def make_local() -> None:
    """Build the local channel and its pins, unless they are there and unaltered.

    Raises:
        UserError: this is no Debian 12, or its packages or the wheels cannot be fetched.

    Example:
        >>> make_local()
    """
    with project.locked(project.TOOLS):
        if not _sound():
            _render(_packages())


def _probe() -> Word:
    pins = install.read_pins(ENVS / f"keras.{project.subdir()}.pin.txt")
    where = pins[0].url.rpartition("/")[0].rpartition("/")[0]
    progress.note("conda channel asked", 0, 1, where)
    locked = answers(pins[0].url, PATIENCE)
    progress.note("conda channel asked", 1, 1, where)
    if locked:
        return "locked"
    reason = debian.unsuited()
    if reason:
        raise CouldNotRun(
            f"Expected {where} to answer, or a Debian 12 to build Python from. Received no answer "
            f"within {PATIENCE:g} seconds, and {reason}. Make that channel reachable, then try "
            "again."
        )
    print(
        f"{where} does not answer within {PATIENCE:g} seconds: Debian's python3.11 is used "
        "instead, with the very wheels of the lock (`./run setup` asks again).",
        file=sys.stderr,
        flush=True,
    )
    return "local"


def _packages() -> list[Path]:
    """The channel's packages, from the cache of all clones where it has them or can be written."""
    if found := _known(CHANNELS):
        return found
    place = CHANNELS if project.writable(CHANNELS) else project.TOOLS / CHANNELS.name
    with project.locked(place):  # another clone may have built them meanwhile
        return _known(place) or _build(place)


def _known(place: Path) -> list[Path]:
    """The packages that were made from the same by the same, if they are still what they were."""
    try:
        return _whole(place / (place / f"{_key()}.made").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def _whole(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*/*.conda"))
    return found if _name(found) == folder.name else []


def _build(place: Path) -> list[Path]:
    reason = debian.unsuited()
    if reason:
        raise UserError(
            f"Expected a Debian 12 to build the local channel from. Received {reason}. "
            "Use the locked channel: `--config channel=locked`."
        )
    print(f"Building the local channel in {place} (once; under a minute) ...", file=sys.stderr)
    making, scratch = place / "making", place / "scratch"
    for left in (making, scratch):
        shutil.rmtree(left, ignore_errors=True)
    (making / "noarch").mkdir(parents=True)
    if ARCHIVED.is_dir():
        built = _archived(making)
    else:
        _note(0, "Debian's Python")
        built = [debian.write_python(making, scratch)]
        _note(1, "wheels")
        built += [package.write_wheel(wheel, making) for wheel in _wheels()]
        shutil.rmtree(scratch)
    _note(2, "index")
    asyncio.run(_index(making))
    named = place / _name(built)
    if not _whole(named):  # else somebody may be reading it
        with whole_folder(named) as folder:
            shutil.copytree(making, folder, dirs_exist_ok=True)
    shutil.rmtree(making)
    project.write(place / f"{_key()}.made", named.name)
    _note(3)
    return _whole(named)


def _note(done: int, name: str = "") -> None:
    progress.note("local channel", done, 3, name)


def _name(packages: Sequence[Path]) -> str:
    """A name that only these packages have, whenever and wherever they were made."""
    lines = sorted(f"{file.parent.name}/{file.name} {_digest(file)}" for file in packages)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _render(packages: Sequence[Path]) -> None:
    import render

    with whole_folder(LOCAL) as folder:
        render.render_local([_described(file) for file in packages], folder / "envs")
        made = {f"envs/{file.name}": _digest(file) for file in (folder / "envs").iterdir()}
        made |= {str(file): _digest(file) for file in packages}
        content = {"key": _key(), "channels": str(CHANNELS), "files": made}
        project.write(folder / "made.json", json.dumps(content, indent=1))


def _archived(channel: Path) -> list[Path]:
    """Copy the packages that an archive brought along: the very ones that its results came from."""
    files = sorted(ARCHIVED.glob("*/*.conda"))
    copied = [channel / file.relative_to(ARCHIVED) for file in files]
    for file, copy in zip(files, copied, strict=True):
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
    return copied


def _wheels() -> list[Path]:
    try:
        store = usable_store(tools.KEPT)
        return store.fetched(WHEELS.read_text("utf-8"), tools.pip(), "wheels of the channel")
    except Refused:
        raise CouldNotRun(
            f"Expected the wheels pinned in {WHEELS.relative_to(project.ROOT)} from the package "
            "index that pip is configured with. Received the error above. Make it reachable."
        ) from None


async def _index(channel: Path) -> None:
    from rattler.index.index import index_fs

    await index_fs(channel, write_zst=False, write_shards=False)


def _described(file: Path) -> "CondaPackage":
    from render import CondaPackage

    name, version, build = file.name.removesuffix(".conda").rsplit("-", 2)
    return CondaPackage(name, version, build, file.parent.name, file.as_uri(), _digest(file))


def _key() -> str:
    """Change whenever something changes that the local channel was made from or by."""
    here = project.ROOT / "bootstrap"
    parts = [file for kind in ("py", "in", "txt") for file in here.glob(f"*.{kind}")]
    parts += [project.ROOT / "conda-lock.yml", project.LIBRARY / "repro/record/installed.py"]
    digest = hashlib.sha256(f"{project.subdir()} {debian.release()}".encode())
    for file in [*sorted(parts), *sorted(ARCHIVED.glob("*/*.conda"))]:
        digest.update(_digest(file).encode())
    return digest.hexdigest()


def _sound() -> bool:
    try:
        made = json.loads((LOCAL / "made.json").read_text(encoding="utf-8"))
        files: dict[str, str] = made["files"]
        same = all(_digest(LOCAL / name) == digest for name, digest in files.items())
        return same and (made["key"], made["channels"]) == (_key(), str(CHANNELS))
    except (OSError, ValueError, KeyError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
