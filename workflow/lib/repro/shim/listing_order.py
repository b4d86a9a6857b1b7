"""Listing order: folders are listed last entry first.

Synopsis:
    with reversed_listings(): ...

It reaches what goes through Python's own functions, in this process and in those that it forks;
not what libraries ask of the system by themselves, as TensorFlow does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, cast

from repro.shim.replaced import replaced


class _Entries(Iterator[Any]):
    """What `os.scandir` gives, last entry first."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = iter(list(entries)[::-1])

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def reversed_listings() -> AbstractContextManager[None]:
    """Reverses what `os.listdir` and `os.scandir` give, until the end."""
    # glob, pathlib, shutil and os.walk all ask these two, and by these names.
    listdir, scandir = os.listdir, os.scandir

    def listed(*arguments: Any, **named: Any) -> list[Any]:
        return cast("list[Any]", listdir(*arguments, **named))[::-1]

    def scanned(*arguments: Any, **named: Any) -> _Entries:
        with cast(Any, scandir(*arguments, **named)) as found:
            return _Entries(found)

    return replaced(os, {"listdir": listed, "scandir": scanned})
