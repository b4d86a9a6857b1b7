"""Values as bytes, and back, where the bytes can name nothing but what is expected there.

Synopsis:
    known = Known({**always(), **held(values)})
    content = dumped(values, known, "a callback")      # or CannotKeep
    values = loaded(content, known)                    # or NotOurs

A pickle is a program: it names functions and has them called. So none is named by module here,
only by an entry of `known`, and who forges one has no others to call.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import io
import pathlib
import pickle
import random
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import reduce
from typing import Any, cast

import numpy as np

PLAIN = (
    type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict,
    collections.deque, collections.Counter, collections.defaultdict, collections.OrderedDict,
    datetime.date, datetime.datetime, datetime.timedelta, datetime.time, decimal.Decimal,
    fractions.Fraction, range, slice, pathlib.PosixPath, random.Random, pickle.PickleBuffer,
)  # fmt: skip
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
NAMED = (type, *FUNCTIONS, np.ufunc)
_FAILURES = (pickle.PicklingError, AttributeError, TypeError, RecursionError)


class CannotKeep(Exception):
    """Something that cannot be kept; its text is the reason, a few words long."""


class NotOurs(Exception):
    """Bytes that no training wrote; its text is the reason, a few words long."""


class Known:
    """What may be in values without being plain, by a name that other processes have as well.

    Of several names the first counts.
    """

    def __init__(self, things: dict[Any, Any]) -> None:
        self.things = things
        self.names: dict[int, Any] = {id(thing): name for name, thing in reversed(things.items())}

    def __contains__(self, thing: Any) -> bool:
        return id(thing) in self.names


class _Pickler(pickle.Pickler):
    """Takes plain values; what is known is named, and found again by its name."""

    def __init__(self, file: Any, known: Known, what: str, digest: bool) -> None:
        super().__init__(file, protocol=5)
        self._known, self._what, self._digest = known, what, digest

    def persistent_id(self, obj: Any) -> Any:
        if obj in self._known:
            return self._known.names[id(obj)]
        kind = cast("type[Any]", type(obj))
        named = isinstance(obj, NAMED)
        if kind in PLAIN or (package(kind) == "numpy" and not named):
            return None
        # Of NumPy's also functions that Cython made.
        if self._digest and (named or package(obj) == "numpy"):
            return None
        description = (
            f"something that cannot be kept ({obj.__name__})"
            if named
            else (f"a {kind.__name__}, which cannot be kept")
        )
        raise CannotKeep(f"{self._what} holds {description}")


class _Finder(pickle.Pickler):
    """Finds the functions and classes that values hold, and writes nothing of use."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), protocol=5)
        self.found: list[Any] = []

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, NAMED):
            self.found.append(obj)
            return 0
        kind = cast("type[Any]", type(obj))
        return None if kind in PLAIN or package(kind) == "numpy" else 0


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, known: Known) -> None:
        super().__init__(file)
        self._known = known

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise NotOurs(f"they name {module_name}.{global_name}, which no checkpoint does")

    def persistent_load(self, pid: Any) -> Any:
        try:
            return self._known.things[pid]
        except (KeyError, TypeError):
            raise NotOurs(f"they name {pid!r}, which is not there") from None


def dumped(value: Any, known: Known, what: str, *, digest: bool = False) -> bytes:
    """A value as bytes; it is plain, but for what is known.

    Args:
        what: how to call whatever holds it.
        digest: whether the bytes are for comparison alone, and functions and classes of all
            kinds may be in it.

    Raises:
        CannotKeep: there is something that is neither plain nor known.
    """
    file = io.BytesIO()
    try:
        _Pickler(file, known, what, digest).dump(value)
    except _FAILURES as error:
        raise CannotKeep(f"{what} holds something that cannot be kept ({error})") from error
    return file.getvalue()


def loaded(content: bytes, known: Known) -> Any:
    """The value again, of what `dumped` gave or somebody would like to be taken for it.

    Raises:
        NotOurs: it cannot be, or names what is not known; nothing of it was called.
    """
    try:
        return _Unpickler(io.BytesIO(content), known).load()
    except NotOurs:
        raise
    except Exception as error:  # a forged one may have anything done wrongly
        raise NotOurs(f"they cannot be read ({type(error).__name__})") from error


def held(values: Any) -> dict[Any, Any]:
    """The functions and classes that plain values hold, by name, as far as a name finds them."""
    finder = _Finder()
    with suppress(*_FAILURES):
        finder.dump(values)
    return _by_name(finder.found)


def always() -> dict[Any, Any]:
    """What plain values are made by, and functions without effect that callbacks often hold."""
    import keras

    of_keras = cast("dict[str, Any]", vars(cast("Any", keras).ops))
    operations = (value for value in of_keras.values() if isinstance(value, types.FunctionType))
    ufuncs = (value for value in vars(np).values() if isinstance(value, np.ufunc))
    return _by_name([*PLAIN, *_of_numpy(), *operations, *ufuncs])


def _of_numpy() -> Iterator[Any]:
    """What arrays, scalars, types and generators of NumPy are put together by."""
    from numpy import random as rng

    yield from (np.ndarray, np.dtype, *np.sctypeDict.values(), rng.SeedSequence)
    yield from (rng.PCG64, rng.PCG64DXSM, rng.MT19937, rng.Philox, rng.SFC64)
    samples = (np.zeros(1), np.array([None]), np.float64(0), rng.SeedSequence(0))
    for sample in (*samples, rng.PCG64(0), rng.default_rng(0), rng.RandomState(0)):
        yield cast("Any", sample.__reduce_ex__(5))[0]


def _by_name(things: Iterable[Any]) -> dict[Any, Any]:
    named: dict[Any, Any] = {}
    for thing in things:
        module = str(getattr(thing, "__module__", None))
        name = str(getattr(thing, "__qualname__", thing.__name__))
        with suppress(AttributeError):
            if reduce(getattr, name.split("."), sys.modules.get(module)) is thing:
                named["named", module, name] = thing
    return named


def package(thing: Any) -> str:
    """The package that a class or function comes from; of another value nothing, mostly."""
    return str(getattr(thing, "__module__", "")).partition(".")[0]
