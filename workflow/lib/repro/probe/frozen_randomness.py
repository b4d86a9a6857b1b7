"""Where a training step, or `augment`, uses the same random numbers again and again.

Synopsis:
    in_step(model, batch, path, all_change=False)    # [FrozenSource(layer="noise", line=12, …)]
    in_augment(augment, batch, seeds, path)

A function is traced twice: constants that differ were drawn by NumPy or Python while TensorFlow
traced, once for the whole training. What draws from a seed that nothing changes is found by
`repro.probe.constant_rng`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repro.model.training_plan import packed, unpacked
from repro.probe.constant_rng import Name, Noise, TaintAnalysis
from repro.probe.reseeded import reseeded
from repro.variables.training_state import drawing
from repro.watch.graphs import Body, constants, place
from repro.watch.op_attribution import Marks, marked

_CONSTANT = "it draws from a seed that never changes"
_TRACED = "NumPy or Python gave them once, while TensorFlow traced the step"
_CHOSEN = "NumPy or Python chose among its operations once, while TensorFlow traced the step"
_PLACED = "they differ between copies of one example, but not between two seeds"
_COPIES, _TRIES = 4, 8


@dataclass(frozen=True)
class FrozenSource:
    """What uses the same random numbers at every step: the layer, if one; the line; and why."""

    layer: str | None
    file: str | None
    line: int | None
    why: str


def of_any_size(batch: Any) -> Any:
    """The signature of a batch of any number of examples."""
    import tensorflow as tf

    def spec(part: Any) -> Any:
        return tf.TensorSpec([None, *part.shape[1:]], part.dtype)

    return tf.nest.map_structure(spec, batch)


def _function(function: Callable[[Any], Any], batch: Any) -> Any:
    import tensorflow as tf

    whole = tf.function(function, input_signature=[of_any_size(batch)], autograph=False)
    return whole.get_concrete_function()


@dataclass(frozen=True)
class _Graph:
    """A function's graph, which of its constants were drawn, and what is frozen in it."""

    function: Any
    drawn: frozenset[Name]
    """In another way each time that it is traced."""
    seeded: frozenset[Name]
    """From a seed that the code sets by itself."""
    chosen: bool
    """Whether its operations depend on numbers that were drawn."""

    def walk(
        self, assigned: frozenset[int] | None = None, all_change: bool = False
    ) -> TaintAnalysis:
        return TaintAnalysis(self.function, self.drawn | self.seeded, assigned, all_change)


def _other_constants(first: Any, second: Any) -> frozenset[Name] | None:
    """The constants of a graph that are others in the second one; None if it is built otherwise."""
    (kinds, mine), (other_kinds, others) = (
        constants(Body(function.graph)) for function in (first, second)
    )
    if kinds != other_kinds:
        return None
    digests = dict(others.values())
    return frozenset(name for name, (number, digest) in mine.items() if digests[number] != digest)


def _traced(make: Callable[[], Any]) -> _Graph:
    with reseeded(shift=0) as seeding:
        first = make()
    drawn: frozenset[Name] | None = frozenset()
    drew, tries = True, 0
    # A choice between two may fall alike several times.
    while drew and drawn == frozenset() and tries < _TRIES:
        before, tries = drawing(), tries + 1
        drawn = _other_constants(first, make())
        drew = drawing() != before
    seeded: frozenset[Name] | None = frozenset()
    if seeding.used:
        with reseeded():
            seeded = _other_constants(first, make())
    return _Graph(first, drawn or frozenset(), seeded or frozenset(), drew and drawn is None)


def _kind(noise: Noise, path: Path) -> Any:
    """What tells that random numbers in two graphs are of one and the same line."""
    shapes = tuple(str(tensor.shape) for tensor in noise.op.outputs)
    return noise.op.type, shapes, place(noise.body.frames(noise.op), path)


def _sources(
    graph: _Graph, walk: TaintAnalysis, path: Path, layers: Mapping[str, str],
    counts: Callable[[Noise], bool],
) -> list[FrozenSource]:  # fmt: skip
    """The frozen noise of a graph, of what is the same at every place where `counts` says so."""
    sources: list[FrozenSource] = []
    for noise in walk.frozen():
        traced = (noise.body.within, noise.op.name) in graph.drawn
        if traced or noise.by_example or counts(noise):
            at = place(noise.body.frames(noise.op), path) or (None, None)
            why = _TRACED if noise.op.type == "Const" else _CONSTANT
            sources.append(FrozenSource(layers.get(noise.outer.name), *at, why))
    if graph.chosen:
        sources.append(FrozenSource(None, None, None, _CHOSEN))
    return list(dict.fromkeys(sources))


def _layers(marks: Marks) -> dict[str, str]:
    """The innermost layer of each operation that a layer made."""
    operations, layers = marks.graph.get_operations(), dict[str, str]()
    ranges = [span for span in marks.ranges if span.kind == "layer" and span.name]
    for span in sorted(ranges, key=lambda span: (span.first, -span.last)):
        layers |= {op.name: span.name for op in operations[span.first : span.last]}
    return layers


def _projecting(model: Any, x: Any, path: Path, assigned: frozenset[int]) -> set[Any] | None:
    """The kinds of frozen numbers in inference; None where the model cannot be called as such."""

    def inference(x: Any) -> Any:
        return model(x, training=False)

    try:
        graph = _traced(lambda: _function(inference, x))
    except Exception:  # of the user's code, which need not be able to do this
        return None
    return {_kind(noise, path) for noise in graph.walk(assigned).frozen()}


def in_step(model: Any, batch: Any, path: Path, all_change: bool) -> list[FrozenSource]:
    """Frozen noise in the model's training step: each once, in the order of the graph.

    What has a row for each place of the batch is noise. What has not may be a fixed projection or
    table: it counts as noise only where it is neither used as one nor there in inference as well.

    Args:
        batch: (x,), (x, y) or (x, y, sample_weight).
        all_change: whether any variable may change between two steps.
    """
    marks: list[Marks] = []

    def step(data: Any) -> Any:
        with marked(model) as step_marks:
            marks.append(step_marks)
            return model.train_step(packed(*unpacked(data)))

    graph = _traced(lambda: _function(step, batch))
    walk = graph.walk(all_change=all_change)
    same = _projecting(model, batch[0], path, walk.assigned) if walk.frozen() else None

    def in_training_alone(noise: Noise) -> bool:
        return same is not None and not noise.projects and _kind(noise, path) not in same

    return _sources(graph, walk, path, _layers(marks[0]), in_training_alone)


def as_trained(augment: Callable[..., Any], batch: Any) -> Any:
    """`augment` as a training calls it: a TensorFlow function for batches of any size.

    It takes what the batch has of x and y, and the seed.
    """
    import tensorflow as tf

    def of_inputs(x: Any, seed: Any) -> Any:
        return augment(x, None, seed)

    signature = [*map(of_any_size, batch[:2]), tf.TensorSpec([2], tf.int32)]
    return tf.function(augment if len(batch) > 1 else of_inputs, input_signature=signature)


def in_augment(
    augment: Callable[..., Any], batch: Any, seeds: Sequence[Any], path: Path
) -> list[FrozenSource]:
    """Frozen noise in the user's `augment`: each once, in the order of the graph.

    The batch is (x, y, …), before it is augmented; there are two seeds, int32 [2] each.
    """
    graph = _traced(lambda: as_trained(augment, batch).get_concrete_function())
    sources = _sources(graph, graph.walk(), path, {}, lambda _noise: True)
    if not sources and _by_place(as_trained(augment, batch), batch, seeds):
        sources.append(FrozenSource(None, None, None, _PLACED))
    return sources


def _by_place(augment: Callable[..., Any], batch: Any, seeds: Sequence[Any]) -> bool:
    """Whether all copies of one example come out differently, but the same for both seeds."""
    import tensorflow as tf

    def copies(part: Any) -> Any:
        return tf.repeat(part[:1], tf.shape(part)[0], axis=0)

    fed = [tf.nest.map_structure(copies, part) for part in batch[:2]]
    first, second = (tf.nest.flatten(augment(*fed, tf.constant(seed))) for seed in seeds)
    count = len(tf.nest.flatten(fed)[0])
    for left, right in zip(first, second, strict=True):
        if left is None:  # there are no labels
            continue
        rows = np.asarray(left)
        distinct = {row.tobytes() for row in rows} if rows.shape[:1] == (count,) else ()
        if len(distinct) == count >= _COPIES and rows.tobytes() == np.asarray(right).tobytes():
            return True
    return False
