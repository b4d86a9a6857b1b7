"""TensorFlow's files: checkpoints and SavedModels by variable, TensorBoard's events without time.

Synopsis:
    checkpoint(found, "first/ckpt-1", "second/ckpt-1")          # prefixes
    saved_model(found, "first/export", "second/export")         # folders
    events(found, "first/events.out.tfevents.1", "second/events.out.tfevents.2")
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from repro.reader.blocks import BlockedTensor, library, of_array
from repro.reader.distance import short
from repro.reader.tensor_findings import TensorFindings

_GRAPH, _VALUE = "_CHECKPOINTABLE_OBJECT_GRAPH", "/.ATTRIBUTES/VARIABLE_VALUE"
_ORDER = "order in which an export numbers its variables"
_NUMBERED = (
    re.compile(r"(\b__(?:inference|forward|backward)_\w*?_)\d+\b"),
    re.compile(r'("_user_specified_name"\s+value \{\s+s: ")\d+(?=")'),
)
"""What TensorFlow numbers in the order in which the process made it: functions, captures."""


def checkpoint(found: TensorFindings, left: str, right: str) -> None:
    """Compares two checkpoints by variable."""
    tf = library("tensorflow")
    one, other = (_Checkpoint(tf.train.load_checkpoint(prefix)) for prefix in (left, right))
    # Keras' export numbers variables in the order of a set; their own names say which is which,
    # where no two share one.
    labelled = one.by_label(), other.by_label()
    unique = [len(each) for each in labelled] == [len(one.places), len(other.places)]
    if one.graph != other.graph:
        found.compared += 1
        if one.objects() != other.objects():
            found.add("which variable belongs to which object", "", "")
        elif one.labels != other.labels and unique:
            found.masked.append(_ORDER)
    if unique:
        one.places, other.places = labelled
    for place in found.missing(one.places, other.places):
        found.compare(place, one.variable(place), other.variable(place))


class _Checkpoint:
    """A checkpoint's variables by place, and what its object graph says of them."""

    def __init__(self, reader: Any) -> None:
        messages = library("tensorflow.core.protobuf.trackable_object_graph_pb2")
        self.reader = reader
        names = sorted(reader.get_variable_to_shape_map())
        self.graph = reader.get_tensor(_GRAPH) if _GRAPH in names else b""
        nodes = messages.TrackableObjectGraph.FromString(self.graph).nodes
        self.nodes = nodes
        self.labels = {a.checkpoint_key: a.full_name for node in nodes for a in node.attributes}
        self.places = {name.replace(_VALUE, ""): name for name in names if name != _GRAPH}

    def objects(self) -> Any:
        """What there is, whatever order and number it has."""
        attributes = [(a.name, a.full_name) for node in self.nodes for a in node.attributes]
        children = [sorted(child.local_name for child in node.children) for node in self.nodes]
        slots = [sorted(slot.slot_name for slot in node.slot_variables) for node in self.nodes]
        return sorted(attributes), sorted(children), sorted(slots)

    def by_label(self) -> dict[str, str]:
        """The variables by place; in a list by their own names, not by number."""
        named: dict[str, str] = {}
        for place, name in self.places.items():
            holder, _, last = place.rpartition("/")
            label = self.labels.get(name) if last.isdecimal() else None
            named[f"{holder}/{label}" if label else place] = name
        return named

    def variable(self, place: str) -> BlockedTensor:
        np = library("numpy")
        return of_array(np.asarray(self.reader.get_tensor(self.places[place])))


def saved_model(found: TensorFindings, left: str, right: str) -> None:
    """Compares two SavedModels by variable, and their graphs without the numbers of functions.

    Their assets are files, which the caller compares.
    """
    prefixes = [os.path.join(folder, "variables", "variables") for folder in (left, right)]  # noqa: PTH118
    if all(os.path.exists(prefix + ".index") for prefix in prefixes):  # noqa: PTH110
        checkpoint(found, *prefixes)
    else:
        found.notes.append("without variables")
    contents: list[bytes] = []
    for folder in (left, right):
        with open(os.path.join(folder, "saved_model.pb"), "rb") as file:  # noqa: PTH118, PTH123
            contents.append(file.read())
    found.compared += 1
    if _ORDER in found.masked:
        found.notes.append("graph not compared, since the variables have another order in it")
    elif contents[0] != contents[1]:
        _graphs(found, contents[0], contents[1])


def _graphs(found: TensorFindings, left: bytes, right: bytes) -> None:
    one, other = (_lines(content) for content in (left, right))
    if one == other:
        found.masked.append("numbers of TensorFlow's functions")
        return
    pairs = [pair for pair in zip(one, other) if pair[0] != pair[1]]
    a, b = pairs[0] if pairs else (f"{len(one)} lines", f"{len(other)} lines")
    found.add("graph (saved_model.pb)", short(a), short(b))


def _lines(content: bytes) -> list[str]:
    """A SavedModel's graph as text, whatever order and number its functions have."""
    messages = library("tensorflow.core.protobuf.saved_model_pb2")
    model = messages.SavedModel.FromString(content)
    functions: list[str] = []
    for graph in model.meta_graphs:
        defined = graph.graph_def.library.function
        functions += sorted(_without_numbers(str(function)) for function in defined)
        del defined[:]
    return "\n".join([_without_numbers(str(model)), *functions]).splitlines()


def _without_numbers(text: str) -> str:
    for pattern in _NUMBERED:
        text = pattern.sub(r"\1#", text)
    return text


def events(found: TensorFindings, left: str, right: str) -> None:
    """Compares two files of TensorBoard by tag, step and occurrence; wall time is left out."""
    reader = _reader()
    one, other = (dict(_values(reader, path)) for path in (left, right))
    for key in found.missing(one, other):
        a, b = one[key], other[key]
        if isinstance(a, bytes) or isinstance(b, bytes):
            found.compared += 1
            if a != b:
                found.add(key, _count(a), _count(b))
        else:
            scalar = a.size == b.size == 1 and a.dtype.kind in "fiu"
            found.compare(
                key, of_array(a), of_array(b), key.split(" at step ")[0] if scalar else None
            )
    found.masked.append("wall time")


def _count(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else short(value)


def _reader() -> tuple[Any, Any, Any]:
    """What reads records, what parses an event, and what makes an array of a tensor of one."""
    try:
        tf = library("tensorflow")
        event = library("tensorflow.core.util.event_pb2").Event
        return tf.compat.v1.io.tf_record_iterator, event, tf.make_ndarray
    except ModuleNotFoundError:
        loader = library("tensorboard.backend.event_processing.event_file_loader")
        event = library("tensorboard.compat.proto.event_pb2").Event
        array = library("tensorboard.util.tensor_util").make_ndarray

        def records(path: str) -> Any:
            return loader.RawEventFileLoader(path).Load()

        return records, event, array


def _values(reader: tuple[Any, Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    """What was logged, by a name that is the same in both runs."""
    records, parse, array = reader
    seen: dict[str, int] = {}
    for record in records(path):
        event = parse.FromString(bytes(record))
        for name, value in _parts(event, array):
            place = f"{name} at step {event.step}"
            seen[place] = seen.get(place, 0) + 1
            yield place if seen[place] == 1 else f"{place}, number {seen[place]}", value


def _parts(event: Any, array: Any) -> Iterator[tuple[str, Any]]:
    np = library("numpy")
    what = event.WhichOneof("what")
    if what == "tagged_run_metadata":  # how long each operation took
        return
    if what != "summary":
        event.ClearField("wall_time")
        event.ClearField("source_metadata")
        yield what or "nothing", event.SerializeToString(deterministic=True)
        return
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            yield value.tag, np.asarray(value.simple_value, np.float32)
        elif kind == "tensor" and not array(value.tensor).dtype.hasobject:
            yield value.tag, array(value.tensor)
        else:
            yield value.tag, value.SerializeToString(deterministic=True)
