"""Variables: those of a process, by names that another process gives them too.

Synopsis:
    known.made(variable)              # as each is made
    known.named(variables)            # sorted: ((path, shape, dtype, kind), variable)

A name is the Keras path, or else TensorFlow's name, with shape and type; where several have the
same, they come in the order in which they were made.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

Name = tuple[str, str, str, str]
"""Path, shape, type, and kind: `seed`, `weight` or `other`."""


class KnownVariables:
    """What was made so far; nothing is kept alive by it."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int]] = {}  # by handle: weak reference and number
        self._keras: list[Any] = []
        self._paths: dict[int, Any] = {}  # by TensorFlow's variable: the Keras one
        self._fresh: list[Any] = []
        self._count = 0

    def made(self, variable: Any) -> None:
        """Notes a new `tf.Variable`."""
        if self.of_handle(variable.handle) is not None:
            return  # what an assignment returns, which stands for the variable
        handle = id(variable.handle)
        forget = self._made.pop
        reference = weakref.ref(variable, lambda _: forget(handle, None))
        self._count += 1
        self._made[handle] = (reference, self._count)
        self._fresh.append(reference)

    def made_by_keras(self, variable: Any) -> None:
        """Notes a new `keras.Variable`, which may get its value later."""
        self._keras.append(weakref.ref(variable))

    def forget(self, variable: Any) -> None:
        """This one is none of the user's."""
        self._made.pop(id(variable.handle), None)
        self._fresh = [each for each in self._fresh if each() is not variable]

    def of_handle(self, handle: Any) -> Any:
        """The variable that has this handle, or None."""
        reference, _ = self._made.get(id(handle), (None, 0))
        return reference() if reference else None

    def fresh(self) -> list[Any]:
        """Those made since this was asked last."""
        found = [variable for variable in (each() for each in self._fresh) if variable is not None]
        self._fresh.clear()
        return found

    def named(self, variables: Iterable[Any]) -> list[tuple[Name, Any]]:
        """Names and variables, in an order that is the same in every process."""
        self._look_up()
        numbers = {id(v): self._made.get(id(v.handle), (None, 0))[1] for v in variables}
        pairs = [(self._name(variable), variable) for variable in variables]
        return sorted(pairs, key=lambda pair: (pair[0], numbers[id(pair[1])]))

    def _name(self, variable: Any) -> Name:
        keras = self._paths.get(id(variable))
        owner = keras() if keras is not None else None
        path = owner.path if owner is not None else variable.name.partition(":")[0]
        kind = "weight" if variable.trainable and (owner is None or owner.trainable) else "other"
        if path.endswith("seed_generator_state"):
            kind = "seed"
        return path, str(tuple(variable.shape)), variable.dtype.name, kind

    def _look_up(self) -> None:
        """Finds the `tf.Variable` of each `keras.Variable` that has got one by now."""
        waiting: list[Any] = []
        for reference in self._keras:
            variable = reference()
            value = getattr(variable, "_value", None)
            if value is not None:
                self._paths[id(value)] = reference
            elif variable is not None:
                waiting.append(reference)
        self._keras = waiting
