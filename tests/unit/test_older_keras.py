"""What older versions of Keras do otherwise, with a stand-in for them."""

from collections.abc import Iterable
from types import GeneratorType
from typing import Any

from repro.events.wrapped_fit import making_function

Batch = tuple[str, str, None]


class Watching:
    """Keeps the batches that were seen."""

    trainer = None
    stepped = True

    def __init__(self) -> None:
        self.seen: list[list[Batch]] = []

    def taking_from(self, *_: Any) -> None:
        pass

    def read_batch(self, batch: list[Batch], _: Any) -> None:
        self.seen.append(batch)


class CompiledFunction:
    """Takes its batches from what it is given, and is compiled anew for each such."""

    def __init__(self) -> None:
        self.got: list[Batch] = []

    def get_concrete_function(self) -> None: ...

    def __call__(self, iterator: Iterable[Batch]) -> None:
        assert isinstance(iterator, GeneratorType)
        self.got += iterator


class Model:
    """A model of which nothing is used but these."""

    run_eagerly = False
    name = "m"

    def __init__(self) -> None:
        self.train_function: Any = CompiledFunction()

    def make_train_function(self) -> None: ...


def test_a_batch_that_comes_by_a_generator_is_seen_and_given_on() -> None:
    watch: Any = Watching()
    model, batch = Model(), ("x", "y", None)
    function = model.train_function
    making_function(watch, Model.make_train_function)(model)
    model.train_function(each for each in [batch])
    assert watch.seen == [[batch]]
    assert function.got == [batch]
