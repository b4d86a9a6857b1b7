"""Namespace variations: the factors that change what a step can see of files and of the network.

Synopsis:
    start, how = paths(start)      # its inputs lie at other places
    start, how = caches(start)     # what is not declared lies nowhere
    start, how = network(start)    # nothing answers

Best with namespaces of the kernel; where it refuses them the inputs are shown by links, and
the other two are not varied.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from repro.launch import isolation
from repro.launch.command import NotVaried, StepCommand
from repro.launch.stale_state import HIDING

_REFUSED = "the system gives no namespace ({})"
_RELOCATED = re.compile(r"experiment|(data|pretrained)(:.*)?")

# Nothing is hidden that is, holds or lies in one of the first, or that is or holds one of the
# second: programs and libraries of the system lie there.
_SYSTEM = tuple(map(Path, (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/proc", "/sys",
    "/dev", "/boot", "/nix", "/gnu", "/snap",
)))  # fmt: skip
_HOLDS_SYSTEM = tuple(map(Path, ("/opt", "/var", "/run")))


def paths(start: StepCommand) -> tuple[StepCommand, str]:
    """Shows experiment and data in folders of their own, in which nothing else lies.

    Raises:
        NotVaried: the step has neither.
    """
    moved = {
        item: (name, path, start.folder("inputs", str(number)) / _last(path))
        for number, (item, (name, path)) in enumerate(start.inputs().items())
        if _RELOCATED.fullmatch(name) and path.exists()
    }
    if not moved:
        raise NotVaried("the step reads neither the experiment nor data")

    def show() -> None:
        isolation.enter(isolation.MOUNTS)
        for _, path, place in moved.values():
            # Links that leave the folder lead elsewhere from elsewhere; from a link they do not.
            if next(_led_out(path), None) is None:
                isolation.bind(path, place, read_only=True)
            else:
                _link(path, place)

    refusal = isolation.in_earnest(show)
    if refusal is not None:
        for _, path, place in moved.values():
            _link(path, place)
    items = {item: f"{name}={place}" for item, (name, _, place) in moved.items()}
    arguments = tuple(items.get(argument, argument) for argument in start.arguments)
    how = "experiment and data in new folders, each alone and not to be written to"
    if refusal is not None:
        why = _REFUSED.format(refusal)
        how = f"experiment and data by links in new folders, which code can follow; {why}"
    return replace(start, arguments=arguments), how


def caches(start: StepCommand) -> tuple[StepCommand, str]:
    """Hides what an earlier run may have left outside its outputs.

    Raises:
        NotVaried: the system refuses, or none of the folders may be hidden.
    """
    visible = list(_visible(start))
    real = [path.resolve() for path in visible if path.exists()]
    wanted = _folders(start)
    hidden = [folder for folder in wanted if _may_be_hidden(folder, real)]
    if not hidden:
        raise NotVaried("there is no folder that may be hidden")
    spare = start.folder("hidden")
    if refusal := isolation.in_earnest(lambda: isolation.hide(hidden, visible, spare)):
        raise NotVaried(_REFUSED.format(refusal))
    seen = {folder.name: wanted[p] for p, folder in isolation.spares(hidden, spare).items()}
    shared = isolation.SHARED_MEMORY
    seen |= {str(shared): wanted[shared]} if shared in hidden else {}
    (start.fresh / HIDING).write_text(json.dumps(seen), "utf-8")
    rest = dict.fromkeys(what for folder, what in wanted.items() if folder not in hidden)
    names = dict.fromkeys(what for what in wanted.values() if what not in rest)
    how = f"only declared inputs are there in {', '.join(names)}"
    return start, how + (f"; not hidden: {', '.join(rest)}" if rest else "")


def network(start: StepCommand) -> tuple[StepCommand, str]:
    """Takes the network away.

    Raises:
        NotVaried: the system refuses.
    """
    if refusal := isolation.in_earnest(isolation.without_network):
        raise NotVaried(_REFUSED.format(refusal))
    return start, "none but a loopback of the step's own"


def _last(path: Path) -> str:
    return path.resolve().name if path.name in ("", "..") else path.name


def _link(path: Path, place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        place.rmdir()
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(path)


def _led_out(path: Path) -> Iterator[Path]:
    """Where links lead that leave a folder, and links from there on."""
    root = path.resolve()
    pending, seen = [root], {root}
    while pending:
        folder = pending.pop()
        for entry in os.scandir(folder) if folder.is_dir() else ():
            target = Path(entry.path).resolve() if entry.is_symlink() else Path(entry.path)
            if target in seen or not (entry.is_symlink() or entry.is_dir()):
                continue
            seen.add(target)
            pending.append(target)
            if not target.is_relative_to(root):
                yield target


def _folders(start: StepCommand) -> dict[Path, str]:
    """The folders in which a run may have left something, and what they are."""
    given = replace(start, arguments=start.given).inputs().values()
    raw = [path for name, path in given if _RELOCATED.fullmatch(name)]
    homes = [Path(os.environ["HOME"])] if os.environ.get("HOME") else []
    with suppress(KeyError):  # in many containers a user has no entry
        homes.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    temporary = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))
    places = [
        *((path, "the home folder") for path in homes),
        *((path, "the folders for temporary files") for path in temporary),
        (isolation.SHARED_MEMORY, "shared memory"),
        (start.here, "the project's folder"),
        *((path.resolve().parent, "the folders around experiment and data") for path in raw),
    ]
    return {path.resolve(): what for path, what in reversed(places) if path.is_dir()}


def _may_be_hidden(folder: Path, visible: Iterable[Path]) -> bool:
    if folder == isolation.SHARED_MEMORY:
        return True
    holds = any(other.is_relative_to(folder) for other in (*_SYSTEM, *_HOLDS_SYSTEM))
    lies_in = any(folder.is_relative_to(other) for other in (*_SYSTEM, *visible))
    return not holds and not lies_in


def _visible(start: StepCommand) -> Iterator[Path]:
    """What stays visible: the program, Python, declared inputs, and where the step writes."""
    yield from (start.program, start.fresh, Path(sys.prefix), Path(sys.base_prefix))
    yield from _chain(Path(sys.executable))
    libraries = start.environment.get("LD_LIBRARY_PATH", "").split(":")
    yield from (Path(folder) for folder in libraries if folder.startswith("/"))
    yield from start.outputs()
    for name, path in start.inputs().values():
        yield path
        yield from _led_out(path)
        if name.endswith("manifest"):
            yield from _claimed(path)


def _chain(link: Path) -> Iterator[Path]:
    while link.is_symlink():
        link = link.parent / link.readlink()
        yield link


def _claimed(manifest: Path) -> Iterator[Path]:
    """The files that a manifest answers for: they are checked together with it."""
    try:
        subjects = json.loads(manifest.read_bytes())["subject"]
        names = {str(subject["name"]).split("/")[0] for subject in subjects}
    except (OSError, ValueError, KeyError, TypeError):
        return  # the step says what is wrong with it
    yield from (manifest.parent / name for name in sorted(names))
