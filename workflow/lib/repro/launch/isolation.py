"""Isolation: what a process may see of files and network, by the kernel's namespaces (Linux).

Synopsis:
    why_not = rehearsed(lambda: hide(places, kept, spare))     # in a child that is thrown away
    hide(places, kept, spare)                                  # in earnest: no way back

The C library is called through ctypes, as Python has `os.unshare` only from 3.12 on, and
`mount` never. Root enters a namespace directly, any other user through a user namespace in
which nothing but the user's own number exists (user_namespaces(7), mount_namespaces(7)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")

MOUNTS, PROCESSES = 0x00020000, 0x20000000
_USER, _NETWORK = 0x10000000, 0x40000000
_READ_ONLY, NOSUID, NODEV, NOEXEC, _REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
_NOATIME, _NODIRATIME, _RELATIME = 0x400, 0x800, 0x200000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_PARENT_DEATH_SIGNAL = 1
_SET_FLAGS, _UP = 0x8914, 0x1

# What statvfs says of a mount, and how mount(2) leaves it so: flags that the mount has
# from outside a user namespace must stay.
_KEPT_FLAGS = {0x2: NOSUID, 0x4: NODEV, 0x8: NOEXEC, 0x400: _NOATIME, 0x800: _NODIRATIME,
               0x1000: _RELATIME}  # fmt: skip


def rehearsed(work: Callable[[], None]) -> str | None:
    """Does something in a child that is thrown away; gives the reason where it did not go well.

    Half a namespace cannot be undone.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            os.write(writing, reason(error).encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return None if status == 0 else text or "the attempt was killed"


def in_earnest(work: Callable[[], None]) -> str | None:
    """Does something, if it went well in a rehearsal; else gives the reason, and did nothing."""
    refusal = rehearsed(work)
    if refusal is None:
        work()
    return refusal


def reason(error: BaseException) -> str:
    """A few words, without a path of this machine, on why something could not be done."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return f"{type(error).__name__}: {error}"


def enter(kind: int) -> None:
    """Gives this process a namespace of its own: of `MOUNTS`, or another flag of unshare(2).

    Raises:
        OSError: the system refuses, or has no namespaces.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        call("unshare", kind)
    except PermissionError:
        # Root in a user namespace of its own may do less than outside: not read others' files.
        if user == 0:
            raise
        call("unshare", _USER | kind)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    if kind == MOUNTS:
        # First of all: what is mounted from here on may not be seen outside. Whoever cleared a
        # folder away there would remove what it shows.
        mount(None, "/", _RECURSIVE | _PRIVATE)
        if any(" shared:" in line for line in mount_lines()):
            raise OSError(errno.EPERM, "mounts are still shared")


def without_network() -> None:
    """Leaves this process no network but a loopback of its own.

    Raises:
        OSError: the system refuses, or has no namespaces.
    """
    enter(_NETWORK)
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def bind(source: Path | int, target: Path, read_only: bool = False) -> None:
    """Lets a file or folder be seen at another place too, in this process' namespace.

    The source may be an open descriptor, where it can no longer be named; the target is made if it
    is missing.

    Raises:
        OSError: the system refuses.
    """
    source = Path(f"/proc/self/fd/{source}") if isinstance(source, int) else source
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():  # to touch what is there would change its times
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), str(target), _BIND | _RECURSIVE)
    if read_only:
        present = os.statvfs(target).f_flag
        flags = sum(flag for bit, flag in _KEPT_FLAGS.items() if present & bit)
        mount(None, str(target), _REMOUNT | _BIND | _READ_ONLY | flags)


def hide(places: Iterable[Path], visible: Iterable[Path], spare: Path) -> None:
    """Lets some folders seem empty to this process, but for what is kept.

    Args:
        places: the folders, without links in their paths.
        visible: files and folders that stay visible at their places, also through links.
        spare: a folder in which an empty folder is made for each place, to be seen there.

    Raises:
        OSError: the system refuses.
    """
    enter(MOUNTS)
    places = list(places)
    real = {path: path.resolve() for path in visible if path.exists()}
    handles = {
        path: os.open(path, os.O_PATH)
        for path in outermost(real.values())
        if any(path.is_relative_to(place) for place in places)
    }
    outer = outermost(places)
    empty = {place: _empty(folder, place) for place, folder in spares(places, spare).items()}
    for place, handle in empty.items():
        bind(handle, place)
    if SHARED_MEMORY in outer:
        mount("tmpfs", str(SHARED_MEMORY), NOSUID | NODEV, "tmpfs", "mode=1777")
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    for path, handle in handles.items():
        bind(handle, path)
    for path in real:
        if not path.exists():  # a link on the way there is hidden
            folder = path.parent.resolve()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / path.name).symlink_to(real[path])


def spares(places: Iterable[Path], spare: Path) -> dict[Path, Path]:
    """The folder below `spare` seen in place of each outermost one; shared memory needs none."""
    numbered = enumerate(outermost(places))
    return {place: spare / str(n) for n, place in numbered if place != SHARED_MEMORY}


def mounted_below(folder: Path) -> bool:
    """Whether something is mounted in a folder, whose path has no links.

    To remove it would remove what is mounted there.
    """
    # The fifth field, with blanks and the like in octal (proc_pid_mountinfo(5)).
    points = [line.split(" ")[4] for line in mount_lines()]
    plain = (re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), p) for p in points)
    return any(Path(point).is_relative_to(folder) for point in plain)


def mount_lines() -> list[str]:
    """The table of mounts as this process sees it (proc_pid_mountinfo(5)); empty where none is."""
    table = Path("/proc/self/mountinfo")
    return table.read_text("utf-8", "surrogateescape").splitlines() if table.exists() else []


def die_with(parent: int) -> None:
    """Has the system kill this process when its parent ends, where it can; else does nothing.

    Where the process with the number `parent` has ended already, so does this one.
    """
    if sys.platform == "linux":
        call("prctl", _PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def _empty(folder: Path, like: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(stat.S_IMODE(like.stat().st_mode) | stat.S_IRWXU)
    return os.open(folder, os.O_PATH)


def outermost(paths: Iterable[Path]) -> list[Path]:
    """Those of some paths that lie in no other of them."""
    chosen: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in chosen):
            chosen.append(path)
    return chosen


def mount(source: str | None, target: str, flags: int, kind: str = "", options: str = "") -> None:
    """Calls mount(2); raises OSError where the system refuses."""
    texts = [text.encode() if text else None for text in (source, target, kind)]
    call("mount", *texts, ctypes.c_ulong(flags), options.encode() or None)


def call(name: str, *arguments: object) -> None:
    """Calls a function of the C library that gives -1 where it fails; raises OSError then."""
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except AttributeError:
        raise OSError(errno.ENOSYS, name) from None
    if function(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
