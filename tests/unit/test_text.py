"""Lists in plain English: what is named of them, and what is only counted."""

import pytest
from repro.core.text import listed, shortened


@pytest.mark.parametrize(
    ("count", "most", "text"),
    [(0, 2, ""), (1, 2, "a"), (2, 2, "a and b"), (3, 2, "a, b and 1 more"), (3, 9, "a, b and c")],
)
def test_an_enumeration_ends_with_and(count: int, most: int, text: str) -> None:
    assert listed("abc"[:count], most) == text
    assert listed("abc"[:count]) == listed("abc"[:count], 3)


@pytest.mark.parametrize(
    ("most", "apart", "text"),
    [
        (3, ", ", "a, b, c"),
        (2, ", ", "a, b and 1 more"),
        (3, "; ", "a; b; c"),
        (1, "; ", "a; and 2 more"),
    ],
)
def test_what_is_not_named_is_counted(most: int, apart: str, text: str) -> None:
    assert shortened("abc", most, apart) == text
