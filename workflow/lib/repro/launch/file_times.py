"""File times: the factor that gives the inputs other times and another order of inodes.

Synopsis:
    start, how = file_times(start)       # by copies, or by what `os.stat` says (`repro.shim`)

A copy of the data has other times than the data, and the same digest: neither when a file was
written nor which inode it got may decide anything. The older of two files becomes the newer. The
user's own files are never touched.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from repro.core.layout import PRETRAINED
from repro.launch import isolation
from repro.launch.command import NotVaried, StepCommand
from repro.launch.drawn_values import mirror

LARGEST = 2**30
"""Inputs of more bytes are not copied."""
MOST = 100_000
"""Neither are those of more files."""

ANSWERS = "REPRO_FILE_TIMES"
"""Set where `os.stat` is to answer in another way, since nothing was copied."""


def file_times(start: StepCommand) -> tuple[StepCommand, str]:
    """Shows copies of what the user's code reads, with other times; else lets `os.stat` say so.

    Raises:
        NotVaried: the step reads neither the experiment nor raw data.
    """
    inputs = start.inputs()
    names = read_by_the_user([name for name, _ in inputs.values()])
    read = {item: pair for item, pair in inputs.items() if pair[0] in names and pair[1].exists()}
    if not read:
        raise NotVaried("the step reads neither the experiment nor raw data")
    real = [path.resolve() for _, path in read.values()]
    copies = {path: start.folder("copies", str(n)) / path.name for n, path in enumerate(real)}
    try:
        if refusal := isolation.rehearsed(lambda: isolation.enter(isolation.MOUNTS)):
            raise NotVaried(f"the system gives no namespace ({refusal})")
        _refuse_uncopied(real)
        for path, copy in copies.items():
            _copy(path, copy, mirror(start.run))
        if refusal := isolation.in_earnest(lambda: _show(copies)):
            raise NotVaried(f"the system gives no namespace ({refusal})")
    except (NotVaried, OSError) as error:
        shutil.rmtree(start.fresh / "copies")
        why = str(error) if isinstance(error, NotVaried) else isolation.reason(error)
        how = (
            "the older is the newer, as Python's os.stat says, but not the entries of os.scandir; "
            f"no copies were made, since {why}"
        )
        return start.having(**{ANSWERS: "other"}), how
    return start, "copies of experiment and raw data, in which the older file is the newer"


def _show(copies: Mapping[Path, Path]) -> None:
    """Lets each copy be seen where the original is."""
    isolation.enter(isolation.MOUNTS)
    for path, copy in copies.items():
        isolation.bind(copy, path)


def read_by_the_user(names: Collection[str]) -> list[str]:
    """Those of a step's inputs that the user's code reads: itself, raw data, pretrained weights.

    Prepared data come with their manifest.
    """
    kinds = ["experiment", PRETRAINED, *(() if "data.manifest" in names else ("data",))]
    return [name for name in names if name.partition(":")[0] in kinds]


def _refuse_uncopied(paths: Iterable[Path]) -> None:
    """Raises `NotVaried` with the reason where a copy would be too much, or something else."""
    size = count = 0
    for path in paths:
        for file in itertools.chain([path], path.rglob("*") if path.is_dir() else ()):
            if file.is_symlink():
                raise NotVaried("there are links among them")
            if not file.is_file() and not file.is_dir():
                raise NotVaried("there is something among them that is no file")
            size, count = size + file.stat().st_size, count + 1
            if size > LARGEST or count > MOST:
                raise NotVaried("they are more than a GiB or 100,000 files")


def _below(path: Path) -> list[Path]:
    """The path itself and all below it, folders before what lies in them."""
    return [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]


def _copy(source: Path, target: Path, moment: int) -> None:
    """Copies in the opposite order of inodes, then sets the times, those of folders last."""
    every = _below(source)
    places = {path: target / path.relative_to(source) for path in every}
    for path in (path for path in every if path.is_dir()):
        places[path].mkdir(parents=True, exist_ok=True)
    files = [path for path in every if path.is_file()]
    for path in sorted(files, key=lambda path: path.stat().st_ino, reverse=True):
        shutil.copyfile(path, places[path])
        shutil.copymode(path, places[path])
    # Files of one time get several, in the opposite order of their names.
    aged = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path))
    later = {path: moment - number * 10**9 for number, path in enumerate(aged)}
    for path in (*files, *reversed([path for path in every if path.is_dir()])):
        times, then = path.stat(), later.get(path, moment)
        os.utime(places[path], ns=(then - times.st_atime_ns, then - times.st_mtime_ns))
