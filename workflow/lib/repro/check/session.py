"""Session: what all runs of one check share, and how one of them is made.

Synopsis:
    result = session.run("run 2", "run 2 of 2, varied", session.factors(), "check-2")
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.check.one_run import UNWATCHED, RunResult, Watched, one_run
from repro.check.progress import Progress, duration
from repro.check.varied import AS_IT_IS, NETWORK, USUAL, Change, RunPlan
from repro.contain.place import Containment
from repro.contain.user_command import UserCommand
from repro.core.factor_table import STRESS
from repro.core.text import counted

BUDGET = 600.0
"""Seconds for all that follows the first answer, unless `--budget` says otherwise."""


@dataclass(frozen=True)
class CheckOptions:
    """The options of the command line; `budget` in seconds, None where it was not given."""

    words: tuple[str, ...]
    out: Path
    budget: float | None = None
    runs: int = 2
    steps: int | None = None
    only: str | None = None
    keep: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rtol: float = 0.0
    overlay: bool = True
    in_place: bool = False
    network: bool = True
    load: bool = False


@dataclass
class Session:
    """What all runs of one check share; `ends`: the moment at which the budget is spent."""

    options: CheckOptions
    command: UserCommand
    containment: Containment
    scratch: Path
    progress: Progress
    given: Mapping[str, str]
    home: Path | None
    ends: float | None
    seconds: float | None = None
    logs: int = field(default=0)
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Factors that turned out to stop the command for reasons that are ours, and these."""

    def factors(self) -> tuple[str, ...]:
        """What a varied run varies."""
        extra = [NETWORK] * (not self.options.network) + [STRESS] * self.options.load
        kept = {*self.options.keep, *self.refused}
        return tuple(name for name in (*USUAL, *extra) if name not in kept)

    def run(
        self,
        name: str,
        what: str,
        vary: tuple[str, ...],
        draw: str,
        watched: Watched = UNWATCHED,
        change: Change = AS_IT_IS,
    ) -> RunResult:
        """Runs the command once under some factors; `what` is shown meanwhile."""
        place = self.containment.place(
            name.replace(" ", "-"), elsewhere="working directory" in vary
        )
        own = not self.containment.catches_home
        plan = RunPlan(self.command, place, draw, vary, self.home, own, change)

        def stopped(seconds: float) -> str:
            self.progress.show(what, seconds, self.seconds)
            late = self.ends is not None and time.monotonic() > self.ends
            return "the budget was spent (--budget)" if late else ""

        logs = self.scratch / f"printed-{self.logs}"
        self.logs += 1
        result = one_run(plan, self.containment, logs, self.given, stopped, watched)
        self.progress.clear()
        return replace(result, name=name)

    def time_is_left(self, purpose: str, runs: int = 1) -> bool:
        """Whether some more runs are likely to end within the budget; says so where they are not.

        Args:
            purpose: what the runs are for, as in "to find out why".
        """
        needed = (self.seconds or 0) * runs
        left = math.inf if self.ends is None else max(0.0, self.ends - time.monotonic())
        if needed < left:
            return True
        self.progress.line(
            f"The budget is too small {purpose}: {counted(runs, 'more run')} will take about "
            f"{duration(needed)}, and {duration(left)} are left. `--budget` sets another one."
        )
        return False
