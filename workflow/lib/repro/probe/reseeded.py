"""Reseeded: the user's code once more, with every seed that it sets by itself replaced by another.

Synopsis:
    with reseeded():
        model = function(settings, seeds)      # np.random.default_rng(0) draws other numbers

What comes out as before was not drawn but computed, or read from a file: a table of positions,
pre-trained weights.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from repro.data.user_code import MODULE

_GENERATORS = (
    "numpy.random.default_rng", "numpy.random.seed", "numpy.random.RandomState", "random.seed",
    "random.Random", "keras.utils.set_random_seed", "tensorflow.random.set_seed",
)  # fmt: skip
_STATELESS = (
    "tensorflow.random.stateless_normal", "tensorflow.random.stateless_uniform",
    "tensorflow.random.stateless_truncated_normal", "tensorflow.random.stateless_gamma",
    "tensorflow.random.stateless_binomial", "tensorflow.random.stateless_poisson",
    "tensorflow.random.stateless_categorical", "tensorflow.nn.experimental.stateless_dropout",
    "tensorflow.random.experimental.stateless_shuffle",
)  # fmt: skip
SHIFT = 24_301


def _seed_of(name: str) -> str:
    return {"random.seed": "a", "random.Random": "x"}.get(name, "seed")


@dataclass
class Reseeding:
    """Replaces seeds by others, and notes whether any was set; `shift` 0 only notes."""

    shift: int
    used: bool = False

    def one(self, seed: Any) -> Any:
        """Another seed of the same kind; None, a generator or a sequence stays what it is."""
        import numpy as np

        self.used = True
        if self.shift and isinstance(seed, int | np.integer):
            return (int(cast("int", seed)) + self.shift) % 2**31
        return seed

    def pair(self, seed: Any) -> Any:
        """Another seed of a stateless operation."""
        import tensorflow as tf

        return tf.cast(seed, tf.int64) + self.shift


def _function(original: Callable[..., Any], named: str, change: Callable[[Any], Any]) -> Any:
    @wraps(original)
    def function(*given: Any, **options: Any) -> Any:
        bound = inspect.signature(original).bind(*given, **options)
        if named in bound.arguments:
            bound.arguments[named] = change(bound.arguments[named])
        return original(*bound.args, **bound.kwargs)

    return function


def _class(original: Any, change: Callable[[Any], Any]) -> Any:
    def begin(self: Any, seed: Any = None) -> None:
        original.__init__(self, change(seed))

    return type(original.__name__, (original,), {"__init__": begin})


def _substitutes(reseeding: Reseeding, draws: bool) -> Iterator[tuple[ModuleType, str, Any]]:
    for path in (*_GENERATORS, *(_STATELESS if draws else ())):
        folder, _, name = path.rpartition(".")
        module = import_module(folder)
        original = getattr(module, name)
        change = reseeding.pair if path in _STATELESS else reseeding.one
        if isinstance(original, type):
            yield module, name, _class(original, change)
        else:
            yield module, name, _function(original, _seed_of(path), change)


def _users(originals: dict[int, Any]) -> Iterator[tuple[ModuleType, str, Any]]:
    """What the experiment's modules took over by `from … import …`."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == MODULE:
            for own, value in list(vars(module).items()):
                if id(value) in originals:
                    yield module, own, originals[id(value)]


@contextmanager
def reseeded(draws: bool = False, shift: int = SHIFT) -> Generator[Reseeding]:
    """Lets seeds that the user's code sets by itself be other ones within the block.

    Yields whether any seed was set.

    Args:
        draws: whether each draw of TensorFlow's and Keras' stateless operations is another one
            too, whatever its seed; not while a graph is compared with another.
        shift: what is added to each seed; 0 changes none.
    """
    reseeding = Reseeding(shift)
    substitutes = list(_substitutes(reseeding, draws))
    originals = {id(getattr(module, name)): new for module, name, new in substitutes}
    places = [*substitutes, *_users(originals)]
    before = [(module, name, getattr(module, name)) for module, name, _ in places]
    try:
        for module, name, substitute in places:
            setattr(module, name, substitute)
        yield reseeding
    finally:
        for module, name, original in before:
            setattr(module, name, original)
