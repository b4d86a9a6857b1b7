"""Folders: everything that two runs wrote, paired by name and compared.

Synopsis:
    with TensorReader(["python"]) as tensors:
        comparisons = compared_folders(first, second, tensors)
    summarised(comparisons).sentences
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from repro.content.files import compared
from repro.content.kinds import shards
from repro.content.tensor_reader import TensorReader
from repro.core.text import TEMPORARY_NAME
from repro.formats.findings import ContentDifference, FileComparison
from repro.formats.masks import DATES, IDS, OBJECTS, TEMPORARY
from repro.formats.tables import logs_of

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_GENERATED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(source))
    for kind, source in (
        # events.out.tfevents.TIME.HOST.PID.NUMBER.v2
        (IDS, r"(?<=events\.out\.tfevents\.)\d+\.[^/]+?(?=(?:\.v2|\.profile-empty)?$)"),
        (OBJECTS, r"\b(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"),
        (DATES, rf"{_MONTH}\d\d_\d\d-\d\d-\d\d"),
        (DATES, r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0\d|1[0-2])\1[0-3]\d"
                r"(?:[-_T @]{0,2}\d\d[-_.:h]?\d\d(?:[-_.:m]?\d\d)?(?:[.,]\d+)?)?"
                r"(?:Z|[+-]\d{4})?(?!\d)"),
        (DATES, r"(?<!\d)[0-2]\d([-_:])[0-5]\d\1[0-5]\d(?!\d)"),
        (DATES, r"(?<![\d.])(?:1[5-9]|20)\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?!\d)"),
        (TEMPORARY, rf"\b{TEMPORARY_NAME}\b"),
        (OBJECTS, r"(?<![^\W_])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}(?![^\W_])"),
        (IDS, r"(?<=pid)[-_=]?\d+"),
    )
)  # fmt: skip
_DIGITS = re.compile(r"(\d+)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Pair:
    """One file, or one object of several files, of two runs; None where a run lacks it.

    `name`: its path from the root, in the first run that has it. `generated`: the kinds of parts
    that differ between the names, as dates and process ids; such files are the same file.
    `renamed`: the other name, where any other number in the names differs; that is a difference.
    """

    name: str
    left: Path | None
    right: Path | None
    generated: tuple[str, ...] = ()
    renamed: str | None = None


def compared_folders(
    left_root: Path,
    right_root: Path,
    tensors: TensorReader | None,
    rtol: float = 0.0,
    folders: Sequence[tuple[str, str]] = (),
    wanted: Callable[[str], bool] | None = None,
    told: Callable[[Pair], None] | None = None,
) -> tuple[FileComparison, ...]:
    """Compares all files below two folders, in the order of the names.

    Args:
        wanted: whether a file of this name takes part; None for all.
        told: is called before each pair is compared.
    """
    found: list[FileComparison] = []
    for pair in paired(left_root, right_root):
        if wanted and not wanted(pair.name):
            continue
        if told:
            told(pair)
        comparison = compared(pair.left, pair.right, pair.name, tensors, rtol, folders)
        found.append(_with_names(comparison, pair))
    return tuple(found)


def _with_names(comparison: FileComparison, pair: Pair) -> FileComparison:
    if pair.generated:
        kinds = {f"{kind} in its name" for kind in pair.generated}
        comparison = replace(comparison, masked=tuple(sorted({*comparison.masked, *kinds})))
    if pair.renamed is None:
        return comparison
    difference = ContentDifference("name", pair.name, pair.renamed)
    return replace(
        comparison,
        same=False,
        how=f"{comparison.how}; called {pair.renamed} in the second run",
        differences=(difference, *comparison.differences),
        count=comparison.count + 1,
    )


def paired(left_root: Path, right_root: Path) -> tuple[Pair, ...]:
    """Pairs what lies below two folders, in the order of the names.

    What belongs together is one: a SavedModel's folder, a TensorFlow checkpoint (its `.index`), an
    SQLite database with its log. `__pycache__` is left out. Links are not followed. A folder takes
    part where the other run has none of that name.
    """
    left, right = (dict(_entries(root, root)) for root in (left_root, right_root))
    pairs = [Pair(name, left.pop(name), right.pop(name)) for name in {*left} & {*right}]
    left, right = (
        _without_common_folders(left, right_root),
        _without_common_folders(right, left_root),
    )
    pairs += _by_key(left, right, _without_generated, _generated)
    pairs += _by_key(left, right, lambda name: _NUMBER.sub("#", name), None)
    pairs += [Pair(name, path, None) for name, path in left.items()]
    pairs += [Pair(name, None, path) for name, path in right.items()]
    return tuple(sorted(pairs, key=lambda pair: pair.name))


def _entries(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # a root that is not there, or a folder that may not be listed
        if folder != root:
            yield folder.relative_to(root).as_posix(), folder
        return
    names = {entry.name for entry in entries}
    parts = {shard.name for name in names for shard in _parts(folder / name, names)}
    if folder != root and (not entries or "saved_model.pb" in names):
        yield folder.relative_to(root).as_posix(), folder
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                yield from _entries(path, root)
        elif entry.name not in parts:
            yield path.relative_to(root).as_posix(), path


def _parts(path: Path, names: set[str]) -> list[Path]:
    """The files beside a file that belong to it."""
    if path.suffix == ".index":
        return shards(path)
    logs = logs_of(path)
    if any(log.name in names for log in logs):
        with suppress(OSError), path.open("rb") as file:
            if file.read(6) == b"SQLite":
                return logs
    return []


def _without_common_folders(names: Mapping[str, Path], other_root: Path) -> dict[str, Path]:
    """The names without empty folders that the other run filled."""
    return {
        name: path
        for name, path in names.items()
        if path.is_symlink() or not path.is_dir() or not (other_root / name).is_dir()
        or (path / "saved_model.pb").exists()
    }  # fmt: skip


def _by_key(
    left: dict[str, Path],
    right: dict[str, Path],
    key: Callable[[str], str],
    generated: Callable[[str, str], tuple[str, ...]] | None,
) -> Iterator[Pair]:
    """Takes out and pairs, in their order, names with the same key; equally many of them."""
    groups: list[dict[str, list[str]]] = [{}, {}]
    for names, group in zip((left, right), groups, strict=True):
        for name in sorted(names, key=_natural):
            group.setdefault(key(name), []).append(name)
    for each, names in groups[0].items():
        others = groups[1].get(each, [])
        if len(names) != len(others) and generated is None:
            continue
        for one, other in zip(names, others, strict=False):
            kinds = generated(one, other) if generated else ()
            renamed = None if generated else other
            yield Pair(one, left.pop(one), right.pop(other), kinds, renamed)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def _without_generated(name: str) -> str:
    for _, pattern in _GENERATED:
        name = pattern.sub("*", name)
    return name


def _generated(left: str, right: str) -> tuple[str, ...]:
    """The kinds of generated parts that differ between two names."""
    kinds: list[str] = []
    for kind, pattern in _GENERATED:
        if [found[0] for found in pattern.finditer(left)] != [
            found[0] for found in pattern.finditer(right)
        ]:
            kinds.append(kind)
        left, right = pattern.sub("*", left), pattern.sub("*", right)
    return tuple(dict.fromkeys(kinds))
