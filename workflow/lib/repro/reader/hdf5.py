"""HDF5: groups, datasets, links and attributes of a file of any origin, Keras' among them.

Synopsis:
    hdf5(found, "first/model.weights.h5", "second/model.weights.h5")
"""

from __future__ import annotations

from typing import Any

from repro.reader.blocks import BlockedTensor, library, of_array
from repro.reader.distance import short
from repro.reader.tensor_findings import TensorFindings


def hdf5(found: TensorFindings, left: str, right: str) -> None:
    """Compares two files by dataset and by attribute; links by what they say, never followed."""
    h5py = library("h5py")
    with h5py.File(left, "r") as one, h5py.File(right, "r") as other:
        _Walk(found).objects("", one, other)


class _Walk:
    def __init__(self, found: TensorFindings) -> None:
        self.found = found
        self.seen: set[Any] = set()

    def objects(self, place: str, left: Any, right: Any) -> None:
        h5py = library("h5py")
        kinds = [type(side).__name__ for side in (left, right)]
        kinds = ["Group" if kind == "File" else kind for kind in kinds]
        if kinds[0] != kinds[1]:
            self.found.add(place, kinds[0].lower(), kinds[1].lower())
            return
        self.attributes(place, left, right)
        if isinstance(left, h5py.Dataset):
            self.datasets(place, left, right)
        elif isinstance(left, h5py.Datatype):
            self.found.equal(place, left.dtype, right.dtype)
        elif left.id not in self.seen:  # a group may hold itself
            self.seen.add(left.id)
            for name in self.found.missing(_names(left), _names(right), _inside(place)):
                self.members(_inside(place).format(name), name, left, right)

    def members(self, place: str, name: Any, left: Any, right: Any) -> None:
        h5py = library("h5py")
        links = [side.get(name, getlink=True) for side in (left, right)]
        if all(isinstance(link, h5py.HardLink) for link in links):
            self.objects(place, left[name], right[name])
        else:
            self.found.equal(place, *map(_link, links))

    def attributes(self, place: str, left: Any, right: Any) -> None:
        at = place + "@{}"
        for name in self.found.missing(sorted(left.attrs), sorted(right.attrs), at):
            one, other = left.attrs[name], right.attrs[name]
            if isinstance(one, str) and isinstance(other, str):
                self.found.text(at.format(name), one, other)
            elif _is_plain_array(one) and _is_plain_array(other):
                self.found.compare(at.format(name), of_array(one), of_array(other))
            else:
                self.found.equal(at.format(name), _plain(one, left), _plain(other, right))

    def datasets(self, place: str, left: Any, right: Any) -> None:
        h5py = library("h5py")
        if left.shape is None or right.shape is None:  # an empty one has a type and no shape
            self.found.equal(place, (left.shape, left.dtype), (right.shape, right.dtype))
            return
        enumerations = [h5py.check_enum_dtype(side.dtype) for side in (left, right)]
        if enumerations[0] != enumerations[1]:
            self.found.add(place, short(enumerations[0]), short(enumerations[1]))
            return
        self.found.compare(place, _tensor(left), _tensor(right))


def _inside(place: str) -> str:
    return (place.replace("{", "{{").replace("}", "}}") + "/" if place else "") + "{}"


def _names(group: Any) -> Any:
    return sorted(group.keys(), key=str)


def _link(link: Any) -> str:
    kind = type(link).__name__
    return f"{kind} {getattr(link, 'filename', '')} {getattr(link, 'path', '')}".strip()


def _is_plain_array(value: Any) -> bool:
    np = library("numpy")
    return isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject


def _tensor(dataset: Any) -> BlockedTensor:
    np = library("numpy")

    def read(block: Any) -> Any:
        array = np.asarray(dataset[block] if block else dataset[()])
        if not array.dtype.hasobject:
            return array
        flat = np.empty(array.size, object)
        flat[:] = [_plain(value, dataset) for value in array.reshape(-1)]
        return flat.reshape(array.shape)

    return BlockedTensor(dataset.shape, dataset.dtype, read)


def _plain(value: Any, holder: Any) -> Any:
    """A value that is written the same wherever it lies in a file: a reference by name."""
    h5py = library("h5py")
    np = library("numpy")
    if isinstance(value, (h5py.Reference, h5py.RegionReference)):
        return f"reference to {holder.file[value].name}" if value else "no reference"
    if isinstance(value, np.void) and value.dtype.names:
        return tuple(_plain(value[name], holder) for name in value.dtype.names)
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return [value.shape, [_plain(each, holder) for each in value.reshape(-1)]]
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return value
