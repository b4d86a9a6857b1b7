"""Kinds: what a file is, by how it begins and how its name ends.

Synopsis:
    kind_of(left, right, "model.keras").name      # "Keras model"
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

WEIGHTS, ARRAYS, METRICS, OTHER = "weights", "arrays", "metrics", "other"


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, the way to compare it, and what it counts as in the summary.

    `form`: what the way needs to know, as the reader of tensors calls it. `why`: why bytes only.
    """

    name: str
    way: str
    role: str = OTHER
    form: str = ""
    why: str = ""


_BYTES = Kind("file", "bytes")
_TEXT = Kind("text", "text")
_PICKLE = Kind("pickle", "bytes", WEIGHTS, why="pickles are not loaded")

_BY_BEGIN: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89HDF\r\n\x1a\n", Kind("HDF5", "tensors", WEIGHTS, "hdf5")),
    (b"\x93NUMPY", Kind("NumPy array", "tensors", ARRAYS, "npy")),
    (b"\x89PNG\r\n\x1a\n", Kind("PNG", "png", form="image")),
    (b"%PDF-", Kind("PDF", "pdf")),
    (b"PAR1", Kind("Parquet", "tensors", form="parquet")),
    (b"SQLite format 3\0", Kind("SQLite", "sqlite")),
    (b"\x1f\x8b", Kind("gzip", "compressed", form="gz")),
    (b"BZh", Kind("bzip2", "compressed", form="bz2")),
    (b"\xfd7zXZ\0", Kind("xz", "compressed", form="xz")),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ZIPS = {
    ".keras": Kind("Keras model", "zip", WEIGHTS),
    ".npz": Kind("NumPy archive", "arrays", ARRAYS, "npz"),
}
_BY_END = {
    ".safetensors": Kind("safetensors", "tensors", WEIGHTS, "safetensors"),
    ".h5": Kind("HDF5", "tensors", WEIGHTS, "hdf5"),
    ".hdf5": Kind("HDF5", "tensors", WEIGHTS, "hdf5"),
    ".svg": Kind("SVG", "svg"),
    ".json": Kind("JSON", "json"),
    ".ipynb": Kind("notebook", "json"),
    ".jsonl": Kind("JSON lines", "json lines"),
    ".ndjson": Kind("JSON lines", "json lines"),
    ".csv": Kind("table", "table"),
    ".tsv": Kind("table", "table"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth"), _PICKLE),
}
_METRICS = re.compile(r"log|hist|metric|result|score|report|eval|summary", re.I)
_PARAMETERS = re.compile(r"weight|kernel|param|embedding|model|checkpoint|ckpt", re.I)
_PREDICTIONS = re.compile(r"pred|prob|logit|output|label", re.I)


def kind_of(left: Path, right: Path, name: str) -> Kind:
    """The kind of two files, or of the folder of a SavedModel; where they disagree, bytes alone."""
    if left.is_dir():
        if all((path / "saved_model.pb").is_file() for path in (left, right)):
            return Kind("SavedModel", "saved model", WEIGHTS, "saved model")
        return Kind("folder", "folder")
    kinds = [_kind_of(path, name) for path in (left, right)]
    return kinds[0] if kinds[0] == kinds[1] else Kind("file", "bytes", why="of two kinds")


def _kind_of(path: Path, name: str) -> Kind:
    with path.open("rb") as file:
        begin = file.read(4096)
    kind = _of_content(path, name, begin)
    named = Path(name).name
    if kind.role == ARRAYS and _PARAMETERS.search(named) and not _PREDICTIONS.search(named):
        return Kind(kind.name, kind.way, WEIGHTS, kind.form)
    if kind.form == "hdf5" and _PREDICTIONS.search(named):
        return Kind(kind.name, kind.way, ARRAYS, kind.form)
    if kind.way == "table" and _METRICS.search(named):
        return Kind(kind.name, kind.way, METRICS)
    return kind


def _of_content(path: Path, name: str, begin: bytes) -> Kind:
    end = Path(name).suffix.lower()
    if begin.startswith(_ZIP):
        return _ZIPS.get(end, _PICKLE if _BY_END.get(end) == _PICKLE else Kind("zip", "zip"))
    for mark, kind in _BY_BEGIN:
        if begin.startswith(mark):
            packed_tar = kind.way == "compressed" and re.search(
                r"\.tar\.|\.tgz$|\.tbz2?$|\.txz$", name
            )
            return Kind("tar", "tar") if packed_tar else kind
    if begin[257:262] == b"ustar" and tarfile.is_tarfile(path):
        return Kind("tar", "tar")
    if "tfevents" in Path(name).name:
        return Kind("TensorBoard events", "tensors", METRICS, "events")
    if end == ".index" and shards(path):
        return Kind("TensorFlow checkpoint", "tensors", WEIGHTS, "checkpoint")
    if end in _BY_END:
        return _BY_END[end]
    return _TEXT if _is_text(begin) else _BYTES


_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


def _is_text(begin: bytes) -> bool:
    """Whether a file that begins so is text: of any encoding that leaves control characters out."""
    return begin.startswith((b"\xff\xfe", b"\xfe\xff")) or not _CONTROL.search(begin)


def shards(index: Path) -> list[Path]:
    """The files of a TensorFlow checkpoint that belong to its `.index`, in order."""
    form = re.compile(re.escape(index.stem) + r"\.data-\d{5}-of-\d{5}")
    if index.suffix != ".index":
        return []
    return sorted(file for file in index.parent.iterdir() if form.fullmatch(file.name))
