"""Wrapped fit: what is put around the methods with which Keras' `fit` trains and reads data.

Synopsis:
    kind.method = iterating(watch, kind.method)
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterable
from types import GeneratorType
from typing import Any, cast

from repro.events.batches import digest_of, with_digest
from repro.events.steps import Watch
from repro.events.wrapped_steps import guarded


class _TrainFunction:
    """A model's `train_function`, which says on whose behalf it runs."""

    def __init__(self, function: Any, model: Any, watch: Watch) -> None:
        functools.update_wrapper(self, function)
        self._function, self._model, self._watch = function, weakref.ref(model), watch

    def __call__(self, iterator: Any) -> Any:
        watch, model = self._watch, cast(Any, self._model())
        before, watch.trainer = watch.trainer, model
        iterator = self._seen(iterator)
        guarded(watch, "batches of fit", lambda: watch.taking_from(iterator, digest_of(iterator)))
        eager = bool(model.run_eagerly)
        if eager:
            guarded(watch, "initial values", watch.starting)
            watch.enter()
        try:
            result = self._function(iterator)
        finally:
            if eager:
                watch.leave()
        try:
            if eager and not watch.stepped:
                values = [each.value for each in model.variables]
                guarded(watch, "steps", lambda: watch.called_eagerly(model.name, values))
        finally:
            watch.trainer = before
        return result

    def _seen(self, iterator: Any) -> Any:
        """The same batches, of which a digest was taken where no call will show them.

        In older versions of Keras `train_on_batch` gives its batch to a compiled function by a
        generator.
        """
        compiled = hasattr(self._function, "get_concrete_function")
        if not compiled or not isinstance(iterator, GeneratorType):
            return iterator
        batches: list[Any] = list(cast("Iterable[Any]", iterator))
        guarded(self._watch, "batches", lambda: self._watch.read_batch(batches, None))
        return (batch for batch in batches)

    def __deepcopy__(self, _: Any) -> None:
        return None  # made again when it is needed


def iterating(watch: Watch, original: Any) -> Any:
    """The data of `fit` get a digest behind their last transformation."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)

        def mark() -> None:
            marked = with_digest(self._distributed_dataset, watch.variables.forget)
            if marked is not None:
                self._distributed_dataset = marked
                watch.on_data(self.data_adapter, marked)

        guarded(watch, "batches of fit", mark)

    return __init__


def making_function(watch: Watch, original: Any) -> Any:
    """A model's `train_function` says on whose behalf it runs."""

    @functools.wraps(original)
    def make_train_function(self: Any, *args: Any, **named: Any) -> Any:
        result = original(self, *args, **named)
        if not isinstance(self.train_function, _TrainFunction):
            self.train_function = _TrainFunction(self.train_function, self, watch)
        return result

    return make_train_function


def beginning_fit(watch: Watch, original: Any) -> Any:
    """Counts the calls of `fit`."""

    @functools.wraps(original)
    def on_train_begin(self: Any, *args: Any, **named: Any) -> Any:
        watch.fit_begins(getattr(self._model, "name", ""))
        return original(self, *args, **named)

    return on_train_begin


def beginning_test(watch: Watch, original: Any) -> Any:
    """Tells when an evaluation begins."""

    @functools.wraps(original)
    def on_test_begin(self: Any, *args: Any, **named: Any) -> Any:
        watch.on_test()
        return original(self, *args, **named)

    return on_test_begin


def beginning_epoch(watch: Watch, original: Any) -> Any:
    """Notes which epoch of `fit` it is."""

    @functools.wraps(original)
    def on_epoch_begin(self: Any, epoch: int, *args: Any, **named: Any) -> Any:
        watch.epoch_begins(getattr(self._model, "name", ""), epoch)
        return original(self, epoch, *args, **named)

    return on_epoch_begin
