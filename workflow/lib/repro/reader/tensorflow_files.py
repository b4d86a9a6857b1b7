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

from repro.reader.distance import Found, Tensor, of_array, short

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_NUMBERED = (
    re.compile(r"(\b__(?:inference|forward|backward)_\w*?_)\d+\b"),
    re.compile(r'("_user_specified_name"\s+value \{\s+s: ")\d+(?=")'),
)
"""What TensorFlow numbers in the order in which the process made it: functions, captures."""


def checkpoint(found: Found, left: str, right: str) -> None:
    """Compares two checkpoints by variable."""
    import tensorflow as tf

    one, other = (tf.train.load_checkpoint(prefix) for prefix in (left, right))
    names = [reader.get_variable_to_shape_map() for reader in (one, other)]
    for name in found.missing(*map(sorted, names)):
        place = name.replace("/.ATTRIBUTES/VARIABLE_VALUE", "")
        a, b = (_variable(reader, name) for reader in (one, other))
        if name == _GRAPH:
            found.compared += 1
            if a.read(()).tobytes() != b.read(()).tobytes():
                found.add(f"{place} (which variable belongs to which object)", "", "")
        else:
            found.compare(place, a, b)


def _variable(reader: Any, name: str) -> Tensor:
    import numpy as np

    return of_array(np.asarray(reader.get_tensor(name)))


def saved_model(found: Found, left: str, right: str) -> None:
    """Compares two SavedModels by variable, and their graphs without the numbers of functions.

    Their assets are files, which the caller compares.
    """
    prefixes = [os.path.join(folder, "variables", "variables") for folder in (left, right)]  # noqa: PTH118
    if all(os.path.exists(prefix + ".index") for prefix in prefixes):  # noqa: PTH110
        checkpoint(found, *prefixes)
    else:
        found.notes.append("without variables")
    contents = []
    for folder in (left, right):
        with open(os.path.join(folder, "saved_model.pb"), "rb") as file:  # noqa: PTH118, PTH123
            contents.append(file.read())
    found.compared += 1
    if contents[0] != contents[1]:
        _graphs(found, contents[0], contents[1])


def _graphs(found: Found, left: bytes, right: bytes) -> None:
    one, other = (_lines(content) for content in (left, right))
    if one == other:
        found.masked.append("numbers of TensorFlow's functions")
        return
    pairs = [pair for pair in zip(one, other) if pair[0] != pair[1]]
    apart = pairs[0] if pairs else (f"{len(one)} lines", f"{len(other)} lines")
    found.add("graph (saved_model.pb)", *map(short, apart))


def _lines(content: bytes) -> list[str]:
    """A SavedModel's graph as text, whatever order and number its functions have."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString(content)
    functions: list[str] = []
    for graph in model.meta_graphs:
        library = graph.graph_def.library
        functions += sorted(_without_numbers(str(function)) for function in library.function)
        del library.function[:]
    return "\n".join([_without_numbers(str(model)), *functions]).splitlines()


def _without_numbers(text: str) -> str:
    for pattern in _NUMBERED:
        text = pattern.sub(r"\1#", text)
    return text


def events(found: Found, left: str, right: str) -> None:
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
        import tensorflow as tf
        from tensorflow.core.util import event_pb2

        return tf.compat.v1.io.tf_record_iterator, event_pb2.Event, tf.make_ndarray
    except ImportError:
        from tensorboard.backend.event_processing import event_file_loader
        from tensorboard.compat.proto import event_pb2
        from tensorboard.util import tensor_util

        loader = event_file_loader.RawEventFileLoader
        return (lambda path: loader(path).Load()), event_pb2.Event, tensor_util.make_ndarray


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
    import numpy as np

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
