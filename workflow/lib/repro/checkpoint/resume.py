"""Resume: goes on with a killed training from its last checkpoint, bit for bit.

Synopsis:
    resume = Resume(CheckpointPolicy(folder, key, seconds=60), model, epochs)
    with writer(path, header) as trace:
        resume.continue_trace(trace)
        callbacks.append(resume.callback(own_callbacks))      # behind all others
        LOOPS[loop](model, plan, callbacks, resume.first)

A checkpoint is written at the end of an epoch, and holds all that decides how training goes on.
What it cannot hold is found out before, from the graphs of the training; then none is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.checkpoint import preconditions
from repro.checkpoint.callback_state import CallbackStates
from repro.checkpoint.file_format import Array, Facts, Snapshot
from repro.checkpoint.plain_values import CannotKeep, NotOurs
from repro.checkpoint.store import CheckpointStore
from repro.core.errors import UserError
from repro.record.trace import Writer
from repro.variables.best_epoch import BestWeights
from repro.variables.training_state import (
    Different,
    Variables,
    drawing,
    generators,
    is_variable,
    put_generators_back,
)


class RestartTraining(BaseException):
    """The checkpoints do not fit this training after all: it must begin again, in a new process.

    No Exception, so that it passes through whatever blames the user's code for those.
    """


@dataclass(frozen=True)
class CheckpointPolicy:
    """Where checkpoints are kept, what tells this training from others, and how often.

    `seconds` must have passed since the last one; 0 keeps one after every epoch. `check` is called
    before each, and raises a UserError where none may be written.
    """

    folder: Path
    key: str
    seconds: int
    check: Callable[[], object] = lambda: None


def _signature(data: Any) -> str:
    import tensorflow as tf

    return str([(each.shape, each.dtype) for each in tf.nest.flatten(data)])


class Resume:
    """The checkpoints of one training, in a folder that the caller has alone.

    The model is built and compiled, and no epoch of it has been trained; `best` are the weights of
    its best epoch.
    """

    def __init__(
        self, keeping: CheckpointPolicy, model: Any, epochs: int, best: BestWeights | None = None
    ) -> None:
        self._kept = CheckpointStore(keeping.folder, keeping.key)
        self._model, self._epochs, self._keeping, self._best = model, epochs, keeping, best
        self._variables, self._graphs = Variables(model), dict[str, set[str]]()
        self._reasons: list[str] = []
        self._found = self._kept.newest()
        self.first = self._found.epoch if self._found else 0
        self.resumed = [*self._found.facts["resumed"], self.first] if self._found else []
        self.history: list[dict[str, float]] = []
        self.finished = self._found is not None and self._found.facts["finished"]
        self.last_logs: dict[str, float] | None = None
        for name in ("test_step", "predict_step"):
            self._watch(name)
        for reason in preconditions.of_model(model):
            self._refuse(reason)
        if self._found:
            print(f"Taken up after epoch {self.first} of {epochs}, from {keeping.folder}.")

    def resumable(self) -> str:
        """`yes`, or `no` with the reason."""
        return f"no: {'; '.join(self._reasons)}" if self._reasons else "yes"

    def continue_trace(self, trace: Writer) -> None:
        """Adds the lines of the epochs that need not be trained again, behind the header."""
        self._trace = trace
        if self._found is None:
            return
        trace.file.flush()
        header = Path(trace.file.name).read_bytes()
        trace.file.seek(0)
        for block in self._kept.trace():
            trace.file.write(block.decode("ascii"))
        trace.file.flush()
        with Path(trace.file.name).open("rb") as file:
            if file.read(len(header)) != header:
                raise self._afresh("it starts from another state")
        facts = self._found.facts
        self.history += [{n: float.fromhex(v) for n, v in e.items()} for e in facts["history"]]
        if self._best:
            self._best.resume(self.history, self._found.best)

    def callback(self, callbacks: list[Any], record: tuple[Any, ...]) -> Any:
        """The callback that restores the state as training begins, and keeps it at ends of epochs.

        It stands behind all others, the user's. The variables of `record` need not be kept.
        """
        import keras

        self._own, self._record = callbacks, record
        for reason in preconditions.of_callbacks(callbacks):
            self._refuse(reason)
        return keras.callbacks.LambdaCallback(
            on_train_begin=self._begin, on_epoch_end=self._end_epoch
        )

    def trace_step(self, trace: Callable[[], Any]) -> None:
        """Traces the training step, and looks for what cannot be kept."""
        import tensorflow as tf

        before = drawing()
        graph = trace().graph
        handles = [outer for outer, _ in graph.captures]
        self._variables.find(handles, self._record)
        self._look("the training step", "", graph, before)
        if self._found:
            with tf.init_scope():
                try:
                    self._variables.put_found_back(self._found.arrays)
                except Different as why:
                    raise self._afresh(str(why)) from None
            self._found = replace(
                self._found, arrays={}, python=b"", best={}
            )  # as large as the model

    def _watch(self, name: str) -> None:
        original = getattr(self._model, name)

        def step(data: Any) -> Any:
            import tensorflow as tf

            before = drawing()
            result = original(data)
            if not tf.executing_eagerly():
                graph = tf.compat.v1.get_default_graph()
                self._look(name, _signature(data), graph, before)
                handles = [outer for outer, _ in graph.captures if is_variable(outer)]
                if not all(self._variables.knows(handle) for handle in handles):
                    self._refuse(f"{name} uses a variable that neither model nor training knows")
            return result

        setattr(self._model, name, step)

    def _look(self, what: str, signature: str, graph: Any, before: Any) -> None:
        if drawing() != before:
            self._refuse(f"{what} draws from Python's or NumPy's own generator")
        for reason in preconditions.of_graph(graph, what):
            self._refuse(reason)
        name, mark = what + signature, preconditions.mark(graph)
        self._graphs.setdefault(name, set()).add(mark)
        # What was not traced before the checkpoint is traced now as it would have been then.
        if self._found and mark not in self._found.facts["graphs"].get(name, [mark]):
            raise self._afresh(f"{what} is another one")

    def _refuse(self, reason: str) -> None:
        if reason not in self._reasons:
            self._reasons.append(reason)
            print(f"No checkpoint is written from here on, because {reason}.")

    def _afresh(self, why: str) -> RestartTraining:
        print(f"The checkpoints do not fit, because {why}: training begins again.", flush=True)
        self._kept.clear()
        return RestartTraining()

    def _begin(self, _logs: Any = None) -> None:
        self._callbacks: CallbackStates | None = None
        try:
            states = CallbackStates([*self._own, self._model.history], self._model)
            if not self._reasons:
                states.kept(None)
            self._callbacks = states
        except CannotKeep as why:
            self._refuse(str(why))
        if self._found:
            self._restore(self._found)
        self._since = time.monotonic()

    def _restore(self, snapshot: Snapshot) -> None:
        if self._callbacks is None:
            raise self._afresh("the callbacks are others")
        try:
            self._variables.put_back(snapshot.arrays)
        except Different as why:
            raise self._afresh(str(why)) from None
        try:
            self.last_logs, shared = self._callbacks.put_back(snapshot.python)
        except NotOurs as why:
            raise self._afresh(str(why)) from None
        put_generators_back(shared)

    def _end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        due = time.monotonic() - self._since >= self._keeping.seconds
        if not due or self._reasons or self._callbacks is None:
            return
        finished = bool(self._model.stop_training) or epoch + 1 == self._epochs
        try:
            self._keeping.check()
            if self._variables.changed():
                raise CannotKeep("the model has other variables than at the beginning")
            python = self._callbacks.kept((dict(logs) if finished else None, generators()))
            facts: Facts = {
                "finished": finished,
                "resumed": self.resumed,
                "graphs": {what: sorted(marks) for what, marks in self._graphs.items()},
                "history": [{n: v.hex() for n, v in each.items()} for each in self.history],
            }
            self._trace.file.flush()
            best = self._best.arrays if self._best else dict[str, Array]()
            snapshot = Snapshot(epoch + 1, self._variables.arrays(), facts, python, best)
            self._kept.add(snapshot, Path(self._trace.file.name))
        except CannotKeep as why:
            self._refuse(str(why))
        except (UserError, OSError, MemoryError) as why:
            print(f"No checkpoint was written after epoch {epoch + 1} ({why}). Training goes on.")
        # Also where it failed: the next try comes after as long a time.
        self._since = time.monotonic()
