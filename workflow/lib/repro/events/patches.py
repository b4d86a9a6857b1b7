"""Patches: where TensorFlow and Keras are watched, and what each place needs of their versions.

Synopsis:
    patch(watch)          # before they are imported; acts as each module is

`METHODS` is the table: a place that a version lacks is left out, and that is said.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from repro.events.imports import when_imported
from repro.events.steps import Watch
from repro.events.wrapped_fit import (
    beginning_epoch,
    beginning_fit,
    beginning_test,
    iterating,
    making_function,
)
from repro.events.wrapped_steps import (
    applying,
    calling,
    initializing,
    making,
    making_by_keras,
    subtracting,
    taking,
    writing,
)


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


_FUNCTIONS = "tensorflow.python.eager.polymorphic_function.polymorphic_function"
_RESOURCES = "tensorflow.python.ops.resource_variable_ops"
_CALLBACKS = "keras.src.callbacks.callback_list"
_OTHERS = ("assign", "assign_add", "scatter_update", "scatter_add", "scatter_sub")

METHODS = (
    WatchedMethod(_FUNCTIONS, ("Function",), ("__call__",), calling, "steps of compiled functions"),
    WatchedMethod(
        _FUNCTIONS,
        ("Function",),
        ("_initialize_uninitialized_variables",),
        initializing,
        "initial values of models that their first step builds",
    ),
    WatchedMethod(_RESOURCES, ("BaseResourceVariable",), ("__init__",), making, "all variables"),
    WatchedMethod(
        _RESOURCES, ("BaseResourceVariable",), _OTHERS, writing, "what eager steps write"
    ),
    WatchedMethod(
        _RESOURCES,
        ("BaseResourceVariable",),
        ("assign_sub",),
        subtracting,
        "eager steps without an optimizer",
    ),
    WatchedMethod(
        "tensorflow.python.data.ops.iterator_ops",
        ("OwnedIterator",),
        ("__next__",),
        taking,
        "batches of loops of one's own",
    ),
    WatchedMethod(
        "keras.src.backend.common.variables",
        ("Variable", "KerasVariable"),
        ("__init__",),
        making_by_keras,
        "the Keras paths of variables",
    ),
    WatchedMethod(
        "keras.src.optimizers.base_optimizer",
        ("BaseOptimizer",),
        ("apply",),
        applying,
        "eager steps",
    ),
    WatchedMethod(
        "keras.src.backend.tensorflow.trainer",
        ("TensorFlowTrainer",),
        ("make_train_function",),
        making_function,
        "the model's name, and eager steps of `fit`",
    ),
    WatchedMethod(
        "keras.src.backend.tensorflow.trainer",
        ("TFEpochIterator",),
        ("__init__",),
        iterating,
        "the batches of `fit`",
    ),
    WatchedMethod(
        _CALLBACKS, ("CallbackList",), ("on_train_begin",), beginning_fit, "which `fit` it is"
    ),
    WatchedMethod(
        _CALLBACKS, ("CallbackList",), ("on_test_begin",), beginning_test, "validation data"
    ),
    WatchedMethod(_CALLBACKS, ("CallbackList",), ("on_epoch_begin",), beginning_epoch, "epochs"),
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
