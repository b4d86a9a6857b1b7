"""What of a model, its code or its devices narrows what can be promised; told beforehand.

Synopsis:
    require_one_process()                   # before the user's `model` is called
    require_one_device(model)               # before it is built
    limits = Limits(model, code.path, say)  # before the first step; says each as one line
    limits.found()                          # [Limit("XLA", "compile(jit_compile=True)", "…")]

What cannot be trained here at all is refused. Operations are looked at in the very graph that is
trained, while TensorFlow traces it: nothing is traced for this, so no bit can change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.core.errors import UserError
from repro.core.text import shortened
from repro.model.determinism import Settings, found
from repro.model.nondeterministic_ops import COMPILED, gap
from repro.watch.graphs import Body, nodes, place


@dataclass(frozen=True)
class Limit:
    """What was recognised, where, and what can and cannot be promised there."""

    name: str
    where: str
    promise: str

    def __str__(self) -> str:
        return f"{self.name} ({self.where}): {self.promise}"


_NOT_COMPILED = (
    "Keras does not let XLA and deterministic operations go together: XLA stays off, and every "
    "goal can be claimed for a training without it."
)
_SHORT = (
    "How 16 bits are rounded depends on the units of the processor or GPU: `bitwise` can be "
    "claimed for the same model of it only, for another claim `metrics`."
)
_UNSEEN = (
    "No graph was traced before the first step, so its operations were not looked at: there may be "
    "more limits than are listed. The repeat tests what they do on this machine."
)
_SHOWN = 3


def require_one_process() -> None:
    """Refuses a cluster: each step of this workflow is one process.

    Raises:
        UserError: TF_CONFIG is set, which makes TensorFlow wait for other workers.
    """
    if os.environ.get("TF_CONFIG"):
        raise UserError(
            "Expected training in one process. Received TF_CONFIG, which names a cluster. Leave "
            "it out, and train with one worker: several workers or a parameter server cannot be "
            "repeated here."
        )


def require_one_device(model: Any) -> None:
    """Refuses a model that was made under a strategy of tf.distribute.

    Raises:
        UserError: it was made under one, whichever.
    """
    import tensorflow as tf

    strategy = model.distribute_strategy
    if strategy is not tf.distribute.get_strategy():
        raise UserError(
            "Expected a model for one process and one device. Received one that was made under "
            f"{type(strategy).__name__}. Make it outside `strategy.scope()`: several devices, "
            "workers or a parameter server cannot be repeated here."
        )


def _of_settings(settings: Settings | None) -> Iterator[Limit]:
    """What the user's code has set again since determinism began."""
    if settings is None:
        return
    if settings.xla:
        yield Limit("XLA", "tf.config.optimizer.set_jit", COMPILED)
    if settings.tf32:
        where = "tf.config.experimental.enable_tensor_float_32_execution"
        promise = (
            "GPUs round products in their own way: `bitwise` can be claimed for the same model of "
            "GPU only, for another claim `metrics`. On a CPU it does nothing."
        )
        yield Limit("TensorFloat-32", where, promise)


def _of_devices() -> Iterator[Limit]:
    import keras
    import tensorflow as tf

    kinds = [device.device_type for device in tf.config.list_logical_devices()]
    for kind in dict.fromkeys(kinds):
        if (count := kinds.count(kind)) > 1:
            promise = (
                "Only the first is used, unless the code itself places operations on another: what "
                "is claimed holds for one."
            )
            yield Limit(f"several devices of type {kind}", f"{count} are visible", promise)
    spread: Any = keras.distribution
    if distribution := spread.distribution():
        promise = (
            "Keras spreads nothing with TensorFlow: one device trains, and every goal can be "
            "claimed for that."
        )
        yield Limit("keras.distribution", type(distribution).__name__, promise)


def of_model(model: Any) -> list[Limit]:
    """What narrows the promises, as far as a compiled model, devices and settings tell."""
    limits = [*_of_settings(found()), *_of_devices()]
    # ASSUME: Keras turns what was asked for off, and keeps it here; tests/keras/test_limits.py
    asked: dict[str, Any] = model.get_compile_config() or {}
    if asked.get("jit_compile") is True:
        limits.append(Limit("XLA", "compile(jit_compile=True)", _NOT_COMPILED))
    short = [
        f"{layer.name} ({layer.dtype_policy.name})"
        for layer in model._flatten_layers(include_self=False)
        if layer.compute_dtype in ("float16", "bfloat16")
    ]
    if short:
        limits.append(Limit("mixed precision", shortened(short, _SHOWN), _SHORT))
    if model.run_eagerly:
        limits.append(Limit("no graph", "the model runs eagerly", _UNSEEN))
    return limits


def of_graph(graph: Any, path: Path) -> list[Limit]:
    """What narrows the promises among the operations of a graph and of all that it calls.

    Each once, with the user's lines or the names of operations. The graph may still be being
    traced.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for body, op in nodes(Body(graph)):
        if limit := gap(op):
            at = place(body.frames(op), path)
            places.setdefault(limit, []).append(f"{at[0]}, line {at[1]}" if at else op.name)
    return [
        Limit(name, shortened(list(dict.fromkeys(where)), _SHOWN), promise)
        for (name, promise), where in places.items()
    ]


class Limits:
    """The limits of one training: those of the model at once, of operations when they are traced.

    Replaces `model.train_step` by one that also looks at the graph that it is traced into.

    Args:
        path: the experiment's file or folder, absolute.
        say: is given each limit as one line, before the first step is run.
    """

    def __init__(self, model: Any, path: Path, say: Callable[[str], None]) -> None:
        self._path, self._say = path, say
        self._found: list[Limit] = []
        self._own_step = model.train_step
        self._looked = bool(model.run_eagerly)
        self._add(of_model(model))
        model.train_step = self._step

    def _add(self, limits: Sequence[Limit]) -> None:
        self._found += limits
        for limit in limits:
            self._say(f"A limit: {limit}")

    def _step(self, data: Any) -> Any:
        import tensorflow as tf

        logs = self._own_step(data)
        if not self._looked and not tf.executing_eagerly():
            self._looked = True
            self._add(of_graph(tf.compat.v1.get_default_graph(), self._path))
        return logs

    def found(self) -> list[Limit]:
        """All limits, after training."""
        if not self._looked:
            self._looked = True
            self._add([Limit("no graph", "the model's own `fit`", _UNSEEN)])
        return list(self._found)
