"""Trace callback: what is done around each epoch, so that the trace tells of it.

Synopsis:
    recording = Recording(model, plan, step, trace, detail)
    callbacks = [*own, recording.callback()]
    recording.history                  # a mapping of logs for each epoch
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from repro.core.errors import UserError
from repro.core.seeding import step_seeds
from repro.model.instrumented_step import TracedStep
from repro.model.training_plan import Plan
from repro.record.trace import Writer
from repro.variables.best_epoch import BestWeights
from repro.variables.by_path import states
from repro.watch.recorded_values import Look
from repro.watch.training_progress import Seen


@dataclass
class Recording:
    """Around each epoch: prepares the traced step before it, writes its lines behind it.

    `history` takes each epoch's logs; `detail` and `best`, if any, are told of each epoch.
    """

    model: Any
    plan: Plan
    step: TracedStep
    trace: Writer
    detail: Look | None
    history: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    best: BestWeights | None = None
    _epoch: int = 0

    def __post_init__(self) -> None:
        self._epoch = len(self.history)

    def seen(self) -> Seen:
        """Where the training is; may be asked from another thread."""
        steps, loss = self.step.so_far()
        if loss is None and self.history:
            loss = self.history[-1].get("loss")
        return Seen(self._epoch, steps, loss)

    def callback(self) -> Any:
        """This, as a Keras callback; acts at batches only to let `fit` stop within an epoch."""
        import keras

        within = self.plan.last_steps != self.plan.steps
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=self.begin_epoch,
            on_epoch_end=self.end_epoch,
            on_train_batch_end=self.end_batch if within else None,
        )

    def begin_epoch(self, epoch: int, _logs: Any = None) -> None:
        """Prepares the step for an epoch.

        Raises:
            UserError: epochs before it were left out.
        """
        if epoch > (due := len(self.history)):
            raise UserError(
                f"Expected epoch {due} (counted from 0) to be next. Received epoch {epoch}, as "
                "where a callback such as BackupAndRestore resumes an earlier training by "
                "itself. Remove it: `training.checkpoint` lets a killed training go on."
            )
        self._epoch = epoch
        if self.detail:
            self.detail.begin_epoch(epoch)
        self.step.begin_epoch(step_seeds(self.plan.seed, epoch, self.plan.steps))

    def end_batch(self, batch: int, **_logs: Any) -> None:
        """Lets `fit` stop within the last epoch of a shortened run."""
        if self._epoch == self.plan.last_epoch and batch + 1 >= self.plan.last_steps:
            self.model.stop_training = True

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Writes what the epoch's steps recorded, and the states at its end."""
        self.history.append({name: float(value) for name, value in logs.items()})
        if self.best:
            self.best.see(epoch, self.history[-1])
        self.trace.lines(self._steps(epoch))
        self.trace.line({"epoch": epoch, **states(self.model).digests()})
        if epoch == self.plan.last_epoch:
            self.model.stop_training = True

    def _steps(self, epoch: int) -> Iterator[Mapping[str, object]]:
        marks = np.asarray(self.plan.arrays["id"])  # of a mapped file, each look takes longer
        rows = self.step.rows(self.plan.steps_of(epoch))
        for number, (row, chosen) in enumerate(zip(rows, self.plan.batches(epoch), strict=False)):
            ids = hashlib.sha256(np.ascontiguousarray(marks[chosen]).tobytes()).hexdigest()[:16]
            yield {"epoch": epoch, "step": number, "ids": ids, **row}
