"""Causes: why runs may diverge, one row each.

Synopsis:
    CAUSES["augmentation"].words
    CAUSES["augmentation"].remedy_for("generator without a seed")
    by_quantity("batch content")              # the row to which that first difference points

A new cause is a row here. Factors are causes as well: `repro.core.factor_table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RANDOM = ("generator without a seed", "system entropy", "clock", "process id", "hash",
          "another program")  # fmt: skip
"""Sources, among the calls of the user's code, of what is drawn anew."""
RACING = ("threads", "processes", "unordered stream")
"""Sources of what depends on which thread or process comes first."""

_SOURCES = {
    "generator without a seed": "Give that generator a seed from `seeds(name)`.",
    "system entropy": "Take a seed from `seeds(name)` in place of the system's entropy.",
    "clock": "Take nothing from the clock that decides a value.",
    "process id": "Take nothing from the process id.",
    "hash": "Sort sets before they are used, and take hashlib in place of hash().",
    "another program": "Give the program that is started a seed from `seeds(name)`, and let it "
    "decide by nothing else but its arguments and the declared inputs.",
    "unordered stream": "Let the stream keep its order (`deterministic=True`, map in place of "
    "imap_unordered or as_completed).",
}


@dataclass(frozen=True)
class CauseKind:
    """One kind of cause: how it is told, what to do about it, and what points to it."""

    name: str
    words: str
    remedy: str
    quantities: tuple[str, ...] = ()
    """It is likely where runs first diverge in one of these."""
    phase: str | None = None
    """It is likely where the first operation with other values belongs to this phase of a step."""
    functions: tuple[str, ...] = ()
    """The user's functions whose calls may bring it about; empty where every one may."""
    sources: tuple[str, ...] = RANDOM

    def remedy_for(self, source: str | None) -> str:
        """What to do about it; the source that the code was seen to call says it best."""
        return _SOURCES.get(source or "", self.remedy)


_ROWS = (
    CauseKind(
        "data content",
        words="`dataset` returns other data from the same files",
        remedy="Give every random draw in `dataset` a seed from `seeds(name)`, and let nothing "
        "else but `data` and `settings` decide what it returns.",
        quantities=("prepared data",),
        functions=("dataset", "import"),
    ),
    CauseKind(
        "initialisation",
        words="the model starts from other weights",
        remedy="Give every initialiser a seed from `seeds(name)`, and let `model` depend on "
        "`settings` and `seeds` alone.",
        quantities=("initial weights", "initial optimizer state", "trace layout"),
        functions=("model", "import"),
    ),
    CauseKind(
        "a random layer",
        words="a layer draws other random numbers",
        remedy="Give every random layer, such as Dropout, a seed from `seeds(name)`, and draw in "
        "a layer of your own only by keras.random with a keras.random.SeedGenerator.",
        quantities=("initial seed states", "seed states"),
        functions=("model", "training", "import"),
    ),
    CauseKind(
        "data order",
        words="the examples come in another order",
        remedy="Let a `fit` or `train_step` of your own take batches in the order in which they "
        "come; where there is none, report this: that order is a function of the seed alone.",
        quantities=("data order",),
    ),
    CauseKind(
        "augmentation",
        words="`augment` changes the same batch in another way",
        remedy="Draw in `augment` only by TensorFlow's stateless operations, from the seed that "
        "it receives.",
        quantities=("batch content",),
        phase="augmentation",
        functions=("augment", "training", "import"),
    ),
    CauseKind(
        "forward pass",
        words="the model computes other values from the same batch and the same weights",
        remedy="Look in the model's call for a draw without a seed, Python code that does not "
        "always give the same, or an operation that is not deterministic on this device.",
        quantities=("loss",),
        phase="forward",
    ),
    CauseKind(
        "gradient",
        words="the gradient comes out differently from the same batch and the same weights",
        remedy="Look in `train_step` and its gradients for a draw without a seed, or an "
        "operation whose gradient is not deterministic on this device.",
        quantities=("weights",),
        phase="gradient",
    ),
    CauseKind(
        "update",
        words="the optimizer, the learning rate or a callback acts in another way",
        remedy="Let optimizer, learning rate and callbacks depend on the step alone, not on a "
        "clock, a file or a draw without a seed.",
        quantities=("learning rate", "optimizer state", "length", "final weights"),
        phase="update",
    ),
    CauseKind(
        "evaluation",
        words="the same weights, evaluated on the same data, give other values",
        remedy="Look for a metric, or a layer in inference, that draws without a seed.",
        # A history of the same weights at every step: a metric, or what a callback logs.
        quantities=("history", "metrics", "predictions"),
    ),
    CauseKind(
        "a race",
        words="a race, in which the result hangs on which thread or process comes first",
        remedy="Let no result depend on which thread or process comes first: collect what they "
        "return in a fixed order, and add floating-point numbers in that order.",
        sources=RACING,
    ),
    CauseKind(
        "environment",
        words="something outside the declared inputs has changed, such as a file that an earlier "
        "run left",
        remedy="Name every file that the code reads under `data`, and let it read nothing that "
        "an earlier run has left.",
    ),
    CauseKind(
        "stale state",
        words="the code reads a file that an earlier run of it has left",
        remedy="Let the code read nothing that an earlier run of it has left: write caches to a "
        "fresh temporary folder, or let them hold the very bits of a fresh computation.",
    ),
)

CAUSES: Mapping[str, CauseKind] = {row.name: row for row in _ROWS}
"""Every kind of cause by its name."""

_BY_QUANTITY = {quantity: row for row in _ROWS for quantity in row.quantities}
_BY_PHASE = {row.phase: row for row in _ROWS if row.phase}


def by_quantity(quantity: str) -> CauseKind:
    """What is likely where runs first diverge in this quantity."""
    return _BY_QUANTITY.get(quantity, CAUSES["environment"])


def by_phase(phase: str) -> CauseKind | None:
    """What is likely where the first operation with other values is of this phase."""
    return _BY_PHASE.get(phase)
