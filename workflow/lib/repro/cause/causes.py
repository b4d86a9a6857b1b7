"""Causes: why runs may diverge, one row each.

Synopsis:
    CAUSES["augmentation"].words
    CAUSES["augmentation"].remedy_for({"call": "random.Random", "source": "generator …"})
    by_quantity("batch content", {"augment"})   # the row to which that first difference points

A new cause is a row here. Factors are causes as well: `repro.core.factor_table`; `in_words` knows
both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.factor_table import FACTORS

RANDOM = ("generator without a seed", "system entropy", "clock", "process id", "hash",
          "another program")  # fmt: skip
"""Sources, among the calls of the user's code, of what is drawn again."""
RACING = ("threads", "processes", "unordered stream")
"""Sources of what depends on which thread or process comes first."""
WORKERS = ("threads that Keras starts", "processes that Keras starts")
"""Sources, of the same kind, that make batches and nothing else."""

_WORKER = (
    "Set `workers=1` for the `PyDataset`, or let its `__getitem__` draw for each batch from a "
    "generator of its own, made of a seed and the batch's number, and change nothing that batches "
    "share."
)
_STREAM = "Let the stream keep its order (`deterministic=True`)."
_AS_ASKED = (
    "Take results in the order in which they were asked for, by map or by one future after the "
    "other, not as they come."
)
_CALLS = {
    "tensorflow.data.Dataset.shuffle": "Give `shuffle` a seed from `seeds(name)`.",
    "tensorflow.data.Dataset.list_files": "Give `list_files` a seed from `seeds(name)`, or "
    "`shuffle=False`.",
    "tensorflow.data.Dataset.map": _STREAM,
    "tensorflow.data.Dataset.interleave": _STREAM,
    "deterministic = False": _STREAM,
    "experimental_deterministic = False": _STREAM,
    "hash": "Take hashlib in place of hash(), which gives text other numbers in every process.",
    "id": "Let no value depend on id(), which is an address in memory.",
    "iteration over a set": "Sort the set before you iterate over it.",
    "collections.Counter.most_common": "Let the elements themselves break ties: sort the items by "
    "(-count, element) in place of most_common.",
    "os.getloadavg": "Let no value depend on the load of the machine.",
}
"""What to do about one call, where that of its source or cause does not fit."""

_SOURCES = {
    "generator without a seed": "Give that generator a seed from `seeds(name)`.",
    "system entropy": "Take a seed from `seeds(name)` in place of the system's entropy.",
    "clock": "Take nothing from the clock that decides a value.",
    "process id": "Take nothing from the process id.",
    "hash": "Sort sets before they are used, and take hashlib in place of hash().",
    "another program": "Give the program that is started a seed from `seeds(name)`, and let it "
    "decide by nothing else but its arguments and the declared inputs.",
    "unordered stream": _AS_ASKED,
    **dict.fromkeys(WORKERS, _WORKER),
}


def remedy(call: Mapping[str, Any] | None, otherwise: str) -> str:
    """What to do about a call that the user's code was seen to make; `otherwise` where none was."""
    if call is None:
        return otherwise
    return _CALLS.get(call["call"], _SOURCES.get(call["source"], otherwise))


@dataclass(frozen=True)
class CauseKind:
    """One kind of cause: its words, what to do about it, and what points to it."""

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
    needs: str | None = None
    """It is likely only where the experiment defines this function."""
    has_seeds: bool = True
    """Whether the functions that it speaks of receive `seeds`."""

    def remedy_for(self, call: Mapping[str, Any] | None) -> str:
        """What to do about it; the call that the code was seen to make says it best."""
        said = remedy(call, self.remedy)
        return said if self.has_seeds or "`seeds(name)`" not in said else self.remedy


_ROWS = (
    CauseKind(
        "data content",
        words="`dataset` returns other data from the same files",
        remedy="Give every random draw in `dataset` a seed from `seeds(name)`, and let nothing "
        "else but `data` and `settings` decide what it returns.",
        quantities=("prepared data",),
        functions=("dataset", "fit_preprocessing", "import"),
    ),
    CauseKind(
        "preprocessing",
        words="`fit_preprocessing` fits something else to examples of the same ids",
        remedy="Give every random draw in `fit_preprocessing` a seed from `seeds(name)`, and "
        "sort a set of texts before you iterate over it. Where `dataset` gives ids, look there "
        "too: such ids say nothing of what the examples hold.",
        quantities=("fitted preprocessing",),
        functions=("fit_preprocessing", "import"),
    ),
    CauseKind(
        "class weights",
        words="`class_weight` returns other weights for the same labels",
        remedy="Let `class_weight` depend on the labels and `settings` alone: where it must draw, "
        "give the generator a seed from `settings`.",
        quantities=("class weights",),
        functions=("class_weight", "import"),
        has_seeds=False,
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
        needs="augment",
    ),
    CauseKind(
        "batch content",
        words="the model's own code changes the batches on their way to the step in another way",
        remedy="Let a `fit`, a `train_step` or a dataset of your own change a batch by nothing but "
        "a seed and the batch's number.",
        quantities=("batch content",),
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
        words="the optimizer, the learning rate or what runs between steps acts in another way",
        remedy="Let optimizer and learning rate, and callbacks where there are any, depend on the "
        "step alone, not on a clock, a file or a draw without a seed.",
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
        words="a race, in which the result depends on which thread or process comes first",
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


def in_words(cause: str) -> str:
    """A cause as a verdict names it, be it a kind or factors: "factor: clock", "update"."""
    kind, _, name = cause.partition(": ")
    if kind in ("factor", "factors"):
        names = [FACTORS[factor].words for factor in name.split(" and ")]
        return f"the result changes with {' together with '.join(names)}"
    return CAUSES[cause].words


_BY_PHASE = {row.phase: row for row in _ROWS if row.phase}


def by_quantity(quantity: str, lacking: Collection[str] = ()) -> CauseKind:
    """What is likely where runs first diverge in this quantity.

    `lacking` are functions that the experiment could define and does not.
    """
    rows = (row for row in _ROWS if quantity in row.quantities and row.needs not in lacking)
    return next(rows, CAUSES["environment"])


def by_phase(phase: str) -> CauseKind | None:
    """What is likely where the first operation with other values is of this phase."""
    return _BY_PHASE.get(phase)
