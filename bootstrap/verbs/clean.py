"""What ./run clean does: show what all clones keep in the cache, and remove what nobody uses.

Synopsis:
    ./run clean [--all] [--yes]

Nothing of it is lost for good: whatever is missing later is made or fetched again.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import locks
import project
import tools
from display import asking
from environments import channel, making, places
from post_deploy import beside
from repro.record import installed
from wheels import ahead

WHEELS = project.CACHE / "wheels"
SCRIPTS = project.CACHE / "scripts"
_DAY = 86400


@dataclass(frozen=True)
class CacheEntry:
    """Something in the cache: what it is, why it stays, if anything keeps it, and how it goes."""

    what: str
    path: Path
    size: int
    days: float
    why: str
    remove: Callable[[], None]


def main(argv: Sequence[str]) -> int:
    """Show what is there, and remove what may go, if that was allowed."""
    parser = argparse.ArgumentParser(
        prog="./run clean",
        description=f"Show the environments, channels and wheels that all clones keep in "
        f"{project.CACHE}, and remove those that no process uses and this clone does not need.",
    )
    parser.add_argument("--all", action="store_true", help="also what this clone needs")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    options = parser.parse_args(argv)
    entries = [*_environments(everything=options.all), *_wheels(everything=options.all)]
    entries += _channels([entry.path for entry in entries if entry.why], everything=options.all)
    entries += [*_unpacked(), *_of_scripts(everything=options.all)]
    print(f"In {project.CACHE}:")
    for entry in entries:
        state = entry.why or "unused"
        print(f"  {entry.what:<28}{_size(entry.size):>10}{entry.days:6.0f} d  {state}")
    unused = [entry for entry in entries if not entry.why]
    total = sum(entry.size for entry in unused)
    if not unused:
        print("Nothing to remove.")
    elif options.yes or asking.agreed(f"Remove what is unused, {_size(total)}?"):
        print(f"{_remove_unused(unused):,} bytes are free again.")
    else:
        print(f"`--yes` removes what is unused, {_size(total)}.")
    return 0


def _environments(*, everything: bool) -> Iterator[CacheEntry]:
    """All that has the name of an environment, also what is left of half an installation."""
    here = {
        prefix
        for word in channel.WORDS
        for name in [file.stem for file in channel.renders(word).glob("*.yaml")]
        for prefix in places.prefixes([name], channel.renders(word), places.SHARED).values()
    }
    files = [file.name for file in _entries(places.SHARED) if file.suffix != ".lock"]
    for name in sorted({match[0] for f in files if (match := re.match(r"[0-9a-f]{32}_", f))}):
        prefix, paths = places.SHARED / name, sorted(places.SHARED.glob(f"{name}*"))
        why = "needed here" if prefix in here and not everything else ""
        why = "in use" if _in_use(prefix) else why
        yield CacheEntry(_what(prefix), prefix, *_measures(paths), why, partial(_drop, prefix))


def _what(prefix: Path) -> str:
    with suppress(OSError, ValueError, LookupError, TypeError):
        facts = json.loads((prefix / installed.RECORD).read_bytes())
        return f"environment {facts['environment']} ({facts['channel']})"
    return "environment, unfinished"


def _in_use(prefix: Path) -> bool:
    lock = beside.lock_of(prefix)
    if not lock.exists():
        return False
    try:
        with locks.held(lock, locks.ALONE | locks.AT_ONCE):
            return False
    except OSError:
        return True


def _drop(prefix: Path) -> None:
    with locks.held(beside.lock_of(prefix), locks.ALONE | locks.AT_ONCE):
        making.remove(prefix)


def _channels(staying: Sequence[Path], *, everything: bool) -> Iterator[CacheEntry]:
    """The local channels; those that an environment came from stay with it, to be archived."""
    pins = [] if everything else [*channel.renders("local").glob("*.pin.txt")]
    pins += [beside.path(path, beside.PINS) for path in staying]
    named = "\n".join(pin.read_text(encoding="utf-8") for pin in pins if pin.is_file())
    for path in _entries(channel.BUILT):
        if path.is_dir():
            why = "needed here" if f"/{path.name}/" in named else ""
            remove = partial(shutil.rmtree, path)
            yield CacheEntry("local channel", path, *_measures([path]), why, remove)


def _wheels(*, everything: bool) -> Iterator[CacheEntry]:
    """Wheels below their sha256, in two lots: what this clone's locks name, and the rest."""
    here = [project.LOCK, *project.BOOTSTRAP.rglob("*.txt")]
    named = "" if everything else "\n".join(file.read_text(encoding="utf-8") for file in here)
    lots: dict[str, list[Path]] = {"needed here": [], "": []}
    for path in _entries(WHEELS):
        if re.fullmatch(r"[0-9a-f]{64}", path.name):
            lots["needed here" if path.name in named else ""].append(path)
        elif path.name.startswith(".partial-"):  # of one that was killed, or fetches now
            lots[""].append(path)
    for why, paths in lots.items():
        if paths:
            remove = partial(_remove_all, paths)
            yield CacheEntry(f"wheels, {len(paths)}", WHEELS, *_measures(paths), why, remove)


def _unpacked() -> Iterator[CacheEntry]:
    """Wheels that were unpacked ahead for a ./run that was killed."""
    for path in ahead.left(tools.UNPACKED):
        remove = partial(shutil.rmtree, path, ignore_errors=True)
        yield CacheEntry("wheels, unpacked", path, *_measures([path]), "", remove)


def _of_scripts(*, everything: bool) -> Iterator[CacheEntry]:
    """The environments in which `./run scripts` runs users' scripts."""
    for path in _entries(SCRIPTS):
        if path.is_dir():
            why = "" if everything else "for ./run scripts"
            remove = partial(shutil.rmtree, path, ignore_errors=True)
            yield CacheEntry("environment of scripts", path, *_measures([path]), why, remove)


def _remove_all(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)  # another ./run clean may be faster


def _remove_unused(unused: Sequence[CacheEntry]) -> int:
    """Remove what nobody began to use meanwhile, and nothing while somebody installs from it."""
    total = 0
    with ExitStack() as stack:
        if places.SHARED.is_dir():
            lock = places.SHARED / making.MAKING
            why = "Waiting for another ./run that makes environments ..."
            stack.enter_context(making.alone(lock, why))
        if channel.BUILT.is_dir():
            stack.enter_context(locks.folder(channel.BUILT))
        for entry in unused:
            try:
                entry.remove()
                total += entry.size
            except BlockingIOError:
                print(f"{entry.path} is in use by now, and stays.", file=sys.stderr)
    return total


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _measures(paths: Sequence[Path]) -> tuple[int, float]:
    """How many bytes on the disk some files and folders take, and how many days they are old."""
    size, newest = 0, 0.0
    for path in paths:
        below = (Path(at, name) for at, _, names in os.walk(path) for name in names)
        for file in (path, *below):
            with suppress(FileNotFoundError):  # somebody may be installing there
                size += 512 * file.lstat().st_blocks
        newest = max(newest, path.lstat().st_mtime)
    return size, (time.time() - newest) / _DAY


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
