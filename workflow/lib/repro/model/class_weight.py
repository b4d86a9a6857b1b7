"""Class weights: how much each training example counts, by its class, as Keras' `fit` has it.

Synopsis:
    weights = class_weights(code, arrays, training, settings)     # {"0": 1.0, "1": 20.0}
    arrays = weighted(arrays, weights)                            # `sample_weight` among them

Both loops, the trace and the probe see sample weights alone, and so agree. Only the training part
is weighted, as in `fit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.arrays.nested import rebuilt
from repro.core.canonical_json import Json
from repro.core.errors import UserError
from repro.core.parameters import Training
from repro.data.user_code import Code

Array = npt.NDArray[Any]
Weights = Mapping[str, float]


def class_weights(
    code: Code, arrays: Mapping[str, Array], training: Training, settings: Mapping[str, Json]
) -> Weights:
    """The weight of each class: from the configuration, or what the user's `class_weight` returns.

    Args:
        arrays: of the training part; `class_weight(y, settings)` is given a copy of its labels.

    Returns:
        The weights by the class' number; empty where there are none.

    Raises:
        UserError: they are no weights, or not of classes that the training part has.
    """
    asked, function = training.class_weight, code.function("class_weight")
    if not asked and function is None:
        return {}
    if asked and function:
        raise UserError(
            "Expected class weights from one place. Received `training.class_weight` in the "
            "configuration and a function `class_weight` in the code. Remove one of them."
        )
    labels = rebuilt(arrays, "y")
    classes = _classes(labels)
    if function:
        with code.blamed("class_weight"):
            asked = _checked(function(np.array(labels), deepcopy(dict(settings))))
    elif asked == "balanced":
        numbers, counts = np.unique(classes, return_counts=True)
        shares = len(classes) / (len(numbers) * counts)
        return {str(n): float(share) for n, share in zip(numbers, shares, strict=True)}
    known = {str(number) for number in np.unique(classes)}
    weights = {name: float(weight) for name, weight in cast("Weights", asked).items()}
    if odd := sorted(set(weights) - known, key=int):
        raise UserError(
            "Expected class weights of classes that the training part has: "
            f"{', '.join(sorted(known, key=int))}. Received one of class {odd[0]}. Correct it."
        )
    return weights


def weighted(arrays: Mapping[str, Array], weights: Weights) -> Mapping[str, Array]:
    """The training part's arrays with these weights in `sample_weight`, times what is there.

    A class without a weight counts as 1.

    Raises:
        UserError: what is there is no one array.
    """
    if not weights:
        return arrays
    numbers, place = np.unique(_classes(rebuilt(arrays, "y")), return_inverse=True)
    of_class = np.array([weights.get(str(number), 1.0) for number in numbers], np.float32)
    by_example, given = of_class[place.reshape(-1)], rebuilt(arrays, "sample_weight")
    if given is None:
        return {**arrays, "sample_weight": by_example}
    if not isinstance(given, np.ndarray):
        raise UserError(
            "Expected one array in `sample_weight` beside class weights. Received several. Put "
            "the class weights into them in `dataset`, and leave those here out."
        )
    own = np.asarray(cast("Array", given), np.float32)
    by_row = by_example.reshape(-1, *[1] * (own.ndim - 1))  # a column stays one
    return {**arrays, "sample_weight": own * by_row}


def _classes(labels: Any) -> npt.NDArray[np.int64]:
    """The class of each example [n], of one-hot labels that of the largest, as Keras has it."""
    if isinstance(labels, np.ndarray):
        numbers = cast("Array", labels)
        if numbers.ndim == 2:
            one_hot = numbers.shape[1] > 1
            numbers = numbers.argmax(axis=1) if one_hot else np.asarray(numbers[:, 0])
        if numbers.ndim == 1 and numbers.dtype.kind in "iufb" and (numbers == numbers // 1).all():
            return numbers.astype(np.int64)
    raise UserError(
        "Expected numbers of classes, or one-hot labels, in `y` beside class weights. Received "
        f"{_shown(labels)}. Leave the class weights out, or return a `sample_weight` from "
        "`dataset`."
    )


def _shown(labels: Any) -> str:
    if isinstance(labels, np.ndarray):
        array = cast("Array", labels)
        numbers = array.ndim == 1 and array.dtype.kind == "f"
        return "other numbers" if numbers else f"{array.dtype} of shape {array.shape}"
    return "none" if labels is None else "several outputs"


def _checked(returned: Any) -> Weights:
    """What the user's `class_weight` returned, by numbers of classes in text."""
    weights = cast("Mapping[Any, Any]", returned if isinstance(returned, Mapping) else {})
    numbers, values = (np.asarray(list(part)) for part in (weights.keys(), weights.values()))
    right = weights and numbers.dtype.kind in "iu" and values.dtype.kind in "iuf"
    if not right or not all(math.isfinite(value) and value >= 0 for value in values.tolist()):
        raise UserError(
            "Expected `class_weight` to return a mapping of numbers of classes to weights of at "
            f"least 0. Received {returned!r:.80}. Return one such as {{0: 1.0, 1: 5.0}}."
        )
    return {str(int(number)): float(value) for number, value in weights.items()}
