"""Text: counts, lists and beginnings of sentences in plain English.

Synopsis:
    counted(2, "repeat")                      # "2 repeats"
    listed(["a", "b", "c"])                   # "a, b and c"
    shortened(["a", "b", "c"], 2)             # "a, b and 1 more"
    lasting("no /tmp/tmpab1_x9zz/a.npy")      # "no …/a.npy"
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TEMPORARY_NAME = r"tmp[a-z0-9_]{8}"
"""A pattern: how Python's tempfile draws names."""

_OF_ONE_RUN = (
    (re.compile(r"""(['"`])/(?:(?!\1).)*/"""), r"\1…/"),  # a folder, in quotes
    (re.compile(r"""(?<![\w/:.…])/(?:[^\s/'"`<>()]+/)+"""), "…/"),  # and without
    (re.compile(rf"\b{TEMPORARY_NAME}\b"), "tmp…"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "0x…"),  # an address in memory
)


def capital(sentence: str) -> str:
    """The sentence, beginning with a capital."""
    return sentence[:1].upper() + sentence[1:]


def counted(count: int, thing: str) -> str:
    """A count and its noun: "1 repeat", "2 repeats"."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """How often: "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"


def listed(parts: Sequence[str], most: int | None = None) -> str:
    """Parts as one enumeration: "a, b and c"; of more than `most`, "a, b and 2 more"."""
    if most is not None and len(parts) > most:
        parts = [*parts[:most], f"{len(parts) - most} more"]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def shortened(parts: Sequence[str], most: int, apart: str = ", ") -> str:
    """The first `most` parts, and how many more there are; where all are named, no "and".

    Args:
        apart: what stands between two; anything but a comma stands before the last as well.

    Example:
        >>> shortened(["a", "b", "c"], 2)
        'a, b and 1 more'
        >>> shortened(["a", "b", "c"], 2, apart="; ")
        'a; b; and 1 more'
        >>> shortened(["a", "b"], 2)
        'a, b'
    """
    named = apart.join(parts[:most])
    if len(parts) <= most:
        return named
    return f"{named}{' ' if apart == ', ' else apart}and {len(parts) - most} more"


def lasting(text: str) -> str:
    """A text of somebody else's, without what it would say in another way in the next run.

    Folders of absolute paths, drawn names of temporary files, and addresses in memory.
    """
    for pattern, replacement in _OF_ONE_RUN:
        text = pattern.sub(replacement, text)
    return text
