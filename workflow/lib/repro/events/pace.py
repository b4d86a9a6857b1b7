"""Pace: which training steps are digested, so that a fast step does not wait for its digests.

Synopsis:
    pace = Pace(time.perf_counter)
    if pace.due(): ...; pace.took(seconds)
"""

from __future__ import annotations

from collections.abc import Callable

SHARE = 0.07
"""The part of the time that may go into digests of variables; beyond it, steps are left out."""
ALWAYS = 10
"""So many first steps are digested whatever it takes."""
LOOKS = 16
"""After so many digests it is seen what they take."""


class Pace:
    """Which steps of a model are digested: the first ones, then the multiples of a power of two.

    So two processes that took other powers have those of the larger one in common.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.every, self._step = 1, 0
        self._clock, self._began, self._looks = clock, 0.0, list[float]()

    def due(self) -> bool:
        """Whether to digest the step that was taken now."""
        self._step += 1
        return self._step <= ALWAYS or self._step % self.every == 0

    def took(self, seconds: float) -> None:
        """The digests of this step took so long."""
        if self._step > ALWAYS:
            self._looks.append(seconds)
            if len(self._looks) < LOOKS:
                return
            # The median, since one that was interrupted says nothing of the others.
            usual = sorted(self._looks)[LOOKS // 2]
            if usual * LOOKS > SHARE * (self._clock() - self._began):
                self.every *= 2
        self._began = self._clock()
        self._looks.clear()
