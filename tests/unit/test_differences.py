"""Differences: how far apart the results of two runs are, counted and measured."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from repro.compare.differences import apart
from repro.compare.divergence import Divergence
from repro.compare.runs import compare
from repro.core.errors import UserError
from samples import LABELS, SCORES, put_weights, weights_of, write_predictions

Runs = tuple[Path, Path]

FLOATS = arrays(np.float32, st.integers(1, 9), elements=st.floats(width=32, allow_nan=True))


@given(FLOATS, st.data())
def test_distances_are_those_of_plain_python(left: np.ndarray, data: st.DataObject) -> None:
    given_elements = st.floats(width=32) | st.sampled_from([float(v) for v in left])
    right = data.draw(arrays(np.float32, len(left), elements=given_elements))
    pairs = list(zip(left, right, strict=True))
    odd = [(float(a), float(b)) for a, b in pairs if a.tobytes() != b.tobytes()]
    found = apart(left, right)
    if not odd:
        assert found is None
        return
    assert found is not None
    gaps = [abs(a - b) for a, b in odd if math.isfinite(a) and math.isfinite(b)]
    ratios = [
        abs(a - b) / max(abs(a), abs(b))
        for a, b in odd
        if math.isfinite(a) and math.isfinite(b) and (a or b)
    ]
    assert (found["differ"], found["elements"]) == (len(odd), len(left))
    assert found["share"] == len(odd) / len(left)
    assert found["largest_absolute"] == max(gaps, default=None)
    assert found["largest_relative"] == max(ratios, default=None)
    mean = sum(gap / len(left) for gap in gaps) if gaps else None
    assert found["mean_absolute"] == (None if mean is None else pytest.approx(mean))


def test_a_nan_with_another_payload_and_the_other_zero_are_found(runs: Runs) -> None:
    values = np.array([0x7FC00000, 0], np.uint32)
    for run, bits in zip(runs, (values, values | np.uint32([1, 0x80000000])), strict=True):
        put_weights(run, {"a": bits.view(np.float32)})
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("final weights", variable="a")
    assert found.differences["weights"]["a"] == {
        "elements": 2, "differ": 2, "share": 1.0,
        "largest_absolute": 0.0, "largest_relative": None, "mean_absolute": 0.0,
    }  # fmt: skip


def test_a_variable_that_only_one_run_has_is_told(runs: Runs) -> None:
    put_weights(runs[1], {**weights_of(runs[1]), "new": np.zeros(5)})
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("final weights", variable="new")
    assert found.differences["weights"]["new"]["only_in"] == "repeat"
    assert found.differences["weights_share"] == 5 / 15
    put_weights(runs[1], {})
    assert compare(*runs, 0, None).differences["weights_share"] == 1


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(2)[LABELS]])
def test_classes_that_changed_are_counted_by_the_true_one(runs: Runs, labels: np.ndarray) -> None:
    for run in runs:
        np.save(run / "data" / "test" / "y.npy", labels)
    write_predictions(runs[1], SCORES[:, ::-1] * np.float32([[1], [1], [-1]]))
    found = compare(*runs, 0, None)
    assert found.differences["churn"]["y"] == {
        "examples": 3, "changed": 2, "share": 2 / 3,
        "per_class": [
            {"class": 0, "examples": 1, "changed": 1, "share": 1.0},
            {"class": 1, "examples": 2, "changed": 1, "share": 0.5},
        ],
    }  # fmt: skip


def test_bits_may_change_where_no_class_does(runs: Runs) -> None:
    write_predictions(runs[1], SCORES * np.float64(1.0000001))
    found = compare(*runs, 0, None)
    assert found.differences["churn"]["y"]["changed"] == 0
    assert found.differences["predictions"]["y"]["differ"] == SCORES.size


@pytest.mark.parametrize("labels", [np.array([0.5, 0.1, 0.2]), np.array(["a", "b", "c"]), None])
def test_other_tasks_have_no_churn(runs: Runs, labels: np.ndarray | None) -> None:
    for run in runs:
        file = run / "data" / "test" / "y.npy"
        file.unlink() if labels is None else np.save(file, labels)
    write_predictions(runs[1], SCORES[:, ::-1])
    differences = compare(*runs, 0, None).differences
    assert "churn" not in differences
    assert differences["predictions"]["y"]["largest_absolute"] == 0.5
    assert differences["predictions"]["y"]["mean_absolute"] == pytest.approx(0.5)


def test_other_test_examples_are_compared_where_both_runs_have_them(runs: Runs) -> None:
    np.save(runs[1] / "data" / "test" / "x.npy", np.zeros((3, 2)))
    shared = {"a": SCORES[0][::-1], "c": SCORES[2]}
    write_predictions(runs[1], np.array([shared["c"], shared["a"], SCORES[0]]), "caz")
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("prepared data", variable="test/x.npy")
    assert found.differences["predictions"]["id"] == {"elements": 3, "differ": 1, "share": 1 / 3}
    assert found.differences["predictions"]["y"]["elements"] == 4
    assert found.differences["predictions"]["y"]["differ"] == 2
    churn = found.differences["churn"]["y"]
    assert (churn["examples"], churn["changed"]) == (2, 1)
    assert [entry["changed"] for entry in churn["per_class"]] == [1, 0]


def test_runs_without_one_example_in_common_are_told(runs: Runs) -> None:
    write_predictions(runs[1], SCORES, "xyz")
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("predictions", variable="id")
    assert found.differences["predictions"]["id"]["differ"] == 3
    assert "churn" not in found.differences


def test_predictions_without_an_id_each_are_told(runs: Runs) -> None:
    write_predictions(runs[1], SCORES[:2])
    with pytest.raises(UserError, match="not one prediction for each id"):
        compare(*runs, 0, None)
