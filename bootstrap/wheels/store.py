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
