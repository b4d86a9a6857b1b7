"""Walks over sets: calls that go through a set in its order, or that leave ties to such an order.

Synopsis:
    goes_through("".join)                        # True
    sets_in(Counter().update, [{"a", "b"}])      # the sets whose order the call takes
    leaves_ties(Counter("ab").most_common, ())   # True
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import reduce
from inspect import isclass
from types import BuiltinMethodType, MethodType
from typing import Any, cast

from repro.watch.call_conditions import salted

_IN_ORDER = (
    list, tuple, dict, enumerate, iter, zip, map, filter, str, repr, Counter, deque, reduce, sorted,
    min, max, *filter(isclass, vars(itertools).values()),
)  # fmt: skip


def is_set(value: Any) -> bool:
    """Whether it is a set, of either kind."""
    return isinstance(value, (set, frozenset))


def goes_through(function: Any) -> bool:
    """Whether a function goes through a set in the set's order."""
    if type(function) is MethodType:
        return isinstance(function.__self__, Counter) and function.__name__ in (
            "update",
            "subtract",
        )
    if type(function) is BuiltinMethodType:
        owner, name = function.__self__, function.__name__
        joined = isinstance(owner, str) and name == "join"
        popped = is_set(owner) and name == "pop"
        extended = isinstance(owner, (list, deque)) and name == "extend"
        keyed = isinstance(owner, type) and issubclass(owner, dict) and name == "fromkeys"
        return joined or popped or extended or keyed or _chains(function)
    return any(function is each for each in _IN_ORDER)


def _chains(function: Any) -> bool:
    return function.__self__ is itertools.chain and function.__name__ == "from_iterable"


def sets_in(function: Any, args: Sequence[Any]) -> Iterator[Any]:
    """The sets that such a function is given: as arguments, as its own, or in a list of them."""
    chained = type(function) is BuiltinMethodType and _chains(function)
    inner = cast("Sequence[Any]", args[0] if chained and isinstance(args[0], (list, tuple)) else ())
    values = (*args, getattr(function, "__self__", None), *inner)
    return (value for value in values if is_set(value))


def leaves_ties(function: Any, args: Sequence[Any]) -> bool:
    """Whether this is `most_common` of a Counter of text in which counts come twice.

    Which comes first is then left to the order in which they were put in.
    """
    owner = getattr(function, "__self__", None)
    if not isinstance(owner, Counter) or getattr(function, "__name__", "") != "most_common":
        return False
    counter = cast("Counter[Any]", owner)
    most = args[0] + 1 if args and args[0] is not None else None
    counts = sorted(counter.values(), reverse=True)[:most]
    return len(set(counts)) < len(counts) and salted(tuple(counter))
