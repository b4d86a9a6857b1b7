"""Which operations of a graph were made by which layer, and in which phase of the step.

Synopsis:
    with marked(model) as marks:       # while TensorFlow traces a step
        ...
    marks.ranges                       # of operations, by their number in the graph

Names of operations do not tell: the second call of the layer `dense` is named `dense_1`, as is
the first one of a layer of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Range:
    """Operations from number `first` to before `last`, made by `name`.

    `kind` is `layer`, `augmentation`, `gradient` or `update`.
    """

    kind: str
    name: str
    first: int
    last: int


class Marks:
    """What is marked in the graph that is being traced; the model's own calls are no layer's."""

    def __init__(self, model: Any) -> None:
        self.graph = _current_graph()
        self.ranges: list[Range] = []
        self._model = model
        self._open: list[str] = []

    def count(self) -> int:
        """The number of operations up to now."""
        return len(self.graph.get_operations())

    def here(self) -> bool:
        """Whether this graph is traced right now, and no function within it."""
        return _current_graph() is self.graph

    @contextmanager
    def made(self, kind: str, name: str = "") -> Generator[None]:
        """Marks what is made inside; not what belongs to a function within the graph."""
        within, first = self.here(), self.count()
        yield
        if within:
            self.ranges.append(Range(kind, name, first, self.count()))

    @contextmanager
    def layer(self, layer: Any) -> Generator[None]:
        """Marks what a layer makes, by its name and those of the layers around it."""
        names = [] if layer is self._model else [layer.name]
        self._open += names
        try:
            with self.made("layer", "/".join(self._open)):
                yield
        finally:
            del self._open[len(self._open) - len(names) :]


def _current_graph() -> Any:
    import tensorflow as tf

    return tf.compat.v1.get_default_graph()


@contextmanager
def _around(
    owner: Any, name: str, context: Callable[[Any], AbstractContextManager[None]]
) -> Generator[None]:
    """While this lasts, a method of a class runs inside `context(self)`."""
    own, inherited = getattr(owner, name), name not in vars(owner)

    @wraps(own)
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        with context(self):
            return own(self, *arguments, **named)

    setattr(owner, name, method)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


@contextmanager
def _inlined(marks: Marks) -> Generator[None]:
    """While this lasts, a `tf.function` that the step calls is traced as a part of the step."""
    import tensorflow as tf

    api: Any = import_module("tensorflow.python.autograph.impl.api")
    contexts: Any = import_module("tensorflow.python.autograph.core.ag_ctx")
    kind: Any = tf.function(lambda: None).__class__
    own = kind.__call__

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        if not marks.here() or self.input_signature is not None:
            return own(self, *arguments, **named)
        # As tf.function does it; the step itself is traced with autograph off.
        on = contexts.ControlStatusCtx(status=contexts.Status.ENABLED)
        convert = api.convert(recursive=True, user_requested=True, conversion_ctx=on)
        return convert(self.python_function)(*arguments, **named)

    kind.__call__ = call
    try:
        yield
    finally:
        kind.__call__ = own


@contextmanager
def marked(model: Any) -> Generator[Marks]:
    """Marks what is made in the graph being traced; the marks are complete at the end."""
    import keras
    import tensorflow as tf

    marks = Marks(model)
    optimizers: Any = keras.optimizers
    with ExitStack() as undone:
        undone.enter_context(_inlined(marks))
        undone.enter_context(_around(keras.Layer, "__call__", marks.layer))
        for name in ("gradient", "jacobian"):
            undone.enter_context(
                _around(tf.GradientTape, name, lambda _tape: marks.made("gradient"))
            )
        for kind in (optimizers.Optimizer, optimizers.LossScaleOptimizer):
            undone.enter_context(_around(kind, "apply", lambda _own: marks.made("update")))
        yield marks
