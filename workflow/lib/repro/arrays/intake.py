"""Intake: how far what a user returned is read, and who hears of it.

Synopsis:
    intake = Intake(ReadLimits(**parameters.limits), say)
    intake.say("…")
    intake.check_size("x", 5 * 2**30)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from repro.core.errors import UserError
from repro.core.parameters import ReadLimits


def _quiet(_line: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Intake:
    """The limits of what has no size of its own, and `say`, which takes a line for the user."""

    limits: ReadLimits = field(default_factory=ReadLimits)
    say: Callable[[str], None] = _quiet

    def check_size(self, name: str, size: int) -> None:
        """Refuses an array that would take more bytes than the limit.

        Raises:
            UserError: it would.
        """
        if size > self.limits.mebibytes * 2**20:
            raise UserError(
                f"Expected `{name}` to take at most {self.limits.mebibytes} MiB with all cells of "
                f"one size. Received one that would take {size // 2**20} MiB. Make it smaller in "
                "`dataset` (leave out columns, cut long texts), or raise `limits.mebibytes` in the "
                "configuration."
            )
