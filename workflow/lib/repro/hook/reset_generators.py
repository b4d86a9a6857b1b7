"""Reset generators: one that is set to the same seed again while a model is trained.

Synopsis:
    resets = ResetGenerators()
    resets.noted(source, call, place, value)       # each seed and draw of the user's
    resets.stepped(epoch, batch)                   # after each step: the lines where it is certain

It is certain in two cases. For each epoch, one line sets the same seed, nothing but an order is
drawn from it, and the batches repeat: data that are made from a seed, and noise for validation, may
well be the same each time, but who draws an order again wants another one. Or for each step one
line sets the same seed and numbers are drawn, while the batches are others: so these are not made
of those numbers, and all get the same. A seed at the start of each `fit` or of each new model is a
habit, and no mistake; nor is one in a callback or for an evaluation, nor one for each example.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from repro.events.user_frames import Place, frame_at
from repro.ledger.call_results import as_text
from repro.ledger.watched_calls import DRAW, SEED

_CALLBACKS = "keras.src.callbacks.callback_list"
_DRAWING: Mapping[str, str] = {
    "random.seed": "random.",
    "numpy.random.seed": "numpy.random.",
    "numpy.random.default_rng": "numpy.random.Generator.",
    "tensorflow.random.set_seed": "tensorflow.random.",
}
"""By what sets a seed, how the calls begin that draw from that generator."""
_OWN = "numpy.random.default_rng"
"""What makes another generator; the others set the one that there is."""
_ORDERS = ("permutation", "permuted", "shuffle", "sample")
"""What draws an order of what is there, by the last part of its name."""
_STEPS = 8
"""So many steps, each with a seed set for it, show that each has one."""
_NEARLY_ALL = 0.9
_MOST = 20_000
"""Of longer epochs nothing is known."""

_Key = tuple[str, Place, bytes]
_Batches = Sequence["str | None"]


@dataclass
class _Reset:
    """A seed that a line sets, in the training that goes on.

    `first`, `since`: how many batches there were when it was set first and last; `early`: whether
    the first time was before the first step of a training. `last`: the batches between the last two
    times. `used`: how often numbers were drawn after it was set; `steps`: before how many steps
    that was, `step`: before which one last. `orders`: how many orders were drawn since it was set,
    `most`: at most; `others`: whether anything else was, at any time.
    """

    first: int
    since: int | None
    early: bool
    last: _Batches = ()
    used: int = 0
    steps: int = 0
    step: int = -1
    orders: int = 0
    most: int = 0
    others: bool = False

    def drew(self, name: str) -> None:
        """Numbers were drawn from the generator by a function of that name."""
        self.others |= name not in _ORDERS
        self.orders += 1
        self.most = max(self.most, self.orders)


class ResetGenerators:
    """Seeds and draws of a process beside its training steps."""

    def __init__(self) -> None:
        self._resets: dict[_Key, _Reset] = {}
        self._waiting: dict[_Key, _Reset] = {}
        self._latest: dict[str, _Reset] = {}
        self._batches: list[str | None] = []
        self._different: set[str] = set()
        self._start = 0
        self._epoch: int | None = None
        self._began: list[int] = []
        self._testing = False
        self.needs_batches = False
        """Whether a seed was set and used in this training, so that the batches tell something."""
        self._found: list[Place] = []
        self._lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.RLock()  # a thread that is not there may have held it

    def noted(self, source: str, call: str, place: Place, value: Any) -> None:
        """A seed was set or numbers were drawn, in any thread."""
        if source not in (SEED, DRAW) or self._testing:
            return
        with self._lock:
            if source == SEED and call in _DRAWING:
                seed = as_text(value)
                if seed is not None and not _in_callback(frame_at(1)):
                    self._seeded((call, place, seed))
            elif source == DRAW:
                self._drew(call)

    def restarted(self) -> None:
        """Another `fit` begins, or new variables were made: what came before does not count."""
        with self._lock:
            self._epoch, self._began, self._start = None, [], len(self._batches)
            self.needs_batches = False
            self._different.clear()
            for reset in self._resets.values():
                reset.since, reset.last, reset.used, reset.steps = None, (), 0, 0
                reset.early |= reset.first == self._start  # data may be read before `fit` begins

    def tested(self) -> None:
        """An evaluation begins; the next step ends it."""
        self._testing = True

    def stepped(self, epoch: int | None, batch: str | None) -> list[Place]:
        """A model was trained on a batch, in that epoch of `fit`, if it is one."""
        with self._lock:
            self._testing = False
            if epoch is not None and epoch != self._epoch:
                self._epoch = epoch
                self._began.append(len(self._batches))
            if len(self._batches) >= _MOST:
                self._forget()
            self._batches.append(batch)
            if batch is not None and len(self._different) < 2:
                self._different.add(batch)
            self._compare_epochs()
            found, self._found = self._found, []
            return found

    def _forget(self) -> None:
        self._batches.clear()
        self._resets.clear()
        self._waiting.clear()
        self._latest.clear()
        self.restarted()

    def _seeded(self, key: _Key) -> None:
        now, reset = len(self._batches), self._resets.get(key)
        if key[0] != _OWN:  # nothing can be drawn any more after the seed before
            for other in [each for each in self._waiting if each[0] == key[0]]:
                del self._waiting[other]
        if reset is None:
            self._latest.pop(key[0], None)
            if len(self._resets) < _MOST:
                reset = _Reset(now, now, now == self._start)
                self._resets[key] = self._waiting[key] = self._latest[key[0]] = reset
            return
        batches = self._batches[reset.since : now] if reset.since is not None else []
        if batches or reset.since is None:
            if self._epoch is None and self._repeat(key, reset.last, batches):
                self._found.append(key[1])
            reset.since, reset.last = now, batches
        reset.orders = 0
        self._waiting[key] = self._latest[key[0]] = reset

    def _drew(self, call: str) -> None:
        for seeding, latest in self._latest.items():
            if _draws_from(seeding, call):
                latest.drew(call.rpartition(".")[2])
        drawn = [key for key in self._waiting if _draws_from(key[0], call)]
        if not drawn or _in_callback(frame_at(2)):
            return
        now = len(self._batches)
        for key in drawn:
            reset = self._waiting.pop(key)
            reset.used += 1
            self.needs_batches |= reset.since is not None
            if reset.step != now:
                reset.step, reset.steps = now, reset.steps + 1
            # What is first drawn after a step may be what shows how far it came.
            most = max(_STEPS, (now - self._start) * _NEARLY_ALL)
            if reset.early and reset.steps >= most and len(self._different) > 1:
                self._found.append(key[1])

    def _compare_epochs(self) -> None:
        """Compares this epoch of `fit` with the one before as soon as it is as long."""
        if len(self._began) < 2:
            return
        before, start = self._began[-2:]
        if len(self._batches) - start != start - before:
            return
        one, other = self._batches[before:start], self._batches[start:]
        if one == other:
            self._found += [key[1] for key in self._resets if self._repeat(key, one, other)]

    def _repeat(self, key: _Key, one: _Batches, other: _Batches) -> bool:
        """Whether two cycles of several batches are the same, and the order of a seed is to blame.

        It is not where they were so before it was set for the first time, nor where its line sets
        others again, too, nor where there are as many orders as batches: then these are the data.
        """
        reset = self._resets[key]
        if reset.others or reset.most >= len(one):
            return False
        if reset.used < 2 or None in one or len({*one}) < 2 or list(one) != list(other):
            return False
        again = (each for each, its in self._resets.items() if its.used > 1 and each != key)
        alone = all(each[:2] != key[:2] for each in again)
        return alone and one[0] not in self._batches[: reset.first]


def _draws_from(seeding: str, call: str) -> bool:
    begins = _DRAWING[seeding]
    # "numpy.random.normal" draws from the global generator, "numpy.random.Generator.normal" not.
    return call.startswith(begins) and "." not in call[len(begins) :]


def _in_callback(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == _CALLBACKS:
            return True
        frame = frame.f_back
    return False
