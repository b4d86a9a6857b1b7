"""Lists in plain English: what is named of them, and what is only counted."""

import pytest
from repro.core.text import lasting, listed, shortened


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No such file: '/tmp/repeat-ab1_x9zz/home/a b.npy'", "No such file: '…/a b.npy'"),
        ("at /home/me/project/a.npy, line 3", "at …/a.npy, line 3"),
        ('(`/a b/c`) and "/a/b c/d"', '(`…/c`) and "…/d"'),
        ("in /tmp/tmpab1_x9zz", "in …/tmp…"),
        ("tmpab1_x9zz/a in the temporary folder", "tmp…/a in the temporary folder"),
        ("<object at 0x7f3a12c0d4f0>", "<object at 0x…>"),
        ("1/2 of a/b/c at https://a.org/b/c", "1/2 of a/b/c at https://a.org/b/c"),
        ("data/train/x.npy, tmpfile, 0x10, /", "data/train/x.npy, tmpfile, 0x10, /"),
    ],
)
def test_what_every_run_says_in_another_way_is_left_out(text: str, expected: str) -> None:
    assert lasting(text) == expected
    assert lasting(expected) == expected
