"""Operations: layer, phase, inputs and place of every tensor of a step's graph.

Synopsis:
    described(starts, begin, marks, path)      # in topological order
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.data.user_errors import name_in
from repro.watch.op_attribution import Marks, Range

_READING = ("ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape")
_TAPE = "gradient_tape/"
_AFTER = ("gradient", "update")


@dataclass(frozen=True)
class InitialValue:
    """A variable as the step finds it: path, layer, handle, and the tensor of its value."""

    path: str
    layer: str | None
    handle: Any
    tensor: Any


@dataclass(frozen=True)
class Tensor:
    """One tensor of the step, and where it comes from; `inputs` are indices of others."""

    tensor: Any
    name: str
    op: str
    layer: str | None
    phase: str
    inputs: tuple[int, ...]
    file: str | None = None
    line: int | None = None


def recordable(tensor: Any) -> bool:
    """Whether a tensor has a value that can be read: numbers, truth values or text."""
    kind = tensor.dtype
    numeric = kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex
    return numeric or kind.name == "string"


def _inner(marks: Marks, kinds: Sequence[str], count: int) -> list[Range | None]:
    """For each operation the innermost range of these kinds around it."""
    innermost: list[Range | None] = [None] * count
    for span in reversed(marks.ranges):  # an inner one ends before the one around it
        if span.kind in kinds:
            innermost[span.first : span.last] = [span] * (span.last - span.first)
    return innermost


def _phases(marks: Marks, begin: int, layers: Sequence[str | None]) -> list[str]:
    """The phase of each operation, as far as their order tells."""
    phases, last = ["other"] * begin, "forward"
    for number, inside in enumerate(_inner(marks, ("augmentation", *_AFTER), len(layers))):
        if number < begin:
            continue
        if inside:
            last = "gradient" if inside.kind == "gradient" else "forward"
        elif layers[number]:
            last = "forward"
        # What is done to gradients, between the tape and the optimizer, counts for them.
        phases.append(inside.kind if inside else last)
    return phases


def _useless(operations: Sequence[Any], phases: Sequence[str]) -> set[str]:
    """The names of the operations from which no gradient or update is computed: metrics, say."""
    useless, used = set[str](), set[str]()
    for op, phase in zip(reversed(operations), reversed(phases), strict=True):
        if phase in _AFTER or op.name in used:
            used.update(tensor.op.name for tensor in op.inputs)
        else:
            useless.add(op.name)
    return useless


def _gradients(operations: Sequence[Any], layers: list[str | None]) -> None:
    """Finds the layers of gradients: their names begin with that of what they are for."""
    known: dict[str, str | None] = {}
    for op, layer in zip(operations, layers, strict=True):
        if not op.name.startswith(_TAPE):
            known.setdefault(op.name, layer)
            known.setdefault(op.name.rpartition("/")[0], layer)
    for number, op in enumerate(operations):
        scope = op.name.removeprefix(_TAPE) if op.name.startswith(_TAPE) else ""
        while scope and scope not in known:
            scope = scope.rpartition("/")[0]
        if scope:
            layers[number] = known[scope]


def _updates(
    operations: Sequence[Any], phases: Sequence[str], layers: list[str | None],
    owners: Mapping[str, str | None],
) -> None:  # fmt: skip
    """Finds the layers of updates: that of the one variable which they end in."""
    ends: dict[str, set[str | None]] = {}
    for number in reversed(range(len(operations))):
        op = operations[number]
        if phases[number] != "update":
            continue
        targets = ends.setdefault(op.name, set())
        targets.update(owners[tensor.name] for tensor in op.inputs if tensor.name in owners)
        if len(targets) == 1:
            (layers[number],) = targets
        for tensor in op.inputs:
            ends.setdefault(tensor.op.name, set()).update(targets)


class _Flow:
    """What each tensor was computed from, also through variables and lists of tensors."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self._of: dict[str, tuple[int, ...]] = {}

    def holds(self, name: str, tensor: Tensor) -> None:
        """Takes a tensor; `name` is what operations call it, or the variable that it is of."""
        self._of[name] = (len(self.tensors),)
        self.tensors.append(tensor)

    def inputs(self, op: Any) -> tuple[int, ...]:
        """The tensors that an operation works on."""
        of = self._of
        return tuple(sorted({number for t in op.inputs for number in of.get(t.name, ())}))

    def hands_on(self, op: Any, inputs: tuple[int, ...], valued: Sequence[str]) -> None:
        """Lets what has no value of its own, a variable or a list, stand for what went into it."""
        written = [t.name for t in op.inputs if not recordable(t) and op.type not in _READING]
        outputs = [t.name for t in op.outputs if not recordable(t)]
        computed = tuple(number for name in valued for number in self._of[name])
        for name in (*written, *outputs):
            self._of[name] = tuple(sorted({*self._of.get(name, ()), *inputs, *computed}))


def _place(op: Any, path: Path) -> tuple[str | None, int | None]:
    """The innermost line of the user's that made an operation."""
    for frame in reversed(list(op.traceback)):
        file = name_in(path, frame.filename)
        if file:
            return file, frame.lineno
    return None, None


def described(starts: Sequence[InitialValue], begin: int, marks: Marks, path: Path) -> list[Tensor]:
    """Every tensor of the step that has a value, with layer, phase, inputs and the user's line.

    In topological order, after the variables as the step finds them. `begin` is the number of
    operations before the step's own.
    """
    operations = marks.graph.get_operations()
    handles = {id(start.handle): start for start in starts}
    known = {t.name: handles[id(v)] for v, t in marks.graph.captures if id(v) in handles}
    layers = [span and (span.name or None) for span in _inner(marks, ("layer",), len(operations))]
    phases = _phases(marks, begin, layers)
    _gradients(operations, layers)
    _updates(operations, phases, layers, {name: start.layer for name, start in known.items()})
    useless = _useless(operations, phases)
    after = min((r.first for r in marks.ranges if r.kind in _AFTER), default=0)
    flow = _Flow()
    for name, start in known.items():
        flow.holds(name, Tensor(start.tensor, start.path, "Variable", start.layer, "other", ()))
    for number, op in enumerate(operations):
        if number < begin and op.type != "Placeholder":
            continue  # the reading of what `starts` holds
        layer, phase = layers[number], phases[number]
        if phase == "forward" and layer is None and number > after and op.name in useless:
            phase = "other"
        inputs, place = flow.inputs(op), _place(op, path)
        outputs = [tensor for tensor in op.outputs if recordable(tensor)]
        for tensor in outputs:
            row = Tensor(tensor, tensor.name, op.type, layer, phase, inputs, *place)
            flow.holds(tensor.name, row)
        flow.hands_on(op, inputs, [tensor.name for tensor in outputs])
    return flow.tensors
