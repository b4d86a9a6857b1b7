"""Atomic: a file or a folder appears whole, or not at all.

Synopsis:
    write_text(path, text)
    with whole_file(path) as temporary: ...
    with whole_folder(path) as temporary: ...
    with whole_outputs(folder, ["a.txt", "b.txt"]) as temporary: ...
"""

import errno
import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from repro.core.errors import CouldNotRun

# What only writing says, and without a name where a file is written to by its number.
_OF_WRITING = (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def sentence_for_system_errors(path: Path) -> Generator[None]:
    """Turns what the system says while `path` is written into a sentence.

    Raises:
        CouldNotRun: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise _refusal(path, error) from error


@contextmanager
def _written_by_caller(path: Path, temporary: Path) -> Generator[None]:
    """The same for the caller's block, but what is said there of something else passes."""
    try:
        yield
    except OSError as error:
        if not _speaks_of(error, temporary):
            raise
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> CouldNotRun:
    return CouldNotRun(
        f"Expected to write {path}. Received from the system: {error.strerror or error}. "
        "Make room or give the right to write there, and run again; nothing was kept."
    )


def _speaks_of(error: OSError, temporary: Path) -> bool:
    """Whether an error names what is written, or is one that only writing gives."""
    given = [n for n in (error.filename, error.filename2) if isinstance(n, str | bytes)]
    if not given:
        return type(error) is OSError and error.errno in _OF_WRITING
    names = [Path(os.fsdecode(name)).absolute() for name in given]
    return any(name.is_relative_to(temporary.absolute()) for name in names)


def _temporary(path: Path) -> Path:
    # It ends as the target's name does, because some writers look at the suffix; and it is the same
    # in every process, so that the next try replaces what a killed one left.
    return path.with_name(f".partial.{path.name}")


def flush(path: Path) -> None:
    """Waits until the file's (or folder's) content has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Gives a temporary name beside `path`; what was written there is renamed to `path`.

    The folder of `path` is made if it is missing.

    Raises:
        CouldNotRun: the system refused to write (a full disk, a missing right).
    """
    temporary = _temporary(path)
    with sentence_for_system_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _written_by_caller(path, temporary):
            yield temporary
        with sentence_for_system_errors(path):
            flush(temporary)
            temporary.replace(path)
            flush(path.parent)
    finally:
        with sentence_for_system_errors(path):
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, anew: bool = False) -> Generator[Path]:
    """As `whole_file`, for a folder; an older folder at `path` is replaced at the end.

    `anew` refuses instead of replacing, even what somebody else made meanwhile.
    """
    temporary = _temporary(path)
    with sentence_for_system_errors(path):
        if not anew:
            _mend(path)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    try:
        with _written_by_caller(path, temporary):
            yield temporary
        with sentence_for_system_errors(path):
            for file in sorted(temporary.rglob("*")):
                flush(file)
            if anew:
                temporary.replace(path)
            else:
                _take_place(temporary, path)
            flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".replaced.{path.name}")


def _take_place(new: Path, path: Path) -> None:
    """Renames to `path`; an older folder there is whole under another name until that is done."""
    aside = _aside(path)
    if path.is_dir() and not path.is_symlink():
        path.replace(aside)
    try:
        new.replace(path)
    finally:
        _mend(path)


def _mend(path: Path) -> None:
    """Ends what a killed process, or a refused rename, left of a replacement."""
    aside = _aside(path)
    if aside.is_dir() and not path.exists():
        aside.rename(path)
    shutil.rmtree(aside, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole_outputs(
    folder: Path, names: Sequence[str], optional: Sequence[str] = ()
) -> Generator[Path]:
    """Gives a new folder inside `folder`; what was written there under `names` is moved out of it.

    Older files and folders of these names are replaced, and those of `optional` that were not
    written again are removed. Nothing appears where the caller raises an exception, and nothing but
    `names` ever does.

    Raises:
        CouldNotRun: the system refused to write.
    """
    temporary = _temporary(folder / f"{names[0]}.outputs")
    with sentence_for_system_errors(folder):
        for name in names:
            _mend(folder / name)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    try:
        yield temporary
        with sentence_for_system_errors(folder):
            for name in names:
                if name in optional and not (temporary / name).exists():
                    _remove(folder / name)
                else:
                    _take_place(temporary / name, folder / name)
            flush(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Writes `text` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode())
