"""Patches: where TensorFlow and Keras are watched, and what each place needs of their versions.

Synopsis:
    patch(watch)          # before they are imported; acts as each module is

`METHODS` is the table: a place that a version lacks is left out, and that is said.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from repro.events.batches import digest_of, with_digest
from repro.events.imports import when_imported
from repro.events.steps import Watch


@dataclass(frozen=True)
class WatchedMethod:
    """A method that is wrapped, by the first of the names that the module has.

    Args:
        lost: what is not seen where there is none.
    """

    module: str
    kinds: tuple[str, ...]
    methods: tuple[str, ...]
    wrap: Callable[[Watch, Any], Any]
    lost: str


def _executing_eagerly() -> Callable[[], bool]:
    context: Any = import_module("tensorflow.python.eager.context")
    return context.executing_eagerly


def _guarded(watch: Watch, place: str, act: Callable[[], Any]) -> None:
    """Does a part of the watching; where that fails the script goes on, and it is said."""
    try:
        act()
    except Exception as error:
        watch.left_out(f"{place} ({type(error).__name__}: {error})")


def _making(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        if not self._in_graph_mode and hasattr(self.handle, "_numpy_internal"):
            watch.variables.made(self)

    return __init__


def _making_by_keras(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        watch.variables.made_by_keras(self)
        original(self, *args, **named)

    return __init__


def _writing(watch: Watch, original: Any) -> Any:
    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def write(self: Any, *args: Any, **named: Any) -> Any:
        if executing_eagerly():
            watch.wrote(self)
        return original(self, *args, **named)

    return write


def _subtracting(watch: Watch, original: Any) -> Any:
    """`w.assign_sub(rate * gradient)`, as loops without an optimizer have it, is a step."""
    executing_eagerly = _executing_eagerly()

    noting = _writing(watch, original)

    @functools.wraps(original)
    def assign_sub(self: Any, *args: Any, **named: Any) -> Any:
        alone: bool = not watch.inside() and executing_eagerly() and self.trainable
        if alone:
            _guarded(watch, "initial values", watch.starting)
        result = noting(self, *args, **named)
        if alone:
            _guarded(watch, "steps", lambda: watch.called_eagerly("assign_sub", [self]))
        return result

    return assign_sub


def _calling(watch: Watch, original: Any) -> Any:
    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **named: Any) -> Any:
        if watch.inside() or not executing_eagerly():
            return original(self, *args, **named)
        _guarded(watch, "initial values", lambda: watch.starting(self))
        watch.enter()
        try:
            result = original(self, *args, **named)
        finally:
            watch.leave()
        _guarded(watch, "steps", lambda: watch.called(self, (args, named)))
        return result

    return __call__


def _applying(watch: Watch, original: Any) -> Any:
    executing_eagerly = _executing_eagerly()

    @functools.wraps(original)
    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        if watch.inside() or not executing_eagerly():
            return original(self, grads, trainable_variables)
        _guarded(watch, "initial values", watch.starting)
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
        _guarded(watch, "steps", lambda: watch.called_eagerly(self.name, values))
        return result

    return apply


def _taking(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        batch = original(self)
        if not watch.inside():
            _guarded(watch, "batches", lambda: watch.read_batch(batch, self))
        return batch

    return __next__


class _TrainFunction:
    """A model's `train_function`, which says on whose behalf it runs."""

    def __init__(self, function: Any, model: Any, watch: Watch) -> None:
        functools.update_wrapper(self, function)
        self._function, self._model, self._watch = function, weakref.ref(model), watch

    def __call__(self, iterator: Any) -> Any:
        watch, model = self._watch, cast(Any, self._model())
        before, watch.trainer = watch.trainer, model
        _guarded(watch, "batches of fit", lambda: watch.taking_from(iterator, digest_of(iterator)))
        eager = bool(model.run_eagerly)
        if eager:
            _guarded(watch, "initial values", watch.starting)
            watch.enter()
        try:
            result = self._function(iterator)
        finally:
            if eager:
                watch.leave()
        try:
            if eager and not watch.stepped:
                values = [each.value for each in model.variables]
                _guarded(watch, "steps", lambda: watch.called_eagerly(model.name, values))
        finally:
            watch.trainer = before
        return result

    def __deepcopy__(self, _: Any) -> None:
        return None  # made again when it is needed


def _iterating(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)

        def mark() -> None:
            marked = with_digest(self._distributed_dataset, watch.variables.forget)
            if marked is not None:
                self._distributed_dataset = marked
                watch.on_data(self.data_adapter, marked)

        _guarded(watch, "batches of fit", mark)

    return __init__


def _making_function(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def make_train_function(self: Any, *args: Any, **named: Any) -> Any:
        result = original(self, *args, **named)
        if not isinstance(self.train_function, _TrainFunction):
            self.train_function = _TrainFunction(self.train_function, self, watch)
        return result

    return make_train_function


def _beginning_fit(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def on_train_begin(self: Any, *args: Any, **named: Any) -> Any:
        watch.fit_begins(getattr(self._model, "name", ""))
        return original(self, *args, **named)

    return on_train_begin


def _beginning_test(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def on_test_begin(self: Any, *args: Any, **named: Any) -> Any:
        watch.on_test()
        return original(self, *args, **named)

    return on_test_begin


def _beginning_epoch(watch: Watch, original: Any) -> Any:
    @functools.wraps(original)
    def on_epoch_begin(self: Any, epoch: int, *args: Any, **named: Any) -> Any:
        watch.epoch_begins(getattr(self._model, "name", ""), epoch)
        return original(self, epoch, *args, **named)

    return on_epoch_begin


_FUNCTIONS = "tensorflow.python.eager.polymorphic_function.polymorphic_function"
_RESOURCES = "tensorflow.python.ops.resource_variable_ops"
_CALLBACKS = "keras.src.callbacks.callback_list"
_OTHERS = ("assign", "assign_add", "scatter_update", "scatter_add", "scatter_sub")

METHODS = (
    WatchedMethod(
        _FUNCTIONS, ("Function",), ("__call__",), _calling, "steps of compiled functions"
    ),
    WatchedMethod(_RESOURCES, ("BaseResourceVariable",), ("__init__",), _making, "all variables"),
    WatchedMethod(
        _RESOURCES, ("BaseResourceVariable",), _OTHERS, _writing, "what eager steps write"
    ),
    WatchedMethod(
        _RESOURCES,
        ("BaseResourceVariable",),
        ("assign_sub",),
        _subtracting,
        "eager steps without an optimizer",
    ),
    WatchedMethod(
        "tensorflow.python.data.ops.iterator_ops",
        ("OwnedIterator",),
        ("__next__",),
        _taking,
        "batches of loops of one's own",
    ),
    WatchedMethod(
        "keras.src.backend.common.variables",
        ("Variable", "KerasVariable"),
        ("__init__",),
        _making_by_keras,
        "the Keras paths of variables",
    ),
    WatchedMethod(
        "keras.src.optimizers.base_optimizer",
        ("BaseOptimizer",),
        ("apply",),
        _applying,
        "eager steps",
    ),
    WatchedMethod(
        "keras.src.backend.tensorflow.trainer",
        ("TensorFlowTrainer",),
        ("make_train_function",),
        _making_function,
        "the model's name, and eager steps of `fit`",
    ),
    WatchedMethod(
        "keras.src.backend.tensorflow.trainer",
        ("TFEpochIterator",),
        ("__init__",),
        _iterating,
        "the batches of `fit`",
    ),
    WatchedMethod(
        _CALLBACKS, ("CallbackList",), ("on_train_begin",), _beginning_fit, "which `fit` it is"
    ),
    WatchedMethod(
        _CALLBACKS, ("CallbackList",), ("on_test_begin",), _beginning_test, "validation data"
    ),
    WatchedMethod(_CALLBACKS, ("CallbackList",), ("on_epoch_begin",), _beginning_epoch, "epochs"),
)
"""Tried: all are there in TensorFlow 2.16.2 with Keras 3.0.5 and 3.12.4, and in TensorFlow 2.21.0
with Keras 3.15.1. With another backend there is no such trainer, with tf.keras 2 no such module."""


def patch(watch: Watch) -> None:
    """Wraps each place as soon as its module is imported."""
    for place in METHODS:
        when_imported(place.module, functools.partial(_patch, watch, place))


def _patch(watch: Watch, place: WatchedMethod, module: ModuleType) -> None:
    kind = next((vars(module)[name] for name in place.kinds if name in vars(module)), None)
    for method in place.methods:
        try:
            setattr(kind, method, place.wrap(watch, getattr(kind, method)))
        except (AttributeError, ImportError, TypeError):
            watch.left_out(f"{place.lost}: this version of {module.__name__} has no {method}")
