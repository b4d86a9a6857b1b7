"""How far two arrays, and two trainings, are apart."""

import math
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import safetensors.numpy as library
from hypothesis import example, given
from hypothesis import strategies as st
from repro.compare.growth import growth, relative_difference

NUMBERS = st.one_of(
    arrays.floating_dtypes(endianness="="), arrays.integer_dtypes(endianness="="),
    arrays.unsigned_integer_dtypes(endianness="="), st.just(np.dtype(bool)),
    arrays.complex_number_dtypes(endianness="=", sizes=(64, 128)),
)  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two arrays of one shape and type, with any values."""
    kind, shape = draw(NUMBERS), draw(arrays.array_shapes(min_dims=0, max_dims=2, max_side=3))
    one, other = (draw(arrays.arrays(kind, shape)) for _ in range(2))
    return one, other


@given(pairs())
def test_equal_bits_and_only_these_are_not_apart(pair: Any) -> None:
    one, other = pair
    assert relative_difference(one, one.copy()) is None
    same = one.tobytes() == other.tobytes()
    assert (relative_difference(one, other) is None) == same


@given(pairs())
def test_a_difference_is_the_same_from_either_side_and_at_most_two(pair: Any) -> None:
    found = relative_difference(*pair)
    assert found == relative_difference(*reversed(pair))
    assert found is None or 0 <= found <= 2 or found == math.inf


@given(pairs())
def test_a_difference_is_not_finite_where_a_value_that_differs_is_not(pair: Any) -> None:
    one, other = pair
    items = list(zip(one.ravel(), other.ravel(), strict=True))
    odd = [v for v in items if v[0].tobytes() != v[1].tobytes() and not np.isfinite(v).all()]
    far = any(np.isfinite(v).all() and abs(complex(n)) > 1e300 for v in items for n in v)
    found = relative_difference(one, other)
    assert found == math.inf if odd else far or found != math.inf


@given(pairs())
def test_a_difference_of_finite_numbers_is_none_only_of_zeros(pair: Any) -> None:
    one, other = pair
    found = relative_difference(one, other)
    if found == 0:
        assert (np.isnan(one) == np.isnan(other)).all()
        assert (one == other)[~np.isnan(one)].all()


@example(2**62, 2**62 + 1)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_are_subtracted_without_rounding(one: int, other: int) -> None:
    found = relative_difference(np.array([one]), np.array([other]))
    exact = abs(one - other) / max(abs(one), abs(other), 1)
    assert (found or 0) == pytest.approx(exact, rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, 4.0], [1.5, 4.0], 0.125),  # to the largest of all, not to the element's own
        ([0.0, 0.0], [0.0, 1e-9], 1.0),
        ([0.0, 2.0], [-0.0, 2.0], 0.0),
        ([-1.0], [1.0], 2.0),
        ([math.nan, 1.0], [math.nan, 1.0], None),
        ([math.nan, 4.0], [math.nan, 3.0], 0.25),  # what is no number in both does not count
        ([math.inf, 4.0], [math.inf, 3.0], 0.25),
        ([math.nan], [1.0], math.inf),
        ([1.7e308], [-1.7e308], math.inf),
    ],
)
def test_the_difference_is_relative_to_the_largest_value(
    left: list[float], right: list[float], expected: float | None
) -> None:
    found = relative_difference(np.array(left), np.array(right))
    assert found == (pytest.approx(expected) if expected else expected)


@pytest.mark.parametrize("other", [np.zeros(3), np.zeros((2, 1)), np.zeros(2, "float32")])
def test_arrays_of_another_shape_or_type_are_apart_as_a_whole(other: Any) -> None:
    assert relative_difference(np.zeros(2), other) == math.inf


untyped: Any = library


def recorded(folder: Path, values: dict[tuple[int, int], dict[str, float]]) -> Path:
    folder.mkdir()
    for (epoch, step), weights in values.items():
        given = {name: np.array([value], "float32") for name, value in weights.items()}
        untyped.save_file(given, folder / f"{epoch}-{step}.safetensors")
    return folder


SAME = {"a": 1.0, "b": 2.0, "c": 8.0}
LEFT = {(0, 9): SAME, (0, 10): SAME, (0, 11): SAME, (1, 0): SAME, (1, 2): SAME}


def test_growth_begins_with_the_first_difference(tmp_path: Path) -> None:
    right = {
        (0, 9): SAME, (0, 10): {**SAME, "a": 0.875, "b": 1.0}, (0, 11): {**SAME, "c": math.nan},
        (1, 0): SAME,
    }  # fmt: skip
    steps, first = growth(recorded(tmp_path / "a", LEFT), recorded(tmp_path / "b", right))
    assert [tuple(each.values()) for each in steps] == [
        (0, 10, 0.5, "b"), (0, 11, None, "c"), (1, 0, 0.0, None),
    ]  # fmt: skip
    assert [tuple(each.values()) for each in first] == [(0, 10, "b"), (0, 10, "a"), (0, 11, "c")]


def test_equal_values_do_not_grow(tmp_path: Path) -> None:
    one = recorded(tmp_path / "a", LEFT)
    assert growth(one, recorded(tmp_path / "b", LEFT)) == ([], [])
    assert growth(one, recorded(tmp_path / "c", {})) == ([], [])


def test_a_variable_of_one_training_alone_is_apart(tmp_path: Path) -> None:
    one = recorded(tmp_path / "a", {(0, 0): {"a": 1.0}})
    other = recorded(tmp_path / "b", {(0, 0): {"a": 1.0, "b": 1.0}})
    steps, _ = growth(one, other)
    assert [(each["relative"], each["variable"]) for each in steps] == [(None, "b")]
