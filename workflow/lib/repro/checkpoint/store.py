"""Store: the folder with the last two snapshots of one training, and its trace so far.

Synopsis:
    store = CheckpointStore(folder, key)
    with store.alone():                 # no other process trains the same meanwhile
        snapshot = store.newest()       # None, or the newest one that is whole
        store.add(snapshot, trace)
        store.clear()
    folder = store.caught("files")      # what the training's own code writes meanwhile

The trace only grows, so its lines are copied once, and a snapshot says how many bytes of the copy
are its own and what their digest is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from repro.checkpoint.file_format import Damaged, Foreign, Snapshot, TraceMark, load, save
from repro.core.atomic import flush, sentence_for_system_errors
from repro.core.errors import CouldNotRun

_KEPT = 2
_BLOCK = 2**20
_TRACE = "trace.jsonl"
_CAUGHT = "caught-"
_OURS = ("epoch-*.checkpoint", ".partial.epoch-*.checkpoint", _TRACE)


def _blocks(file: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """What a file holds from here on; of `size` bytes, or to its end."""
    while size is None or size > 0:
        block = file.read(_BLOCK if size is None else min(size, _BLOCK))
        if not block:
            break
        size = None if size is None else size - len(block)
        yield block


class CheckpointStore:
    """The snapshots of one training, alone in a folder, which is made if it is missing.

    The key tells this training from every other one.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self._key = folder, key
        self._size, self._digest = 0, hashlib.sha256()

    @contextmanager
    def alone(self) -> Generator[None]:
        """While this lasts, no other process does the same; a killed one stands in nobody's way.

        Raises:
            UserError: another process still trains this.
        """
        with sentence_for_system_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise CouldNotRun(
                f"Expected no other process to train into {self.folder}. Received one that still "
                "does, perhaps left by a Snakemake that was killed. Wait until it has ended, or "
                "end it, and run again."
            ) from None
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            os.close(handle)

    def newest(self) -> Snapshot | None:
        """The newest snapshot that is whole, its trace too; whatever is newer is removed.

        None where there is none, or where they are of another training; then the folder is empty.
        """
        for path in reversed(self._files()):
            try:
                snapshot = load(path, self._key)
                self._check_trace(snapshot)
                return snapshot
            except Foreign:
                print(f"The checkpoints in {self.folder} are of another training: removed.")
                break
            except Damaged as why:
                print(f"{path.name} is damaged ({why}): the one before is taken, if there is one.")
                path.unlink(missing_ok=True)
        self.clear()
        return None

    def add(self, snapshot: Snapshot, trace: Path) -> None:
        """Adds a snapshot, and removes all but it and the one before.

        What was in the trace at the last call is still the same.

        Raises:
            UserError: the system refused to write; the older ones are still there.
        """
        with sentence_for_system_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take(trace)
        mark: TraceMark = {"size": self._size, "sha256": self._digest.hexdigest()}
        whole = replace(snapshot, facts={**snapshot.facts, "trace": mark})
        save(self.folder / f"epoch-{snapshot.epoch:08}.checkpoint", self._key, whole)
        with sentence_for_system_errors(self.folder):
            for path in self._files()[:-_KEPT]:
                path.unlink()

    def caught(self, name: str) -> Path:
        """A folder of that name for files that the training's own code writes.

        It is empty, unless there is a snapshot that is whole: then it holds what a killed process
        left.
        """
        resumed = self.newest() is not None
        folder = self.folder / f"{_CAUGHT}{self._key[:16]}"
        for other in self.folder.glob(f"{_CAUGHT}*"):
            if other != folder or not resumed:
                shutil.rmtree(other)
        (folder / name).mkdir(parents=True, exist_ok=True)
        return folder / name

    def trace(self) -> Iterator[bytes]:
        """The trace that belongs to what `newest` gave, in blocks."""
        with (self.folder / _TRACE).open("rb") as file:
            yield from _blocks(file, self._size)

    def clear(self) -> None:
        """Removes all snapshots, the trace, and what a killed process left half-written."""
        self._size, self._digest = 0, hashlib.sha256()
        for pattern in _OURS:
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Removes the folder, and those around it up to three that are empty then."""
        self.clear()
        for folder in self.folder.glob(f"{_CAUGHT}*"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.folder, *self.folder.parents[:3]):
            with suppress(OSError):
                folder.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.checkpoint"))

    def _check_trace(self, snapshot: Snapshot) -> None:
        assert "trace" in snapshot.facts
        mark = snapshot.facts["trace"]
        self._size, self._digest = mark["size"], hashlib.sha256()
        try:
            for block in self.trace():
                self._digest.update(block)
        except OSError as error:
            raise Damaged(f"its trace: {error.strerror}") from error
        if self._digest.hexdigest() != mark["sha256"]:
            raise Damaged("the digest of its trace is another one")

    def _take(self, trace: Path) -> None:
        """Copies the lines that are new; a copy that failed half-way is written over next time."""
        copy = self.folder / _TRACE
        if not copy.exists() or copy.stat().st_size < self._size:
            copy.write_bytes(b"")
            self._size, self._digest = 0, hashlib.sha256()
        digest, size = self._digest.copy(), self._size
        with trace.open("rb") as source, copy.open("r+b") as target:
            source.seek(size)
            target.seek(size)
            target.truncate()
            for block in _blocks(source):
                target.write(block)
                digest.update(block)
                size += len(block)
        flush(copy)
        self._digest, self._size = digest, size
