"""Classification: what a model chose among classes, and how that goes class by class.

Synopsis:
    true, chosen = classes(labels, scores)     # None where the task is another one
    per_class(labels, scores)

Needs no TensorFlow: evaluation reports by class, and so does whoever compares two runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

Classes = npt.NDArray[np.integer[Any]]


def classes(labels: Any, predicted: Any) -> tuple[Classes, Classes] | None:
    """True and predicted classes, where the task is one of choosing among classes.

    Args:
        labels: classes [n] or [n, 1], or one-hot [n, classes].
        predicted: scores, [n, classes], at least two classes.

    Returns:
        Two arrays [n] of whole numbers from 0; None for anything else.
    """
    if labels is None or isinstance(labels, Mapping) or predicted is None or predicted.ndim != 2:
        return None
    labels, count = np.asarray(labels), predicted.shape[1]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if len(labels) != len(predicted) or not len(labels):
        return None
    if labels.ndim == 1 and labels.dtype.kind in "iu" and count > 1 and labels.min() >= 0:
        return (labels, predicted.argmax(axis=1)) if labels.max() < count else None
    one_hot = labels.shape == predicted.shape and count > 1 and labels.dtype.kind in "iufb"
    if one_hot and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        return labels.argmax(axis=1), predicted.argmax(axis=1)
    return None


ClassResult = TypedDict(
    "ClassResult",
    {
        "class": int,
        "examples": int,
        "predicted": int,
        "right": int,
        "recall": float | None,
        "precision": float | None,
    },
)
"""What is written of one class; a share of 0 examples is null."""


def per_class(labels: Any, predicted: Any) -> list[ClassResult] | None:
    """For each class, how many examples there are, were predicted, and were predicted rightly.

    Of labels and scores as `classes` takes them; None where the task is another one.
    """
    pair = classes(labels, predicted)
    if pair is None:
        return None
    true, chosen = pair
    count = predicted.shape[1]
    support, picked = np.bincount(true, minlength=count), np.bincount(chosen, minlength=count)
    right = np.bincount(true[true == chosen], minlength=count)
    return [
        {
            "class": number, "examples": int(s), "predicted": int(p), "right": int(r),
            "recall": int(r) / int(s) if s else None, "precision": int(r) / int(p) if p else None,
        }
        for number, (s, p, r) in enumerate(zip(support, picked, right, strict=True))
    ]  # fmt: skip
