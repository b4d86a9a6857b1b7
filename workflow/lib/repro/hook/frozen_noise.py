"""Frozen noise: random numbers in a pipeline that are the same ones in every epoch.

Synopsis:
    noise = FrozenNoise()
    noise.stepped(model, iterator)             # after each step: the lines where it is certain

A random operation with a seed, its own or the global one, begins again with each new iterator over
the dataset, which each epoch makes unless the dataset repeats by itself.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from repro.events.user_frames import Place, place_of
from repro.hook.pipelines import KEEPING, ancestors, is_kind

_SHAPES = {"Shape", "ShapeN", "Size", "Rank"}


class FrozenNoise:
    """Counts the iterators from which each model was trained, by the random operations in them."""

    def __init__(self) -> None:
        self._met: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()
        self._used: weakref.WeakKeyDictionary[Any, Counter[str]] = weakref.WeakKeyDictionary()

    def stepped(self, model: str, iterator: Any) -> list[Place]:
        """A model was trained on what an iterator gave: where numbers come a second time."""
        models = self._met.setdefault(iterator, set())
        if model in models:
            return []
        models.add(model)
        places: list[Place] = []
        for graph in _mapped(getattr(iterator, "_dataset", None)):
            noise = noisy(graph)
            if noise:
                used = self._used.setdefault(graph, Counter())
                used[model] += 1
                if used[model] > 1:
                    places += filter(None, (_place(graph, name) for name in noise))
        return places


def _mapped(dataset: Any) -> Iterable[Any]:
    """The graphs of the functions that the pipeline maps."""
    for node in ancestors(dataset, until=KEEPING):  # what was drawn before is kept as asked for
        if is_kind(node, "mapdataset") and callable(getattr(node, "_functions", None)):
            yield from (each.function.graph for each in node._functions())


def _place(graph: Any, name: str) -> Place | None:
    """The user's line that made an operation; None for what Keras' own pipelines draw."""
    for frame in reversed(graph.get_operation_by_name(name).traceback or ()):
        place = place_of(frame.filename, frame.lineno)
        if place or "data_adapters" in frame.filename:
            return place
    return None


def noisy(graph: Any) -> list[str]:
    """The operations of a graph that add seeded random numbers to what the function is given.

    Where nothing that is given comes in, the random numbers are the data, and the same on purpose.
    """
    proto = graph.as_graph_def()
    captured = {inner.op.name for _, inner in graph.captures}
    given = {tensor.op.name for tensor in graph.inputs} - captured
    library = {each.signature.name: each for each in proto.library.function}
    return sorted(_mixed(proto.node, given, library)[0])


def _mixed(
    nodes: Iterable[Any], given: Iterable[str], library: Mapping[str, Any]
) -> tuple[set[str], bool]:
    """Random operations, by name, that meet what is given; and whether there are any at all."""
    data, drawn, mixed = set(given), dict[str, set[str]](), set[str]()
    for node in nodes:
        names = {name.split(":")[0] for name in node.input if not name.startswith("^")}
        sources = {source for name in names for source in drawn.get(name, ())}
        meets = bool(names & data)
        bodies = [
            _mixed(body.node_def, [each.name for each in body.signature.input_arg], library)
            for body in _called(node, library)
        ]
        if _draws(node) or any(random for _, random in bodies):
            sources.add(node.name)
        if (sources and meets and (not bodies or sources != {node.name})) or any(
            inner for inner, _ in bodies
        ):
            mixed |= sources
        if sources:
            drawn[node.name] = sources
        elif meets and node.op not in _SHAPES:
            data.add(node.name)
    return mixed, bool(drawn)


def _draws(node: Any) -> bool:
    """Whether it draws from a state that a seed sets; without a seed both numbers are 0."""
    seeds = [node.attr[name].i for name in ("seed", "seed2") if name in node.attr]
    return len(seeds) == 2 and any(seeds)


def _called(node: Any, library: Mapping[str, Any]) -> Iterable[Any]:
    if node.op.endswith("Dataset"):
        return  # another pipeline, with iterators of its own
    for value in node.attr.values():
        for function in [value.func] if value.HasField("func") else value.list.func:
            if function.name in library:
                yield library[function.name]
