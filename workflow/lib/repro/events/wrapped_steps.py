"""Wrapped steps: what is put around TensorFlow's and Keras' own methods, in any loop.

Synopsis:
    kind.method = calling(watch, kind.method)

Each gives the method that stands in for the original; `patches` says which.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from repro.events.steps import Watch


def _executing_eagerly() -> Callable[[], bool]:
    context: Any = import_module("tensorflow.python.eager.context")
    return context.executing_eagerly


def guarded(watch: Watch, place: str, act: Callable[[], Any]) -> None:
    """Does a part of the watching; where that fails the script goes on, and it is said."""
    try:
        act()
    except Exception as error:
        watch.left_out(f"{place} ({type(error).__name__}: {error})")


def making(watch: Watch, original: Any) -> Any:
    """Notes each variable that is made eagerly."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        if not self._in_graph_mode and hasattr(self.handle, "_numpy_internal"):
            watch.variables.made(self)

    return __init__


def making_by_keras(watch: Watch, original: Any) -> Any:
    """Notes the Keras variable to which the next one belongs."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        watch.variables.made_by_keras(self)
        original(self, *args, **named)

    return __init__


def writing(watch: Watch, original: Any) -> Any:
    """Notes which variable is written eagerly."""

    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def write(self: Any, *args: Any, **named: Any) -> Any:
        if executing_eagerly():
            watch.wrote(self)
        return original(self, *args, **named)

    return write


def subtracting(watch: Watch, original: Any) -> Any:
    """`w.assign_sub(rate * gradient)`, as loops without an optimizer have it, is a step."""
    executing_eagerly = _executing_eagerly()

    noting = writing(watch, original)

    @functools.wraps(original)
    def assign_sub(self: Any, *args: Any, **named: Any) -> Any:
        alone: bool = not watch.inside() and executing_eagerly() and self.trainable
        if alone:
            guarded(watch, "initial values", watch.starting)
        result = noting(self, *args, **named)
        if alone:
            guarded(watch, "steps", lambda: watch.called_eagerly("assign_sub", [self]))
        return result

    return assign_sub


def calling(watch: Watch, original: Any) -> Any:
    """A compiled function that returns may have been a step."""

    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **named: Any) -> Any:
        if watch.inside() or not executing_eagerly():
            return original(self, *args, **named)
        guarded(watch, "initial values", lambda: watch.starting(self))
        watch.enter()
        try:
            result = original(self, *args, **named)
        finally:
            watch.leave()
        guarded(watch, "steps", lambda: watch.called(self, (args, named)))
        return result

    return __call__


def initializing(watch: Watch, original: Any) -> Any:
    """Between its trace and its first call, a function gives the variables that it made values."""

    @functools.wraps(original)
    def initialize(self: Any, *args: Any, **named: Any) -> Any:
        result = original(self, *args, **named)
        guarded(watch, "initial values", watch.starting)
        return result

    return initialize


def applying(watch: Watch, original: Any) -> Any:
    """An optimizer that is applied eagerly has taken a step."""

    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        if watch.inside() or not executing_eagerly():
            return original(self, grads, trainable_variables)
        guarded(watch, "initial values", watch.starting)
        watch.enter()
        try:
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            result = original(self, grads, trainable_variables)
        finally:
            watch.leave()
        used = [*(trainable_variables or self._trainable_variables), *self.variables]
        # A `tf.Variable` has a method of that name.
        values = [each if callable(each.value) else each.value for each in used]
        guarded(watch, "steps", lambda: watch.called_eagerly(self.name, values))
        return result

    return apply


def taking(watch: Watch, original: Any) -> Any:
    """Notes each batch that a loop takes from an iterator."""

    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        batch = original(self)
        if not watch.inside():
            guarded(watch, "batches", lambda: watch.read_batch(batch, self))
        return batch

    return __next__
