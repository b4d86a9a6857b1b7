"""File times: `os.stat` sees other times, so that of two files the older is the newer.

Synopsis:
    with mirrored([folder], moment): ...

What `os.scandir` says of an entry's times stays what it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from repro.shim.replaced import replaced

_IN_TUPLE = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")


def mirrored(
    paths: Iterable[str | os.PathLike[str]],
    moment: int,
    since: int | None = None,
) -> AbstractContextManager[None]:
    """Lets `os.stat` and `os.lstat`, and all that ask them, see other times for some files.

    Of a folder, for all below it too: a time becomes `moment` less that time.

    Args:
        moment: in ns.
        since: in ns; files changed since then, which the process may have written itself, keep
            their times. All files keep their inodes then, as who removes folders compares them.
    """
    roots = {way(path) for path in paths for way in (os.path.abspath, os.path.realpath)}

    def answering(ask: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def asked(path: Any, **named: Any) -> os.stat_result:
            status = ask(path, **named)
            if isinstance(path, int) or (since is not None and status.st_mtime_ns >= since):
                return status
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if any(place == root or place.startswith(f"{root}/") for root in roots):
                return _other(status, moment, inode=since is None)
            return status

        return asked

    return replaced(os, {name: answering(getattr(os, name)) for name in ("stat", "lstat")})


def _other(status: os.stat_result, moment: int, inode: bool) -> os.stat_result:
    """The same with other times, and with another inode where that is asked for."""
    times = {f"st_{kind}time_ns": moment - getattr(status, f"st_{kind}time_ns") for kind in "amc"}
    seconds = {name[: -len("_ns")]: ns / 1e9 for name, ns in times.items()}
    whole = [ns // 10**9 for ns in times.values()]
    number = 2**62 - status.st_ino if inode else status.st_ino
    named = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
    others = {name: value for name, value in named.items() if name not in _IN_TUPLE}
    return os.stat_result(
        (status.st_mode, number, *status[2:7], *whole), {**others, **seconds, **times}
    )
