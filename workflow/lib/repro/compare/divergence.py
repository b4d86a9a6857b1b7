"""Divergence: the first place where two runs part, and what a shorter repeat would see of it.

Synopsis:
    place(Divergence("weights", epoch=0, step=3, variable="dense/kernel"))
    seen_within(divergence, steps=10, steps_per_epoch=60)
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "initial seed states": "initial states of the random generators",
    "seed states": "states of the random generators",
    "data order": "order of the examples",
    "length": "length of the training",
    "trace layout": "layout of the trace",
}
"""How a place is called where its own name says too little; see `Divergence.what`."""


@dataclass(frozen=True)
class Divergence:
    """The first place where two runs part.

    `epoch` and `step` count from 0 and are None before training and after it. `what` is
    one of: prepared data, initial weights, initial optimizer state, initial seed states,
    data order, batch content, learning rate, loss, weights, optimizer state, seed states,
    length, history, final weights, predictions, metrics, trace layout. `variable` names the
    array, variable or column.
    """

    what: str
    epoch: int | None = None
    step: int | None = None
    variable: str | None = None


def place(divergence: Divergence) -> str:
    """Where runs part, as words: "epoch 0, step 3, in the weights (dense/kernel)"."""
    time = ""
    if divergence.epoch is not None:
        step = "its end" if divergence.step is None else f"step {divergence.step}"
        time = f"epoch {divergence.epoch}, {step}, in "
    variable = f" ({divergence.variable})" if divergence.variable else ""
    return f"{time}the {WORDS.get(divergence.what, divergence.what)}{variable}"


def seen_within(divergence: Divergence | None, steps: int, steps_per_epoch: int) -> bool:
    """Whether a repeat that stops early would have seen a divergence.

    Args:
        divergence: where a whole repeat parts from the original.
        steps: how many steps of training the shorter repeat runs (`repeat: {steps: N}`).
        steps_per_epoch: how many there are in an epoch.

    Returns:
        Whether `compare`, told that limit, would find it. What parts only in final weights,
        predictions or metrics is not seen.

    Example:
        >>> seen_within(Divergence("loss", epoch=1, step=0), steps=10, steps_per_epoch=10)
        False
    """
    if divergence is None:
        return False
    if divergence.epoch is None:
        before = ("prepared data", "trace layout")
        return divergence.what in before or divergence.what.startswith("initial ")
    if divergence.step is None:
        return (divergence.epoch + 1) * steps_per_epoch <= steps
    return divergence.epoch * steps_per_epoch + divergence.step < steps
