"""Prepare: raw data of known digest → ids → split → arrays on disk.

Synopsis:
    prepare(code, sources, parameters, folder)
    arrays = part(folder, "train")            # name -> memory-mapped array

    folder/{train,validation,test}/NAME.npy   # NAME: id, x, y, x.left, sample_weight, group
    folder/columns.json                       # the names of the columns of what was a DataFrame
    folder/fitted/NAME.npy                    # what `fit_preprocessing` fitted: x.mean_, …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repro.arrays.array import Array
from repro.arrays.intake import Intake
from repro.arrays.nested import leaves
from repro.arrays.returned import WHOLE, parts_of
from repro.core.atomic import whole_folder, write_text
from repro.core.canonical_json import pretty
from repro.core.errors import UserError
from repro.core.layout import FITTED
from repro.core.parameters import PrepareParameters, RawData, ReadLimits
from repro.core.seeding import Seeds
from repro.data.dataset import Part, examples_of_parts, parted
from repro.data.leakage import Overlap, overlap
from repro.data.preprocessing import preprocessed
from repro.data.user_code import Code

_ROWS = 4096
COLUMN_NAMES = "columns.json"
"""What lies beside the parts, where there is any: a file, and a folder."""


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


def _store(folder: Path, part: Part) -> None:
    folder.mkdir()
    examples, rows = part.examples, part.rows
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


@dataclass(frozen=True)
class PreparedData:
    """What the manifest says of a preparation: the parts that `dataset` gave, and their overlap.

    `given` is empty where all parts were split off one whole; `preprocessing` is what transformed
    each column, of what was fitted on the training part.
    """

    given: Sequence[str]
    overlap: Mapping[str, Overlap]
    preprocessing: Mapping[str, Any]


def prepare(
    code: Code, sources: Mapping[str, Path], parameters: PrepareParameters, folder: Path,
    say: Callable[[str], None] = print,
) -> PreparedData:  # fmt: skip
    """Runs the user's `dataset` and writes the parts of the data; returns what is known of them.

    The key of a single raw data source is "", and without any `dataset` gets None. `say` is
    given what was done to the data, and how far the reading is.

    Raises:
        UserError: the user's code or what it returned is wrong; nothing is kept.
    """
    seeds = Seeds(parameters.data_seed)
    intake = Intake(ReadLimits(**parameters.limits), say)
    columns = _columns(code, sources, parameters, intake)
    given = examples_of_parts(columns, intake)
    parts = parted(given, parameters.split, seeds("split"))
    overlapping = overlap(parts)
    done = preprocessed(code, parts, parameters.settings, seeds, intake)
    with whole_folder(folder) as temporary:
        for name, part in done.parts.items():
            _store(temporary / name, part)
        if names := done.parts["train"].examples.names:
            write_text(temporary / COLUMN_NAMES, pretty(names))
        _store_fitted(temporary / FITTED, done.fitted)
    return PreparedData([name for name in given if name != WHOLE], overlapping, done.kinds)


def _columns(
    code: Code, sources: Mapping[str, Path], parameters: PrepareParameters, intake: Intake
) -> dict[str, dict[str, Any]]:
    """The columns of each part that the user's `dataset` returns."""
    function = code.function("dataset")
    assert function is not None
    data = sources[""] if "" in sources else dict(sources) or None
    try:
        with code.blamed("dataset"):
            settings, seeds = deepcopy(parameters.settings), Seeds(parameters.data_seed)
            # A stream runs the user's code as it is read.
            return parts_of(function(data, settings, seeds), intake)
    except UserError as error:
        if data is not None:
            raise
        raise UserError(
            f"{error} The configuration names no `data`: what `dataset` reads belongs there."
        ) from error


def _store_fitted(folder: Path, fitted: Mapping[str, Any]) -> None:
    shown = {column: values for column, values in fitted.items() if values}
    if shown:
        folder.mkdir()
    for column, values in shown.items():
        for name, array in leaves(column, values):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)


def part(folder: Path, name: str) -> dict[str, Array]:
    """The arrays by name (`x`, `y`, `id`, …), each [examples, …], memory-mapped, of one part.

    That is `train`, `validation` or `test`; empty where the split gave it no share.
    """
    files = sorted((folder / name).glob("*.npy"))
    return {file.stem: np.load(file, mmap_mode="r") for file in files}
