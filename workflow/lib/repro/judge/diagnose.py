"""Diagnose: from where two runs part to the likely cause, and what to do.

Synopsis:
    causes(Divergence("data order", epoch=0, step=0))
"""

from __future__ import annotations

from dataclasses import dataclass

from repro.judge.compare import Divergence


@dataclass(frozen=True)
class Cause:
    """Why runs part. `tested` says whether it was tried out, or is only likely."""

    cause: str
    where: str
    evidence: str
    remedy: str
    tested: bool = False


_LIKELY = {
    "prepared data": (
        "data content",
        "Give every random draw in `dataset` a seed from `seeds(name)`, and sort what is listed "
        "from a folder or a set.",
    ),
    "initial weights": (
        "initialisation",
        "Give every initialiser a seed from `seeds(name)`, and draw from nothing else in `model`.",
    ),
    "initial seed states": (
        "a random layer",
        "Give every random layer, such as Dropout, a seed from `seeds(name)`.",
    ),
    "initial optimizer state": (
        "initialisation",
        "Let the optimizer depend on settings and seeds alone.",
    ),
    "data order": (
        "data order",
        "Report this: the order of examples is a function of the seed alone.",
    ),
    "batch content": (
        "augmentation",
        "Draw in `augment` only by TensorFlow's stateless operations, from the seed it receives.",
    ),
    "learning rate": (
        "update",
        "Let the learning rate depend on the step alone, not on a clock or a file.",
    ),
    "loss": (
        "forward pass",
        "Look for a random operation without a seed, or a race, in the model's call.",
    ),
    "weights": (
        "gradient",
        "Look for an operation whose gradient is not deterministic on this device.",
    ),
    "optimizer state": (
        "update",
        "Look for a callback or optimizer that reads a clock or draws at random.",
    ),
    "seed states": (
        "a random layer",
        "Look for a random layer that is called another number of times.",
    ),
    "metrics": (
        "forward pass",
        "Look for a metric, or a layer in inference, that draws at random.",
    ),
    "predictions": ("forward pass", "Look for a layer that draws at random in inference."),
}


def place(divergence: Divergence) -> str:
    """Where runs part, as words: "epoch 0, step 3, in the weights (dense/kernel)"."""
    time = ""
    if divergence.epoch is not None:
        step = "its end" if divergence.step is None else f"step {divergence.step}"
        time = f"epoch {divergence.epoch}, {step}, in "
    variable = f" ({divergence.variable})" if divergence.variable else ""
    return f"{time}the {divergence.what}{variable}"


def causes(divergence: Divergence) -> list[Cause]:
    """Likely causes, best first; the first divergence names them.

    Args:
        divergence: where the runs part.

    Returns:
        At most one cause, stated as likely, not as tested.
    """
    if divergence.what not in _LIKELY:
        return []
    cause, remedy = _LIKELY[divergence.what]
    evidence = (
        f"everything before was the same, bit for bit, and the runs part at {place(divergence)}"
    )
    return [Cause(cause, place(divergence), evidence, remedy)]
