"""Mounts: which parts of the tree of files a command could write to, each to be caught by itself.

Synopsis:
    for folder in writable_folders(folders, mounted(), may_write): ...
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.contain.place import CommandFolders
from repro.launch.isolation import SHARED_MEMORY, mount_lines, outermost

# Nothing that a command writes there is a file on a disk.
_DEVICES = tuple(map(Path, ("/proc", "/sys", "/dev")))
_NO_STORES = {
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
    "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore",
    "rpc_pipefs", "securityfs", "sysfs", "tracefs",
}  # fmt: skip
_SYSTEM = {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys",
           "usr", "nix", "gnu", "snap"}  # fmt: skip
_MOST = 2000
"""Folders that are looked at in the search for those that an ordinary user may write to."""


@dataclass(frozen=True)
class Mount:
    """A line of the table of mounts; `writable` as far as the mount decides it."""

    path: Path
    kind: str
    writable: bool

    @property
    def stores(self) -> bool:
        """Whether files can be written there."""
        device = any(self.path.is_relative_to(place) for place in _DEVICES)
        if self.path.is_relative_to(SHARED_MEMORY):
            device = False
        return self.writable and not device and self.kind not in _NO_STORES


def mounted(lines: Iterable[str] | None = None) -> list[Mount]:
    """The mounts of this process, each that is seen, outer ones first (proc_pid_mountinfo(5))."""
    found: dict[Path, Mount] = {}
    for line in mount_lines() if lines is None else lines:
        first, _, second = line.partition(" - ")
        fields, (kind, _, options) = first.split(" "), second.split(" ", 2)
        path = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        read_only = "ro" in (*fields[5].split(","), *options.split(","))
        found[path] = Mount(path, kind, not read_only)  # a later one hides an earlier
    return [found[path] for path in sorted(found)]


def writable_folders(
    folders: CommandFolders, mounts: Sequence[Mount], may_write: Callable[[Path], bool]
) -> list[Path]:
    """The outermost folders that an ordinary user may write to, as far as a short search goes."""
    stores = [mount.path for mount in mounts if mount.stores]
    known = [*folders.roots(), folders.home, folders.temporary, Path("/tmp"), Path("/var/tmp")]
    ways = [
        way for place in (*known, *stores) if place for way in (*reversed(place.parents), place)
    ]
    found = [path for path in (*ways, *_near_the_root()) if path.is_dir() and may_write(path)]
    inner = [path for path in stores if may_write(path)]
    pseudo = [mount.path for mount in mounts if not mount.stores]
    outer = outermost(path for path in found if not _inside(path, pseudo, stores))
    return sorted({*outer, *inner})


def _inside(path: Path, pseudo: Sequence[Path], stores: Sequence[Path]) -> bool:
    """Whether the innermost mount around a path is one that stores nothing."""
    around = [place for place in (*pseudo, *stores) if path.is_relative_to(place)]
    return bool(around) and max(around, key=lambda place: len(place.parts)) in pseudo


def _near_the_root(depth: int = 3) -> Iterator[Path]:
    level, seen = [Path("/")], 0
    for _ in range(depth):
        below: list[Path] = []
        for folder in level:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    seen += 1
                    if seen > _MOST:
                        return
                    top = folder == Path("/") and entry.name in _SYSTEM
                    if not top and entry.is_dir(follow_symlinks=False):
                        below.append(Path(entry.path))
        yield from below
        level = below
