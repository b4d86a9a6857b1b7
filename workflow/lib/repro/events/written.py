"""Written: which variables a compiled function may change, read off its graph.

Synopsis:
    written(concrete_function)        # positions among its captures

What a graph only reads cannot change when it runs; so evaluation costs no digest, and a training
step is known by what it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_READING = {
    "ReadVariableOp", "VariableShape", "VarIsInitializedOp", "ResourceGather", "ResourceGatherNd",
    "_ReadVariablesOp", "DisableCopyOnRead",
}  # fmt: skip
_HANDING_ON = {"Identity", "Switch", "RefSwitch", "Enter", "Exit", "NextIteration", "Merge"}


def written(function: Any) -> set[int]:
    """The positions, among a concrete function's captures, of resources that it may write.

    An operation that is not known only to read counts as writing.
    """
    graph = function.graph.as_graph_def()
    inner = [placeholder.op.name for _, placeholder in function.graph.captures]
    names = {name: place for place, name in enumerate(inner)}
    return _written(
        graph.node, names, {each.signature.name: each for each in graph.library.function}
    )


def _written(
    nodes: Iterable[Any], names: Mapping[str, int], library: Mapping[str, Any]
) -> set[int]:
    """Args: names: those in this body that stand for a resource of the outermost function."""
    known, found = dict(names), set[int]()
    for node in nodes:
        inputs = [name.split(":")[0] for name in node.input if not name.startswith("^")]
        handled = {place: known[name] for place, name in enumerate(inputs) if name in known}
        if not handled or node.op in _READING:
            continue
        if node.op in _HANDING_ON:
            known[node.name] = next(iter(handled.values()))
            continue
        called = [library[name] for name in _called(node) if name in library]
        for body in called:
            # Conditionals have an argument before those of their branches.
            arguments = [argument.name for argument in body.signature.input_arg]
            before = len(inputs) - len(arguments)
            passed = {
                arguments[place - before]: resource
                for place, resource in handled.items()
                if 0 <= place - before < len(arguments)
            }
            found |= _written(body.node_def, passed, library)
        if not called:
            found |= set(handled.values())
    return found


def _called(node: Any) -> Iterable[str]:
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        for function in value.list.func:
            yield function.name
