"""Schedule: which runs an experiment has, and which steps each of them has with which seeds.

Synopsis:
    schedule = Schedule(goal="bitwise", repeat="full", count=2)
    schedule.runs                        # ('original', 'repeat', 'repeat-2')
    list(schedule.steps([0, 1]))         # [('prepare', {'run': 'original'}), …]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.core.config import Experiment

ORIGINAL = "original"
RUN = "original|repeat(-[0-9]+)?"
"""What a run may be called, as a regular expression."""


@dataclass(frozen=True)
class Schedule:
    """How an experiment is repeated, in the words of its configuration; `count` are its `repeats`.

    Archives of earlier versions have `repeat: false` for `off`.
    """

    goal: str
    repeat: str | bool | Mapping[str, int]
    count: int

    @classmethod
    def of(cls, experiment: Experiment) -> Schedule:
        """That of an entry of the configuration."""
        return cls(experiment.goal, experiment.repeat, experiment.repeats)

    @property
    def repeats(self) -> tuple[str, ...]:
        """The names of the repeats: `repeat`, `repeat-2`, …; none with `repeat: off`."""
        count = 0 if self.repeat in ("off", False) else self.count
        return tuple("repeat" if n == 1 else f"repeat-{n}" for n in range(1, count + 1))

    @property
    def runs(self) -> tuple[str, ...]:
        """The names of all runs, that of the original first."""
        return (ORIGINAL, *self.repeats)

    def steps(self, seeds: Sequence[int]) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Every step that makes what is compared, with its run and seed: first all data.

        Args:
            seeds: those of the original.

        Yields:
            The step, and the names by which `repro.core.layout` knows its place.
        """
        yield from (("prepare", {"run": run}) for run in self.runs)
        for run in self.runs:
            # A repeat that stops early has no final weights to evaluate.
            whole = run == ORIGINAL or self.repeat == "full"
            for seed in seeds if run == ORIGINAL else self._repeated(seeds):
                yield from (
                    (step, {"run": run, "seed": seed})
                    for step in (("train", "evaluate") if whole else ("train",))
                )

    def _repeated(self, seeds: Sequence[int]) -> Sequence[int]:
        """Those of a repeat as well: one is enough to execute the documented way."""
        return seeds[:1] if self.goal == "documented" else seeds
