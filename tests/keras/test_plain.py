"""Values of callbacks as bytes: what is plain comes back, and nothing else can be named."""

import collections
import datetime
import decimal
import fractions
import math
import pathlib
import pickle
import random
from typing import Any

import numpy as np
import pytest
from repro.checkpoint.plain_values import CannotKeep, Known, NotOurs, always, dumped, held, loaded

VALUES: dict[str, Any] = {
    "plain": [None, True, 1, 1.5, 2j, "é", b"a", bytearray(b"b"), (1,), {2}, frozenset([3]),
              {"a": 4}],
    "collections": [collections.deque([1], 3), collections.Counter("aab"),
                    collections.defaultdict(list, a=[1]), collections.OrderedDict(b=1, a=2)],
    "others": [datetime.datetime(2026, 1, 2), datetime.date(2026, 1, 2), datetime.timedelta(3),
               datetime.time(4), decimal.Decimal("1.10"), fractions.Fraction(1, 3), range(3),
               slice(1, 2), pathlib.Path("a/b")],
    "scalars": [np.float32(1.5), np.int64(-1), np.bool_(True), np.datetime64("2026-01-02")],
    "types": [np.float32, np.dtype("f4"), np.dtype([("a", "f4")]), int, dict],
    "operations": [np.less, np.add],
}  # fmt: skip


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(always())


@pytest.mark.parametrize("name", VALUES)
def test_what_is_plain_comes_back(name: str, known: Known) -> None:
    value = VALUES[name]
    assert loaded(dumped(value, known, "a callback"), known) == value


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3).T, np.array(["a", None], object), np.array(["ab"]), np.array(2)],
    ids=["transposed", "objects", "text", "scalar"],
)
def test_so_do_arrays(array: Any, known: Known) -> None:
    found = loaded(dumped(array, known, "a callback"), known)
    assert (found.dtype, found.shape, found.tolist()) == (array.dtype, array.shape, array.tolist())


@pytest.mark.parametrize(
    "made",
    [np.random.default_rng(3), np.random.RandomState(3), np.random.Generator(np.random.Philox(3)),
     np.random.Generator(np.random.SFC64(3)), np.random.Generator(np.random.MT19937(3)),
     random.Random(3)],
    ids=["PCG64", "RandomState", "Philox", "SFC64", "MT19937", "Python"],
)  # fmt: skip
def test_so_do_generators_where_they_stand(made: Any, known: Known) -> None:
    draw = "random" if hasattr(made, "random") else "random_sample"
    getattr(made, draw)()
    found = loaded(dumped(made, known, "a callback"), known)
    assert [getattr(found, draw)() for _ in range(5)] == [getattr(made, draw)() for _ in range(5)]


def test_so_do_operations_of_keras(known: Known) -> None:
    import keras

    assert loaded(dumped([keras.ops.less], known, "a callback"), known) == [keras.ops.less]


def test_a_function_is_found_again_where_it_was_held_from_the_start(known: Known) -> None:
    value = {"functions": [math.sqrt]}
    with pytest.raises(CannotKeep, match="a callback holds something that cannot be kept"):
        dumped(value, known, "a callback")
    more = Known(always() | held(value))
    assert loaded(dumped(value, more, "a callback"), more) == value


@pytest.mark.parametrize(
    "content",
    [pickle.dumps(len), pickle.dumps(np.load), pickle.dumps(collections.OrderedDict()),
     pickle.dumps(Known), b"cantigravity\nx\n.", b"\x80\x02}q\x00", b""],
    ids=["builtin", "NumPy's", "even a plain one", "ours", "not yet imported", "cut off", "empty"],
)  # fmt: skip
def test_nothing_is_found_by_the_name_of_its_module(content: bytes, known: Known) -> None:
    with pytest.raises(NotOurs, match="they "):
        loaded(content, known)


@pytest.mark.parametrize("value", [np.memmap, np.load, pickle.loads, eval, open])
def test_what_could_do_harm_is_not_known(value: Any, known: Known) -> None:
    with pytest.raises(CannotKeep):
        dumped(value, known, "a callback")
