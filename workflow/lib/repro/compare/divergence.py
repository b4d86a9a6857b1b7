"""Divergence: the first place where two runs diverge.

Synopsis:
    place(Divergence("weights", epoch=0, step=3, variable="dense/kernel"))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any

from repro.core.layout import FITTED

WORDS = {
    "initial seed states": "initial states of the random generators",
    "seed states": "states of the random generators",
    "data order": "order of the examples",
    "length": "length of the training",
    "trace layout": "layout of the trace",
}
"""How a place is called where its own name says too little; see `Divergence.what`."""

BEFORE_TRAINING = (
    "class weights", "initial weights", "initial optimizer state", "initial seed states",
    "trace layout",
)  # fmt: skip
"""What is compared of a training before its first step."""


@dataclass(frozen=True)
class Divergence:
    """The first place where two runs diverge.

    `epoch` and `step` count from 0 and are None before training and after it. `what` is
    one of: prepared data, fitted preprocessing (of the same ids), class weights (as the user's
    function returns them), initial weights, initial optimizer state, initial seed states, data
    order, batch content, learning rate, loss, weights, optimizer state, seed states, length,
    history, final weights, predictions, metrics, trace layout. `variable` names the array, variable
    or column.
    """

    what: str
    epoch: int | None = None
    step: int | None = None
    variable: str | None = None

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Divergence:
        """From a verdict or a reproduction, which may say more of it than its place."""
        return cls(*(value[each.name] for each in fields(cls)))


def in_data(left: Mapping[str, str], right: Mapping[str, str]) -> Divergence | None:
    """The first file of prepared data that differs, from the digest of each by its name."""
    odd = {name for name in {*left, *right} if left.get(name) != right.get(name)}
    # What is fitted decides what is stored, but not the ids, which `dataset` decides.
    fitted = sorted(name for name in odd if name.startswith(f"{FITTED}/"))
    if fitted and not any(name.endswith("/id.npy") for name in odd):
        return Divergence("fitted preprocessing", variable=PurePosixPath(fitted[0]).stem)
    # Ids come from the content unless they were given: the content says more, so it goes first.
    first = min(
        odd.difference(fitted), key=lambda name: (name.endswith("/id.npy"), name), default=None
    )
    return Divergence("prepared data", variable=first) if first else None


def place(divergence: Divergence) -> str:
    """Where runs diverge, as words: "epoch 0, step 3, in the weights (dense/kernel)"."""
    time = ""
    if divergence.epoch is not None:
        step = "its end" if divergence.step is None else f"step {divergence.step}"
        time = f"epoch {divergence.epoch}, {step}, in "
    variable = f" ({divergence.variable})" if divergence.variable else ""
    return f"{time}the {WORDS.get(divergence.what, divergence.what)}{variable}"
