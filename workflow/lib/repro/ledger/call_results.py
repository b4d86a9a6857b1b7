"""Call results: what came of one call in one line, as a digest of all of it.

Synopsis:
    results = CallResults()
    results.add(0.31)
    results.count, results.digest
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from repro.events.digests import of_array

_MOST = 100_000
"""Of more calls from one line only the number is noted."""


class CallResults:
    """How often a line made a call, and what came of it."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all results so far."""
        return self._digest.hexdigest()[:16]

    def add(self, result: Any) -> None:
        """Takes one more result."""
        self.count += 1
        if self.count <= _MOST:
            text = as_text(result)
            if text is not None:
                self._digest.update(text)


def as_text(value: Any) -> bytes | None:
    """What stands for a result; None for what has no text that is the same in each process."""
    if isinstance(value, (bool, int, float, str, bytes)):
        return repr(os.path.basename(value) if isinstance(value, str) else value).encode()
    if isinstance(value, (list, tuple)):
        parts = [as_text(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        return None if None in parts else b"[" + b",".join(filter(None, parts)) + b"]"
    if isinstance(value, dict):
        return as_text(list(value.values()))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if hasattr(value, "__array_interface__"):
        return of_array(value).encode()
    if hasattr(value, "numpy") and hasattr(value, "_numpy_internal"):
        return of_array(value.numpy()).encode()
    return b"None" if value is None else None
