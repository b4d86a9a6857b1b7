"""Parameters: what the result of each step depends on, as a manifest holds it.

Synopsis:
    asked = canonical_json.decoded(TrainParameters, json.loads(text))
    asked.training.epochs
    canonical(asked) == text         # the field names are the keys

Made from the configuration by `repro.core.config`, decoded where a command line is read, and
handed on whole. A key that a manifest of an earlier version lacks takes its default here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from repro.core.canonical_json import ABSENT_IF_EMPTY, Json, canonical
from repro.core.errors import UserError

LEAST = 5
"""Fewer pairs of runs than this show nothing with 5 % error."""
EARLIEST = 8
"""The first look where there are several: fewer runs show nothing with the error left to them."""


@dataclass(frozen=True)
class RawData:
    """Raw data: where it lies, and the sha256 that it must have."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Threads:
    """Thread counts of TensorFlow: part of the recipe, never taken from the machine."""

    intra: int
    inter: int


_LESS = (
    "loss", "error", "mse", "mae", "mape", "msle", "rmse", "crossentropy", "divergence",
    "brier_score",
)  # fmt: skip
_MORE = (
    "acc", "accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score", "r2_score", "io_u",
    "iou", "similarity",
)  # fmt: skip
"""Of the scores those that are known: of others less may be better."""


@dataclass(frozen=True)
class BestEpoch:
    """Which epoch's weights are the result: the one whose `monitor` is best, by `mode`."""

    monitor: str = "val_loss"
    mode: str = "auto"

    @property
    def direction(self) -> str | None:
        """`min` or `max`; None where neither the mode nor the name of the value says it."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.rstrip("0123456789").rstrip("_")
        least, most = (name.endswith(ends) for ends in (_LESS, _MORE))
        return "min" if least else "max" if most else None


@dataclass(frozen=True)
class Training:
    """How to train: epochs, examples in a batch, loop, what is traced, threads.

    `drop_remainder` leaves the last, smaller batch of an epoch out. `class_weight` is by class, or
    `balanced`; empty where each example counts as it is. Without `best_epoch` the weights after the
    last epoch are the result.
    """

    epochs: int
    batch_size: int
    loop: str
    trace: str
    threads: Threads
    drop_remainder: bool = field(default=False, metadata=ABSENT_IF_EMPTY)
    class_weight: Mapping[str, float] | str = field(
        default_factory=dict[str, float], metadata=ABSENT_IF_EMPTY
    )
    best_epoch: BestEpoch | None = field(default=None, metadata=ABSENT_IF_EMPTY)

    def steps(self, examples: int) -> int:
        """The batches of an epoch over so many examples.

        Raises:
            UserError: there are none, since all examples would be left out.
        """
        if self.drop_remainder and examples < self.batch_size:
            raise UserError(
                f"Expected at least {self.batch_size} training examples, a whole batch, beside "
                f"`drop_remainder: true`. Received {examples}. Choose a smaller `batch_size`."
            )
        whole, rest = divmod(examples, self.batch_size)
        return whole + (1 if rest and not self.drop_remainder else 0)


@dataclass(frozen=True)
class EquivalencePlan:
    """How metrics are judged; the defaults are those of the configuration.

    `margin` is by metric, `spread` the margin of all others as a share of the seed-to-seed standard
    deviation, `budget` the most seeds that are used where they are auto.
    """

    margin: Mapping[str, float] = field(default_factory=dict[str, float])
    spread: float = 2.0
    budget: int = 16


def counts(budget: int) -> tuple[int, ...]:
    """The numbers of seeds at which is looked, the smallest first.

    The last is the budget, and before each there is half as many, from 8 on.
    """
    numbers = [budget]
    while numbers[0] // 2 >= EARLIEST:
        numbers.insert(0, numbers[0] // 2)
    return tuple(numbers)


@dataclass(frozen=True)
class ReadLimits:
    """How much is read of what need not end, and made of what takes little space (sparse, text).

    They decide no result, only what is refused; the defaults are those of the configuration.
    """

    rows: int = 10_000_000
    mebibytes: int = 4096


@dataclass(frozen=True)
class Resources:
    """What each job of an experiment asks of a cluster: MiB, minutes, and where.

    They decide no result, and are no parameter of a step; the defaults are those of the
    configuration. An empty text leaves the choice to the cluster.
    """

    memory: int = 4096
    time: int = 240
    partition: str = ""
    gpu: int = 0
    gpu_model: str = ""


@dataclass(frozen=True)
class Search:
    """How much is tried to find out why runs diverge."""

    trials: int


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What every step's result depends on.

    `environment_variables` are those that its process sees at the user's wish: each with its
    `repro.core.digest.sha256_variable`, since a value may be a secret.
    """

    threads: Threads
    environment_variables: Mapping[str, str] = field(
        default_factory=dict[str, str], metadata=ABSENT_IF_EMPTY
    )

    def json(self) -> dict[str, Json]:
        """As a manifest holds it, in plain values."""
        return json.loads(canonical(self))


@dataclass(frozen=True, kw_only=True)
class PrepareParameters(Parameters):
    """Of `prepare`. `data` has the key "" where it is a single source."""

    data: Mapping[str, RawData]
    data_seed: int
    split: Mapping[str, float]
    settings: Mapping[str, Json]
    limits: Mapping[str, int] = field(default_factory=dict[str, int], metadata=ABSENT_IF_EMPTY)
    """Of `ReadLimits`, those that the configuration names."""


@dataclass(frozen=True, kw_only=True)
class SeededParameters(Parameters):
    """Of what runs under the root seed of a training. `pretrained` is as `data` of `prepare`."""

    settings: Mapping[str, Json]
    seed: int
    pretrained: Mapping[str, RawData] = field(
        default_factory=dict[str, RawData], metadata=ABSENT_IF_EMPTY
    )


@dataclass(frozen=True, kw_only=True)
class TrainParameters(SeededParameters):
    """Of `train`. `limit` is where a repeat stops early: so many `epochs`, or `steps`."""

    training: Training
    limit: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluateParameters(SeededParameters):
    """Of `evaluate`."""

    batch_size: int


@dataclass(frozen=True, kw_only=True)
class ProbeParameters(SeededParameters):
    """Of `probe`."""

    training: Training


@dataclass(frozen=True, kw_only=True)
class CostParameters(SeededParameters):
    """Of `cost`."""

    training: Training


@dataclass(frozen=True, kw_only=True)
class LookParameters(Parameters):
    """Of `look`."""

    repeats: int
    equivalence: EquivalencePlan


@dataclass(frozen=True, kw_only=True)
class CompareParameters(Parameters):
    """Of `compare`. `repeat` is `full`, `off`, or so many `epochs` or `steps`."""

    seeds: tuple[int, ...] | Literal["auto"]
    goal: str
    repeat: str | Mapping[str, int]
    repeats: int
    factors: tuple[str, ...]
    search: Search
    equivalence: EquivalencePlan = field(default_factory=EquivalencePlan)

    @property
    def full(self) -> bool:
        """Whether a repeat goes to the end, and is evaluated."""
        return self.repeat == "full"

    @property
    def limit(self) -> Mapping[str, int] | None:
        """Where a repeat stops early."""
        return None if isinstance(self.repeat, str) else self.repeat


@dataclass(frozen=True, kw_only=True)
class ReportParameters(Parameters):
    """Of `report`."""


BY_STEP: Mapping[str, type[Parameters]] = {
    "prepare": PrepareParameters, "train": TrainParameters, "evaluate": EvaluateParameters,
    "probe": ProbeParameters, "cost": CostParameters, "look": LookParameters,
    "compare": CompareParameters, "report": ReportParameters,
}  # fmt: skip
