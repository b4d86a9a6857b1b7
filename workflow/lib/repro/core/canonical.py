"""Canonical: one value, one text, whatever process writes it.

Synopsis:
    canonical({"b": 1, "a": 2})      # '{"a":2,"b":1}'
    pretty({"b": 1, "a": 2})         # the same, indented, with a final newline
"""

import json
from typing import Any


def canonical(value: Any) -> str:
    """The compact JSON text of `value`, keys sorted.

    Follows the parts of RFC 8785 that Python's `json` gives without help: sorted
    keys, no white space, shortest floats that read back the same.

    Args:
        value: anything that JSON can hold; NaN and infinities are refused.

    Returns:
        One line, without a newline, ASCII only.

    Raises:
        ValueError: NaN or an infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def pretty(value: Any) -> str:
    """The indented JSON text of `value`, keys sorted, with a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n"
