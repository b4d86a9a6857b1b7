"""Preconditions: what stands against taking up a killed training, as its graphs and its model show.

Synopsis:
    obstacles = of_model(model) + of_graph(concrete_function.graph, "the training step")
    mark(graph)                        # the same for the same operations, in any process

Whatever holds a state that cannot be read and put back is an obstacle: then no checkpoint is
written, and a kill costs the whole training, which is better than other bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, cast

from repro.watch.graphs import Body, callees, constants, nodes

# Stateful operations whose state lies in variables, or that have none.
_ALLOWED = (
    "Assign", "ReadVariableOp", "Resource", "VarHandleOp", "VarIsInitializedOp", "VariableShape",
    "StatefulPartitionedCall", "PartitionedCall", "While", "If", "Case", "Assert", "Print", "NoOp",
    "Placeholder", "CheckNumerics", "EnsureShape", "StatelessRandom",
    # of a tf.random.Generator, whose state is a variable
    "StatefulUniform", "StatefulStandardNormal", "StatefulTruncatedNormal",
    "StatefulRandomBinomial", "RngReadAndSkip", "RngSkip",
)  # fmt: skip
_READING_TABLES = ("LookupTableFind", "LookupTableSize", "LookupTableExport")
_EAGER_METHODS = (
    "fit", "evaluate", "make_train_function", "make_test_function", "reset_metrics",
)  # fmt: skip


def _keeps_state(op: Any) -> bool:
    kind: str = op.type
    if kind.startswith("LookupTable"):
        return not kind.startswith(_READING_TABLES)
    if kind.startswith("CudnnRNN"):
        return bool(op.get_attr("dropout"))
    if kind == "PyFuncStateless":  # Python may keep what it likes
        return True
    return bool(op.op_def.is_stateful) and not kind.startswith(_ALLOWED)


def of_graph(graph: Any, what: str) -> list[str]:
    """Operations of `what` whose state cannot be kept, as reasons, each fit to follow "because"."""
    kinds = {op.type for _, op in nodes(Body(graph)) if _keeps_state(op)}
    return [f"{what} holds {kind}, whose state cannot be kept" for kind in sorted(kinds)]


def of_model(model: Any) -> list[str]:
    """What in the model lets Python take part in each step, where state is out of sight."""
    import keras

    kind = cast("Any", type(model))
    overridden = [n for n in _EAGER_METHODS if getattr(kind, n) is not getattr(keras.Model, n)]
    reasons = [f"the model has a {' and a '.join(overridden)} of its own"] if overridden else []
    return reasons + (["the model runs eagerly"] if model.run_eagerly else [])


def of_callbacks(callbacks: Sequence[Any]) -> list[str]:
    """Callbacks that put a state of their own in place of the one that was kept."""
    import keras

    own = [each for each in callbacks if isinstance(each, keras.callbacks.BackupAndRestore)]
    return [f"{type(each).__name__} resumes a training by itself" for each in own]


def _plain_attributes(op: Any) -> list[tuple[str, bytes]]:
    """The settings of an operation, but for the names of functions, which count up in a process."""
    return [
        (name, value.SerializeToString(deterministic=True))
        for name, value in sorted(op.node_def.attr.items())
        if not name.startswith("_")
        and name not in ("value", "container", "shared_name")
        and value.WhichOneof("value") != "func"
        and not value.list.func
    ]


def mark(graph: Any) -> str:
    """A digest of the operations of a traced function's graph and of all that it calls.

    Python decides while TensorFlow traces what the graph will be: where that depends on something
    which a resumed process does not have, the digest is another one.
    """
    body = Body(graph)
    whole = hashlib.sha256(repr(sorted(constants(body)[1].values())).encode())
    for _, op in nodes(body):
        inputs = [tensor.name for tensor in op.inputs]
        whole.update(repr((op.type, inputs, len(callees(op)), _plain_attributes(op))).encode())
    return whole.hexdigest()
