"""User sources: the user's own modules that were imported, read for what no call shows.

Synopsis:
    note_hashed_lines(ledger.note)      # when the training begins, and all have been imported
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

from repro.events.user_frames import Place, place_of

_MOST = 2**21
"""So many bytes of source are read, which takes about two seconds."""


def note_hashed_lines(note: Callable[[str, str, Place], None]) -> None:
    """Notes the lines that may depend on the hash seed, by source, expression and place."""
    from repro.ledger.set_order import lines_on_hash_seed

    left = _MOST
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py") or not place_of(file, 1):
            continue
        with suppress(Exception):  # it may be gone, or no module at all
            with open(file, "rb") as opened:
                source = opened.read(left + 1)
            left -= len(source)
            if left < 0:
                return
            for line in lines_on_hash_seed(source, vars(module)):
                place = place_of(file, line.number)
                if place:
                    note(line.source, line.text, place)
