"""Constant RNG: random numbers of a traced graph that are the same at every step.

Synopsis:
    walk = TaintAnalysis(concrete_function)
    for noise in walk.frozen(): ...

What may change from step to step is followed through the graph: from the function's arguments,
from variables that the step assigns, from stateful operations. A random operation whose seed
none of these reaches draws the same numbers at every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from repro.watch.graphs import Body, callees

_NONE: frozenset[Any] = frozenset()
Name = tuple[str, str]
"""A function's name, empty for the outermost; and an operation's."""

_PROJECTIONS = {
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "Conv3D",
    "Conv2DBackpropInput", "Conv2DBackpropFilter", "DepthwiseConv2dNative", "GatherV2",
}  # fmt: skip
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
_LOOPS = ("While", "StatelessWhile")
_READS = ("ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape")
_SIZES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")
_SEEDS, _FORM = {"key", "counter", "seed"}, {"shape", "alg", "num_samples"}


@dataclass(frozen=True)
class Value:
    """What is known of a tensor.

    `changes`: it may be another one at another step. `noise`: frozen random numbers that it is
    made of. `variables`: it is the handle of one of these.
    """

    changes: bool
    noise: frozenset[Name] = _NONE
    variables: frozenset[int] = _NONE

    def __or__(self, other: Value) -> Value:
        changes = self.changes or other.changes
        noise = _NONE if changes else self.noise | other.noise
        return Value(changes, noise, self.variables | other.variables)


def _joined(values: Iterable[Value]) -> Value:
    joined = Value(False)
    for value in values:
        joined |= value
    return joined


@dataclass
class Noise:
    """Random numbers of one operation, and the kinds of operations that bring them to the data.

    `outer` is the operation of the outermost function within which they are drawn, `by_example`
    says whether they differ between the places of a batch.
    """

    op: Any
    body: Body
    outer: Any
    by_example: bool
    acts_in: set[str] = field(default_factory=set[str])

    @property
    def projects(self) -> bool:
        """Whether they do as a fixed projection does: multiply as a matrix, or be looked up in."""
        return self.acts_in <= _PROJECTIONS


def _shape(tensor: Any) -> list[int | None] | None:
    return None if tensor.shape.rank is None else tensor.shape.as_list()


def _arguments(op: Any) -> list[str]:
    return [argument.name for argument in op.op_def.input_arg]


def _is_random(op: Any) -> bool:
    drawing = op.type.startswith(("Stateless", "RandomIndex")) and "RandomGet" not in op.type
    return drawing and bool({"key", "seed"} & {*_arguments(op)})


class TaintAnalysis:
    """Follows through a function, and all that it calls, what changes from step to step.

    Args:
        function: a ConcreteFunction; its arguments change from step to step.
        drawn: constants that are random numbers.
        assigned: variables that change; by default those that the function assigns.
        all_change: whether any variable may, as where callbacks can assign to them.
    """

    def __init__(
        self,
        function: Any,
        drawn: frozenset[Name] = _NONE,
        assigned: frozenset[int] | None = None,
        all_change: bool = False,
    ) -> None:
        self._body, self._drawn, self._all_change = Body(function.graph), drawn, all_change
        self.assigned: frozenset[int] = assigned or _NONE
        self._walk()
        if assigned is None:
            self.assigned = frozenset(self._written)
            self._walk()

    def frozen(self) -> list[Noise]:
        """Random numbers that are the same at every step and act on what changes."""
        return [
            noise
            for name, noise in self._noise.items()
            if name not in self._changing and noise.acts_in
        ]

    def _walk(self) -> None:
        self._written: set[int] = set()
        self._noise: dict[Name, Noise] = {}
        self._changing: set[Name] = set()
        captured = {inner.name: outer for outer, inner in self._body.graph.captures}
        arguments: list[Value] = []
        for tensor in self._body.graph.inputs:
            outer = captured.get(tensor.name)
            handle = outer is not None and tensor.dtype.name == "resource"
            variables: frozenset[int] = frozenset({id(outer)}) if handle else _NONE
            arguments.append(Value(outer is None, variables=variables))
        self._follow(self._body, arguments)

    def _follow(self, body: Body, arguments: Sequence[Value]) -> list[Value]:
        known = {t.name: v for t, v in zip(body.graph.inputs, arguments, strict=True)}
        waiting: list[Any] = [
            op
            for op in body.graph.get_operations()
            if not op.outputs or op.outputs[0].name not in known
        ]
        while waiting:
            # A loop stands before what its gradient later made it take.
            late = [op for op in waiting if not self._known(body, op, known)]
            if len(late) == len(waiting):
                known |= {tensor.name: Value(True) for tensor in late[0].inputs}
            waiting = late
        return [known[tensor.name] for tensor in body.graph.outputs]

    def _known(self, body: Body, op: Any, known: dict[str, Value]) -> bool:
        """Adds what is known of an operation's outputs; False where an input is not known yet."""
        if any(tensor.name not in known for tensor in op.inputs):
            return False
        if not body.within:
            self._outer = op
        results = self._results(body, op, [known[tensor.name] for tensor in op.inputs])
        known |= {t.name: v for t, v in zip(op.outputs, results, strict=True)}
        return True

    def _results(self, body: Body, op: Any, values: list[Value]) -> list[Value]:
        if op.type in _CALLS:
            return self._follow(body.called(callees(op)[0]), values)
        if op.type in _BRANCHES:
            return self._branches(body, op, values)
        if op.type in _LOOPS:
            return self._loop(body, op, values)
        if _is_random(op):
            return self._random(body, op, values)
        if (body.within, op.name) in self._drawn:
            return [self._found(body, op)] * len(op.outputs)
        return [self._plain(op, values)] * len(op.outputs)

    def _branches(self, body: Body, op: Any, values: list[Value]) -> list[Value]:
        branches = [self._follow(body.called(name), values[1:]) for name in callees(op)]
        self._meet(op, values)
        results: list[Value] = []
        for several in zip(*branches, strict=True):
            choice = [Value(values[0].changes, values[0].noise), *several]
            self._meet(op, choice)
            results.append(_joined(choice))
        return results

    def _loop(self, body: Body, op: Any, values: list[Value]) -> list[Value]:
        condition, inner = (body.called(name) for name in callees(op))
        while True:
            after = self._follow(inner, values)
            ends = Value(self._follow(condition, values)[0].changes)
            joined = [old | new | ends for old, new in zip(values, after, strict=True)]
            if joined == values:
                return values
            values = joined

    def _random(self, body: Body, op: Any, values: list[Value]) -> list[Value]:
        named = dict(zip(_arguments(op), values, strict=True))
        if any(value.changes for name, value in named.items() if name in _SEEDS):
            self._changing.add((body.within, op.name))
            return [Value(True)] * len(op.outputs)
        drawn = self._found(body, op)
        # Random choices among values, or by parameters, that change.
        rest = [value for name, value in named.items() if name not in _SEEDS | _FORM]
        self._meet(op, [drawn, *rest])
        return [_joined([drawn, *rest])] * len(op.outputs)

    def _found(self, body: Body, op: Any) -> Value:
        name = (body.within, op.name)
        by_example = any(None in (_shape(tensor) or [None]) for tensor in op.outputs)
        if name not in self._noise:
            self._noise[name] = Noise(op, body, self._outer, by_example)
        return Value(False, frozenset({name}))

    def _plain(self, op: Any, values: list[Value]) -> Value:
        if op.type == "Identity":
            return values[0]
        handles = frozenset(name for value in values for name in value.variables)
        if op.type in _READS:
            changes = self._all_change or not handles or bool(handles & self.assigned)
            values = [Value(changes), *values[1:]]
            self._meet(op, values)
            return _joined(values)
        self._written |= handles
        if op.op_def.is_stateful or callees(op) or op.type == "Placeholder":
            return Value(True)
        if op.type in _SIZES:
            return Value(any(value.changes for value in values))
        self._meet(op, values)
        return _joined(values)

    def _meet(self, op: Any, values: Sequence[Value]) -> None:
        """Notes where random numbers come together with what changes."""
        if not any(value.changes for value in values):
            return
        for place, value in enumerate(values):
            for name in value.noise:
                noise = self._noise[name]
                chooses = op.type == "GatherV2" and place > 0
                noise.acts_in.add("Gather by them" if chooses else op.type)
                noise.by_example |= op.type not in _PROJECTIONS and _over_batch(op, place)


def _over_batch(op: Any, place: int) -> bool:
    """Whether an input of a fixed size has a row for each place of a batch of another's."""
    if place >= len(op.inputs):
        return False
    own, *others = (_shape(op.inputs[n]) for n in (place, *range(len(op.inputs))))
    if not own or own[0] in (None, 1):
        return False
    return any(other and len(other) == len(own) and other[0] is None for other in others)
