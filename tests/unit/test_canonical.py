"""Canonical text: one value, one text, that reads back the same."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.canonical_json import canonical, parsed, pretty

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False).filter(
        math.isfinite
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
def test_it_reads_back_the_same(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert json.loads(pretty(value)) == value
    assert canonical(value).isascii()
    assert "\n" not in canonical(value)
    assert pretty(value).endswith("\n")


@given(st.dictionaries(st.text(), VALUES, min_size=2))
def test_the_order_of_keys_plays_no_part(value: dict[str, Any]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical(backwards) == canonical(value)
    assert pretty(backwards) == pretty(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_hold_is_refused(value: float) -> None:
    for write in (canonical, pretty):
        with pytest.raises(ValueError, match="JSON"):
            write([value])


def test_a_name_that_stands_twice_is_found_among_many_others() -> None:
    """Looked for name by name it would take hours, and any stranger's text could make it so."""
    names = ", ".join(f'"{number}": 0' for number in range(300_000))
    with pytest.raises(ValueError, match="the key 'last' stands twice"):
        parsed(f'{{{names}, "last": 0, "last": 0}}'.encode())
