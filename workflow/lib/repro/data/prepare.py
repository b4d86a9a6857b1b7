"""Prepare: raw data of known digest → ids → split → arrays on disk.

Synopsis:
    prepare(code, sources, parameters, folder)
    arrays = part(folder, "train")            # name -> memory-mapped array

    folder/{train,validation,test}/NAME.npy   # NAME: id, x, y, x.left, sample_weight, group
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from repro.core.atomic import whole_folder
from repro.core.errors import UserError
from repro.core.parameters import PrepareParameters, RawData
from repro.core.seeding import Seeds
from repro.data.dataset import Array, Examples, examples_of, split
from repro.data.leakage import Overlap, overlap
from repro.data.tf_dataset import collected
from repro.data.user_code import Code

_ROWS = 4096


def check_sources(sources: Mapping[str, RawData], found: Mapping[str, str]) -> None:
    """Refuses raw data that are not what the configuration names, before anybody reads them.

    `found` are their digests by source; a folder's is that of `repro.core.digest.sha256_tree`.

    Raises:
        UserError: another digest; says both.
    """
    for name, source in sources.items():
        if found[name] != source.sha256:
            raise UserError(
                f"Expected {source.path} to have sha256 {source.sha256}. Received {found[name]}. "
                "Restore the file, or, if the new content is meant, write the new digest into the "
                "configuration."
            )


def _store(folder: Path, examples: Examples, rows: Array) -> None:
    folder.mkdir()
    width = max(map(len, examples.ids))
    ids = np.array(examples.ids, dtype=f"U{width}")
    for name, column in {**examples.columns, "id": ids}.items():
        # Not through a memory map: on a full disk that would kill the process without a word.
        with (folder / f"{name}.npy").open("wb") as file:
            shape = (len(rows), *column.shape[1:])
            header = {"descr": column.dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), _ROWS):
                file.write(column[rows[start : start + _ROWS]].tobytes())


def prepare(
    code: Code, sources: Mapping[str, Path], parameters: PrepareParameters, folder: Path
) -> dict[str, Overlap]:
    """Runs the user's `dataset` and writes the parts of the split; returns their overlap.

    The key of a single raw data source is "".

    Raises:
        UserError: the user's code or what it returned is wrong; nothing is kept.
    """
    seeds = Seeds(parameters.data_seed)
    function = code.function("dataset")
    assert function is not None
    with code.blamed("dataset"):
        single = sources[""] if "" in sources else dict(sources)
        returned = collected(function(single, deepcopy(parameters.settings), seeds))
    examples = examples_of(returned)
    parts = split(examples, parameters.split, seeds("split"))
    overlapping = overlap(examples, parts)
    with whole_folder(folder) as temporary:
        for name, rows in parts.items():
            _store(temporary / name, examples, rows)
    return overlapping


def part(folder: Path, name: str) -> dict[str, Array]:
    """The arrays by name (`x`, `y`, `id`, …), each [examples, …], memory-mapped, of one part.

    That is `train`, `validation` or `test`; empty where the split gave it no share.
    """
    files = sorted((folder / name).glob("*.npy"))
    return {file.stem: np.load(file, mmap_mode="r") for file in files}


def structured(arrays: Mapping[str, Any], name: str) -> Any:
    """The array `name`, or the mapping of those named `name.…`; None where there is neither."""
    if name in arrays:
        return arrays[name]
    parts = {k.split(".", 1)[1]: v for k, v in arrays.items() if k.startswith(f"{name}.")}
    return parts or None
