"""Folders: everything that two runs wrote, paired and compared.

Synopsis:
    with TensorReader(["python"]) as tensors:
        comparisons = compared_folders(first, second, tensors)
    summarised(comparisons).sentences
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from repro.content.files import compared
from repro.content.findings import FileComparison
from repro.content.pairs import Pair, paired
from repro.content.tensor_reader import TensorReader


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
        found.append(compared(pair.left, pair.right, pair.name, tensors, rtol, folders))
    return tuple(found)
