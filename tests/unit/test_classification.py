"""Classification: what a task of choosing among classes is, and how each class fares."""

from typing import Any

import numpy as np
import pytest
from repro.model.classification import per_class

LABELS = np.array([0, 0, 1, 2])
SCORES = np.array([[3, 1, 0], [0, 1, 0], [0, 2, 1], [0, 2, 1]], np.float32)


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(3)[LABELS]])
def test_classes_are_counted(labels: np.ndarray) -> None:
    found = per_class(labels, SCORES)
    assert found is not None
    assert [c["examples"] for c in found] == [2, 1, 1]
    assert [c["predicted"] for c in found] == [1, 3, 0]
    assert [c["right"] for c in found] == [1, 1, 0]
    assert [c["recall"] for c in found] == [0.5, 1.0, 0.0]
    assert [c["precision"] for c in found] == [1.0, 1 / 3, None]


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (None, SCORES),
        (LABELS, None),
        ({"a": LABELS}, SCORES),
        (LABELS, SCORES[:, 0]),
        (LABELS + 1, SCORES),
        (LABELS - 1, SCORES),
        (np.array([0.5, 0.1, 0.2, 0.3]), SCORES),
        (np.array(["a", "b", "a", "b"]), SCORES),
        (LABELS, SCORES[:, :1]),
        (LABELS[:3], SCORES),
        (LABELS[:0], SCORES[:0]),
        (np.full((4, 3), 0.5), SCORES),
    ],
)
def test_other_tasks_have_no_classes(labels: Any, scores: Any) -> None:
    assert per_class(labels, scores) is None
