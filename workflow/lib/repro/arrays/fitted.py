"""Fitted: what a fitted transformation holds, as arrays that can be written down and read again.

Synopsis:
    values_of(scaler)            # {"mean_": array, "scale_": array}
    values_of(layer)             # {"mean": array, "variance": array, "count": 5}; a vocabulary
    values_of(lambda x: x / m)   # {"m": m}: what a function takes along from where it was made

Keras and scikit-learn are recognised, and never imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np

from repro.arrays.array import Array

_KINDS = "biufcSU"
_SINGLE = (bool, int, float, str, bytes, np.generic)
_DEPTH = 4


def values_of(thing: Any) -> dict[str, Any]:
    """Arrays by name, also nested where one transformation holds others; empty where none show.

    Of a Keras layer its weights and vocabulary, of a function what it closes over, of anything else
    its attributes whose names end in `_`, as those that scikit-learn fits do.
    """
    return _values(thing, _DEPTH)


def _values(thing: Any, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _held(thing).items():
        kept = _plain(value)
        if kept is None and depth and not isinstance(value, type):
            kept = _values(value, depth - 1) or None
        if kept is not None:
            found[name] = kept
    return found


def _held(thing: Any) -> Mapping[str, Any]:
    """What a thing may have been fitted to, by name."""
    if isinstance(thing, Mapping):
        return _of_mapping(cast("Mapping[Any, Any]", thing))
    if inspect.ismethod(thing):
        return _held(thing.__self__)
    if isinstance(thing, partial):
        bound = cast("partial[Any]", thing)
        places = {str(place): value for place, value in enumerate(bound.args)}
        return {"func": bound.func, **bound.keywords, **places}
    if is_layer(thing):
        return _of_layer(thing)
    for steps in ("named_steps", "named_transformers_"):
        if isinstance(inner := getattr(thing, steps, None), Mapping):
            return cast("Mapping[str, Any]", inner)
    if inspect.isfunction(thing):
        return dict(inspect.getclosurevars(thing).nonlocals)
    attributes = cast("dict[str, Any]", getattr(thing, "__dict__", {}))
    return {
        name: value
        for name, value in sorted(attributes.items())
        if name.endswith("_") and not name.startswith("_")
    }


def _of_mapping(thing: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Each value by its key; of texts or numbers two arrays: there may be very many."""
    named = {str(key): thing[key] for key in sorted(thing, key=str)}
    if named and all(isinstance(value, _SINGLE) for value in named.values()):
        return {"keys": list(named), "values": list(named.values())}
    return named


def is_layer(thing: Any) -> bool:
    """Whether it is a Keras layer."""
    return any(
        kind.__name__ == "Layer" and kind.__module__.startswith("keras.")
        for kind in type(thing).__mro__
    )


def _of_layer(layer: Any) -> dict[str, Any]:
    found = {str(variable.name): np.asarray(variable) for variable in layer.weights}
    for name in ("mean", "variance"):  # of a Normalization, which counts them as no weights
        if (value := getattr(layer, name, None)) is not None:
            found[name] = np.asarray(value)
    if callable(getattr(layer, "get_vocabulary", None)):
        found["vocabulary"] = np.array([str(word) for word in layer.get_vocabulary()])
    return found


def _plain(value: Any) -> Array | None:
    """The array that a value is; None where it is none."""
    if isinstance(value, Mapping):
        return _vocabulary(cast("Mapping[Any, Any]", value))
    if isinstance(value, list | tuple) and len(cast("Sequence[Any]", value)) == 0:
        return None
    if not isinstance(value, (*_SINGLE, list, tuple)) and not hasattr(value, "__array__"):
        return None
    try:
        array = np.array(value)
    except (ValueError, TypeError):
        return None
    if array.dtype.hasobject and array.size and all(isinstance(c, str) for c in array.ravel()):
        array = array.astype(str)
    return array if array.dtype.kind in _KINDS else None


def _vocabulary(words: Mapping[Any, Any]) -> Array | None:
    """The words of a mapping to their places, in the order of those."""
    numbers = [int(place) for place in words.values() if hasattr(place, "__index__")]
    named = all(isinstance(word, str) for word in words)
    if not words or not named or sorted(numbers) != list(range(len(words))):
        return None
    return np.array(sorted(words, key=words.__getitem__))
