"""Unsaved variables: what a traced function uses that is no variable of the model.

Synopsis:
    unsaved = UnsavedVariables(model, but=record)
    unsaved.look(concrete_function.graph)
    unsaved.changed()          # names of those that have another value by now
    unsaved.read()             # names of those that the function reads

No weights file holds them: a tf.Variable that a layer keeps as an attribute, one in a closure or in
a tf.Module. The states of random generators are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.variables.by_path import optimizers

_GENERATOR = "StateVar"
"""How TensorFlow names the state of a tf.random.Generator."""


class UnsavedVariables:
    """Variables that functions of a built, compiled keras.Model use and that it does not hold.

    The variables `but`, and those of its metrics and optimizers, are left out.
    """

    def __init__(self, model: Any, but: Iterable[Any] = ()) -> None:
        self._model, self._but = model, tuple(but)
        self._first: dict[int, tuple[Any, npt.NDArray[Any]]] = {}
        self._read: set[int] = set()
        self.looked = False

    def look(self, graph: Any) -> None:
        """Takes in the variables of a function's graph, with their values of now."""
        import tensorflow as tf

        self.looked = True
        known = self._known()
        # Of a graph that is still being traced, `variables` is not set yet.
        for variable in graph._watched_variables:
            if id(variable.handle) not in known and _name(variable) != _GENERATOR:
                with tf.init_scope():
                    self._first.setdefault(id(variable.handle), (variable, variable.numpy()))
        self._read |= {
            id(outer)
            for outer, inner in graph.captures
            if any(not op.type.startswith("Assign") for op in inner.consumers())
        }

    def read(self) -> list[str]:
        """The names of those that the functions read."""
        return sorted(_name(v) for handle, (v, _) in self._first.items() if handle in self._read)

    def changed(self) -> list[str]:
        """The names of those that no longer have the value that they had when looked at."""
        return sorted(
            _name(variable)
            for variable, first in self._first.values()
            if np.asarray(variable.numpy()).tobytes() != np.asarray(first).tobytes()
        )

    def _known(self) -> set[int]:
        model = self._model
        stepping = [v for optimizer in optimizers(model).values() for v in optimizer.variables]
        own = [*model.variables, *model.metrics_variables, *stepping]
        return {id(v.value.handle) for v in own} | {id(v.handle) for v in self._but}


def _name(variable: Any) -> str:
    return str(variable.name).split(":")[0]
