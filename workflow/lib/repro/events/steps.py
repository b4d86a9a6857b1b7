"""Steps: digests of every variable after each training step, whoever wrote the loop.

Synopsis:
    watch = Watch(stream, None, left_out, before)
    patch(watch)                   # `repro.events.patches`, before TensorFlow is imported

A training step is a call that may change a trainable variable: of a compiled function (`fit`,
`train_on_batch`, a `tf.function`), or of an optimizer where nothing is compiled. Its variables are
read after it has returned; no operation is added, and the graph stays the user's.
"""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from repro.events.digests import LENGTH, Digester
from repro.events.pace import Pace
from repro.events.stream import Stream
from repro.events.variables import KnownVariables, Name
from repro.events.written import written


@dataclass(frozen=True)
class _Plan:
    """What a compiled function may write; `variables` in the order of the layout."""

    traces: int
    variables: Sequence[Any]
    layout: int
    model: str
    trains: bool


class Watch:
    """Watches the training steps of a process.

    Args:
        limit: the process ends after so many steps.
        left_out: what is called with a sentence for whatever cannot be watched.
        before: what is called right before a step is put into the stream.
        clock: gives the seconds by which it is judged what the digests take.
    """

    def __init__(
        self,
        stream: Stream,
        limit: int | None,
        left_out: Callable[[str], None],
        before: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._stream, self._limit, self.left_out, self._before = stream, limit, left_out, before
        self._clock = clock
        self.variables = KnownVariables()
        self._plans: weakref.WeakKeyDictionary[Any, _Plan] = weakref.WeakKeyDictionary()
        self._layouts: dict[tuple[Name, ...], int] = {}
        self._steps, self._fits = Counter[str](), Counter[str]()
        self._paces: dict[str, Pace] = {}
        self._epochs: dict[str, int] = {}
        self._total = 0
        self._lock = threading.RLock()
        self._here = threading.local()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        self.on_data: Callable[[Any, Any], None] = _nothing
        self.on_fit: Callable[[], None] = _nothing
        self.on_test: Callable[[], None] = _nothing
        self.on_batch: Callable[[int | None, Any, str], None] = _nothing
        self.needs_batch: Callable[[Any], bool] = _nothing
        self.on_step: Callable[[str, Any], None] = _nothing
        self.on_stepped: Callable[[int | None, str | None], None] = _nothing
        self.on_made: Callable[[], None] = _nothing

    def _forked(self) -> None:
        """A child has a stream of its own, in which no layout was declared; no thread holds it."""
        self._lock = threading.RLock()
        self._layouts.clear()
        self._plans.clear()

    @functools.cached_property
    def _digester(self) -> Digester:
        return Digester()

    # What the patches call.

    def inside(self) -> bool:
        """Whether this thread is inside something that is watched as a whole."""
        return getattr(self._here, "depth", 0) > 0

    def enter(self) -> None:
        """What is called now belongs to what is watched as a whole."""
        self._here.depth = getattr(self._here, "depth", 0) + 1

    def leave(self) -> None:
        """The opposite of `enter`."""
        self._here.depth -= 1

    @property
    def trainer(self) -> Any:
        """The Keras model whose `train_function` this thread runs, or None."""
        return getattr(self._here, "trainer", None)

    @trainer.setter
    def trainer(self, model: Any) -> None:
        self._here.trainer = model
        self._here.stepped = False

    @property
    def stepped(self) -> bool:
        """Whether a step was noted since the trainer was set."""
        return getattr(self._here, "stepped", False)

    def wrote(self, variable: Any) -> None:
        """A variable was written eagerly."""
        known = self.variables.of_handle(variable.handle)
        if known is not None:
            written: dict[int, Any] = vars(self._here).setdefault("written", {})
            written[id(known)] = known

    def read_batch(self, batch: Any, iterator: Any) -> None:
        """A batch was taken from an iterator."""
        self._here.read_from = iterator
        self._here.batches = (*getattr(self._here, "batches", ()), self._digester.of_values(batch))

    def taking_from(self, iterator: Any, digest: Any) -> None:
        """A step takes its batch from an iterator; the variable has the digest of what it gave."""
        self._here.read_from = iterator
        if digest is not None and getattr(self._here, "iterator", None) is not iterator:
            self._here.iterator = iterator  # an epoch's own; it begins again
            digest.assign([0] * 8)
        self._here.taken = digest

    def fit_begins(self, model: str) -> None:
        """`fit` of a model begins."""
        self._fits[model] += 1
        self.on_fit()

    def epoch_begins(self, model: str, epoch: int) -> None:
        """An epoch of `fit` begins."""
        self._epochs[model] = epoch

    def starting(self, function: Any = None) -> None:
        """Notes the values of new variables, before a call that may be a training step."""
        plan = self._plans.get(function) if function is not None else None
        if plan is None or plan.trains:
            variables = self.variables.fresh()
            if variables:
                self._before()
                self.on_made()
                named = self.variables.named(variables)
                self._stream.put(
                    {
                        "start": True,
                        "layout": self._layout([name for name, _ in named]),
                        "digests": self._digester.of_variables([each for _, each in named]),
                    }
                )

    def called(self, function: Any, arguments: Any) -> None:
        """A compiled function has returned."""
        plan = self._plan(function)
        if plan.trains:
            self._step(plan.model, plan.layout, plan.variables, arguments)

    def called_eagerly(self, what: str, variables: Iterable[Any], arguments: Any = ()) -> None:
        """A step has been taken in which nothing was compiled; `variables` took part."""
        every = {id(variable): variable for variable in variables}
        every.update(getattr(self._here, "written", {}))
        named = self.variables.named(every.values())
        names = [name for name, _ in named]
        self._step(_model(names, what), self._layout(names), [each for _, each in named], arguments)

    # How a step is noted.

    def _plan(self, function: Any) -> _Plan:
        traces = function.experimental_get_tracing_count()
        plan = self._plans.get(function)
        if plan is None or plan.traces != traces:
            plan = self._plans[function] = self._planned(function, traces)
        return plan

    def _planned(self, function: Any, traces: int) -> _Plan:
        found: dict[int, Any] = {}
        for concrete in function._list_all_concrete_functions():
            captures = [outer for outer, _ in concrete.graph.captures]
            for place in written(concrete):
                variable = self.variables.of_handle(captures[place])
                if variable is not None:
                    found[id(variable)] = variable
        trains = any(variable.trainable for variable in found.values())
        named = self.variables.named(found.values()) if trains else []
        names = [name for name, _ in named]
        layout = self._layout(names) if trains else 0
        what = getattr(function, "__name__", "function")
        return _Plan(traces, [each for _, each in named], layout, _model(names, what), trains)

    def _layout(self, names: Sequence[Name]) -> int:
        key = tuple(names)
        with self._lock:
            if key not in self._layouts:
                self._layouts[key] = len(self._layouts)
                self._stream.put({"layout": self._layouts[key], "variables": names})
            return self._layouts[key]

    def _step(self, what: str, layout: int, variables: Sequence[Any], arguments: Any) -> None:
        trainer, here = self.trainer, self._here
        model = trainer.name if trainer is not None else what
        with self._lock:
            self._before()
            self.on_step(model, getattr(here, "read_from", None))
            self._steps[model] += getattr(trainer, "steps_per_execution", 1) or 1
            if model not in self._paces:
                self._paces[model] = Pace(self._clock)
            digests, batches = self._digests(model, variables, arguments)
            event: dict[str, Any] = {
                "step": self._steps[model],
                "model": model,
                "fit": self._fits[model] if trainer is not None else None,
                "epoch": self._epochs.get(model) if trainer is not None else None,
                "layout": layout,
                "digests": digests,
                "batch": "".join(dict.fromkeys(filter(None, batches))) or None,
            }
            self._stream.put(event)
            self.on_stepped(event["epoch"], event["batch"])
            self._total += 1
        here.batches, here.written, here.stepped = (), {}, True
        if self._limit is not None and self._total >= self._limit:
            raise SystemExit(0)

    def _digests(
        self, model: str, variables: Sequence[Any], arguments: Any
    ) -> tuple[str | None, tuple[str | None, ...]]:
        """Those of the variables, None where the step is left out; and of the batches."""
        pace, began = self._paces[model], self._clock()
        due, here = pace.due(), self._here
        batches = getattr(here, "batches", ())
        taken = getattr(here, "taken", None) if self.trainer is not None else None
        found: str | None = None
        if taken is None:
            batches = (*batches, self._digester.of_values(arguments))
            found = self._digester.of_variables(variables) if due else None
        elif due or self.needs_batch(taken):
            # Read together, since most of what a reading takes is the same for one and many.
            both = self._digester.of_variables(variables if due else (), (taken,))
            found, batch = both[:-LENGTH] if due else None, both[-LENGTH:]
            self.on_batch(self._epochs.get(model), taken, batch)
            batches = (*batches, batch)
        if due:
            pace.took(self._clock() - began)
        return found, batches


def _nothing(*_: Any) -> Any:
    """What is called where nobody looks."""


def _model(names: Sequence[Name], what: str) -> str:
    """What to call a model of which only the variables are known: their common first part."""
    parts = [path.split("/") for path, _, _, kind in names if kind == "weight"]
    firsts = {part[0] for part in parts if len(part) > 2}
    return firsts.pop() if len(firsts) == 1 and all(len(part) > 2 for part in parts) else what
