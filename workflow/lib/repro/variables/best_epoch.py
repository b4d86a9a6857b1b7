"""Best epoch: the weights of the epoch that a monitored value singles out, kept meanwhile.

Synopsis:
    kept = BestWeights(asked, model)
    kept.see(epoch, logs)              # at the end of each epoch
    kept.put_back()                    # the model has the best epoch's weights again

As Keras' ModelCheckpoint(save_best_only=True) decides: of several that are equal the first, and
never one whose value is NaN. The history alone decides, so every run of the same bits agrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.core.errors import UserError
from repro.core.parameters import BestEpoch
from repro.core.text import listed
from repro.variables.by_path import by_path

Array = npt.NDArray[Any]


class BestWeights:
    """The weights of the best epoch so far, of a model that is built; `epoch` is None before."""

    def __init__(self, asked: BestEpoch, model: Any) -> None:
        self._asked, self._model = asked, model
        self.epoch: int | None = None
        self._value = math.inf if asked.direction == "min" else -math.inf
        self.arrays: Mapping[str, Array] = {}

    def see(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Keeps the weights of now, where the logs of this epoch are better than any before.

        Raises:
            UserError: the monitored value is not among the logs.
        """
        if self._better(epoch, logs):
            weights = by_path(self._model.weights)
            self.arrays = {path: np.array(variable.numpy()) for path, variable in weights.items()}

    def resume(self, history: Sequence[Mapping[str, float]], arrays: Mapping[str, Array]) -> None:
        """Takes over the best of the epochs that another process trained."""
        for epoch, logs in enumerate(history):
            self._better(epoch, logs)
        self.arrays = arrays

    def put_back(self) -> None:
        """Gives the model the weights of the best epoch; where none was, it keeps its own."""
        weights = by_path(self._model.weights)
        for path, array in self.arrays.items():
            weights[path].assign(array)

    def _better(self, epoch: int, logs: Mapping[str, float]) -> bool:
        monitor = self._asked.monitor
        if monitor not in logs:
            raise UserError(
                f"Expected `{monitor}`, which `training.best_epoch` monitors, among what an epoch "
                f"logs. Received {listed(sorted(logs))}. Name one of those, or, for one that "
                "begins with `val_`, give `validation` a share."
            )
        value = logs[monitor]
        least = self._asked.direction == "min"
        if value < self._value if least else value > self._value:
            self.epoch, self._value = epoch, value
            return True
        return False
