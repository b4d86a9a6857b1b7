"""Overlay: the command sees all files as they are, and what it writes goes to folders of ours.

Synopsis:
    containment = overlay(folders, scratch)        # or the reason, where the system refuses
    place = containment.place("run-1", elsewhere=False)

In a mount namespace of the run's own, an overlay (lower: the real folder, upper: ours) is mounted
over each part of the tree that the command could write to. Root has one over `/` too, and so a new
root; an ordinary user, who could not write there, gets the rights to mount by a user namespace
(user_namespaces(7), Linux 5.11 and later for overlays in one).
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from repro.contain.mounts import Mount, mounted, writable_folders
from repro.contain.outputs import NOT_OUTPUTS, Names, collect, files, gathered
from repro.contain.place import FOLDER, CommandFolders, Outputs, RunPlace, homes_of
from repro.contain.runner import own_processes_refused
from repro.contain.scratch import PREFIX, removed
from repro.launch import isolation

_LAYERS = "layers"
_MOVE = 0x2000
_MOST = 20_000
"""Files whose owners are looked at."""


@dataclass(frozen=True)
class Overlay:
    """Overlays over `points`; with `new_root` also over `/`. `refused`: mounts that take none."""

    folders: CommandFolders
    scratch: Path
    points: tuple[Path, ...]
    mounts: tuple[Mount, ...] = ()
    new_root: bool = False
    refused: Mapping[Path, str] = field(default_factory=dict[Path, str])
    own_processes: bool = False
    kind: str = "overlay"
    catches_home: bool = True

    @property
    def left_out(self) -> list[str]:
        """What is not caught, a sentence each."""
        return [NOT_OUTPUTS] + [
            f"Nothing could be written to {path} ({why})."
            for path, why in self.refused.items()
            if path.is_dir()  # containers have files such as /etc/hosts mounted
        ]

    def place(self, name: str, *, elsewhere: bool) -> RunPlace:
        """A place for one run; `elsewhere`: its folder is seen, and used, at another path too."""
        run = self.scratch / name
        fresh, shared = run / "fresh", run / "shared"
        for folder in (fresh, shared, run / _LAYERS, run / "root"):
            folder.mkdir(parents=True)
        for number, point in enumerate(self.points):
            for layer in ("upper", "work"):
                made = run / _LAYERS / str(number) / layer
                made.mkdir(parents=True)
                made.chmod(stat.S_IMODE(point.stat().st_mode) | stat.S_IRWXU)
        directory = self.folders.folder
        bound: tuple[Path, Path] | None = None
        if elsewhere:
            # Not the folder itself: what is mounted could not be deleted by the command.
            bound = directory.parent, fresh / "around"
            bound[1].mkdir()
            directory = bound[1] / directory.name
        enter = partial(self._enter, run, bound)
        return RunPlace(name, directory, fresh, shared, enter)

    def caught(self, place: RunPlace) -> Outputs:
        """Moves what was written out of the upper layers."""
        run = self.scratch / place.name
        names = Names(self.folders, homes=homes_of(place), skipped=[self.scratch])
        gone: list[tuple[str, str]] = []
        for number, point in enumerate(self.points):
            upper = run / _LAYERS / str(number) / "upper"
            for entry in files(upper):
                path = Path(entry.path)
                where = names.of(point / path.relative_to(upper))
                if where is None:
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                    gone.append(where)
                else:
                    collect(run / "outputs", where, path, move=True)
        return gathered(run / "outputs", gone)

    def _enter(self, run: Path, bound: tuple[Path, Path] | None) -> None:
        isolation.enter(isolation.MOUNTS)
        # By their descriptors: the overlays will hide these folders.
        layers = {
            point: _opened(run / _LAYERS / str(number), point)
            for number, point in enumerate(self.points)
        }
        shared = os.open(run / "shared", os.O_PATH)
        base = run / "root" if self.new_root else Path("/")
        for path in self._ordered():
            target = base / path.relative_to("/")
            if path in layers:
                _overlay(layers[path], target, user=not self.new_root or _in_user_namespace())
            else:
                isolation.bind(path, target, read_only=path in self.refused)
        isolation.bind(shared, base / (run / "shared").relative_to("/"))
        if bound:
            inner = [base / path.relative_to("/") for path in bound]
            isolation.bind(inner[0], inner[1])
        hidden = base / (run / _LAYERS).relative_to("/")
        isolation.mount(
            "tmpfs", str(hidden), isolation.NOSUID | isolation.NODEV, "tmpfs", "size=4k"
        )
        if self.new_root:
            os.chdir(base)
            isolation.mount(".", "/", _MOVE)
            os.chroot(".")
        os.chdir("/")

    def _ordered(self) -> list[Path]:
        """The mounts to make, outer ones first."""
        if not self.new_root:
            return sorted({*self.points, *self.refused})
        kept = {*self.points, *self.refused}
        others = isolation.outermost(m.path for m in self.mounts if m.path not in kept)
        return sorted({*kept, *others})


def overlay(folders: CommandFolders, scratch: Path) -> Overlay | str:
    """Overlays over all that the command could write to; a reason where the system refuses.

    All is tried in processes that are thrown away, first each overlay, then all at once.
    """
    privileged = os.geteuid() == 0
    mounts = mounted()
    if privileged:
        wanted = [mount.path for mount in mounts if mount.stores or mount.path == Path("/")]
    else:
        wanted = writable_folders(folders, mounts, lambda path: os.access(path, os.W_OK | os.X_OK))
    refused = {path: why for path in wanted if (why := _tried(path, scratch, privileged))}
    points = tuple(path for path in wanted if path not in refused)
    for needed in folders.roots():
        around = [path for path in wanted if needed.is_relative_to(path)]
        if around and (why := refused.get(max(around, key=lambda path: len(path.parts)))):
            return why
        if not privileged and not around:
            return "you may not write there"
        if not privileged and _of_others(needed):
            return "files in the folder belong to another user or group"
    made = Overlay(folders, scratch, points, tuple(mounts), privileged, refused)
    if why := _rehearsal(made):
        return why
    return Overlay(
        folders, scratch, points, tuple(mounts), privileged, refused,
        own_processes=own_processes_refused() is None,
    )  # fmt: skip


def takes_layers(place: Path) -> bool:
    """Whether overlays can write to a folder: not to one that is seen through an overlay itself."""
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place) as folder:
            return _tried(place, Path(folder), os.geteuid() == 0) is None
    except OSError:
        return False


def _of_others(folder: Path) -> bool:
    """Whether files belong to somebody who is nobody in a user namespace: they cannot be copied."""
    own = os.geteuid(), os.getegid()
    owners = (entry.stat(follow_symlinks=False) for entry in islice(files(folder), _MOST))
    return any((status.st_uid, status.st_gid) != own for status in (folder.stat(), *owners))


def _rehearsal(made: Overlay) -> str | None:
    place = made.place("rehearsal", elsewhere=True)

    def work() -> None:
        place.enter()
        os.chdir(place.directory)
        (place.directory / f".{FOLDER}").touch()

    why = isolation.rehearsed(work)
    if why is None and (made.folders.folder / f".{FOLDER}").exists():  # pragma: no cover
        raise AssertionError("what was written was not caught")
    removed(made.scratch / "rehearsal")
    return why


def _tried(path: Path, scratch: Path, privileged: bool) -> str | None:
    trial = scratch / "trial"
    for layer in ("upper", "work", "seen"):
        (trial / layer).mkdir(parents=True)

    def work() -> None:
        isolation.enter(isolation.MOUNTS)
        _overlay(_opened(trial, path), trial / "seen", user=not privileged or _in_user_namespace())
        if os.access(path, os.W_OK):
            (trial / "seen" / f".{FOLDER}").touch()

    why = isolation.rehearsed(work)
    removed(trial)
    return why


def _in_user_namespace() -> bool:
    """Whether root here is root in a user namespace alone, as in containers that a user started."""
    mapped = Path("/proc/self/uid_map")
    return mapped.exists() and mapped.read_text().split() != ["0", "0", "4294967295"]


def _opened(folder: Path, point: Path) -> tuple[int, int, int]:
    return (
        os.open(point, os.O_PATH),
        os.open(folder / "upper", os.O_PATH),
        os.open(folder / "work", os.O_PATH),
    )


def _overlay(layers: tuple[int, int, int], target: Path, *, user: bool) -> None:
    names = ("lowerdir", "upperdir", "workdir")
    # Not by their paths, in which a comma or a colon would have a meaning.
    options = [f"{name}=/proc/self/fd/{n}" for name, n in zip(names, layers, strict=True)]
    isolation.mount(
        "overlay", str(target), 0, "overlay", ",".join([*options, *["userxattr"] * user])
    )
