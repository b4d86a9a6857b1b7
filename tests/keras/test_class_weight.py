"""Class weights: both loops weigh the training part as Keras' `fit` does, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from reference_trace import check_lines
from repro.compare.divergence import Divergence
from repro.compare.traces import parted_at
from repro.core.errors import UserError
from repro.core.seeding import Seeds
from repro.data.order import order
from repro.data.prepare import part
from repro.model.class_weight import weighted
from repro.record.trace import read
from repro.variables.by_path import read as weights_of

WEIGHTS = {"0": 0.25, "1": 4.0}
SMALL = e.code(model=e.small)


def one_hot(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    return {**found, "y": np.eye(2, dtype=np.float32)[found["y"]]}


def in_a_column(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    return {**found, "y": found["y"][:, None].astype(np.float32)}


def of_one_hot(settings: Any, seeds: Any) -> Any:
    import keras

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    return e.compiled(e.mlp(settings, seeds), loss=loss)


LABELS: dict[str, dict[str, Any]] = {
    "numbers": {},
    "one-hot": {"dataset": one_hot, "model": of_one_hot},
    "a column": {"dataset": in_a_column},
}


@pytest.mark.parametrize("name", LABELS)
def test_both_loops_do_what_fit_does(name: str, tmp_path: Path) -> None:
    import keras

    case = LABELS[name]
    data = e.prepared(tmp_path / "data", case.get("dataset", e.table), e.NO_VALIDATION)
    experiment = e.code(**case)
    for loop in ("graph", "fit"):
        done = e.trained(
            experiment, data, tmp_path / loop, loop=loop, epochs=1, class_weight=WEIGHTS
        )
        assert (done.loop, done.class_weight) == (loop, WEIGHTS)
    assert e.contents(tmp_path / "graph") == e.contents(tmp_path / "fit")
    keras.backend.clear_session()
    arrays, model = part(data, "train"), case.get("model", e.mlp)({}, Seeds(0))
    rows = order(0, 0, len(arrays["id"]))
    weights = {int(label): weight for label, weight in WEIGHTS.items()}
    x, y = arrays["x"][rows], arrays["y"][rows]
    model.fit(x, y, 16, 1, verbose=0, shuffle=False, class_weight=weights)
    saved = weights_of(tmp_path / "graph" / "weights.safetensors")
    for variable in model.weights:
        np.testing.assert_allclose(saved[variable.path], variable.numpy(), rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data", split=e.NO_VALIDATION)


def batches(folder: Path) -> list[str]:
    return [line["batch"] for line in read(folder / "trace.jsonl").lines if "step" in line]


def by_count(y: Any, settings: Any) -> dict[int, float]:
    assert settings == {}
    return {label: 1 / count for label, count in enumerate(np.bincount(y))}


def test_they_may_be_computed_from_the_labels_of_the_training_part(
    data: Path, tmp_path: Path
) -> None:
    counts = np.bincount(part(data, "train")["y"])
    balanced = e.trained(SMALL, data, tmp_path / "balanced", class_weight="balanced", epochs=1)
    assert balanced.class_weight == {
        str(label): pytest.approx(counts.sum() / (2 * count)) for label, count in enumerate(counts)
    }
    code = e.code(model=e.small, class_weight=by_count)
    own = e.trained(code, data, tmp_path / "own", epochs=1)
    assert own.class_weight == {str(label): 1 / count for label, count in enumerate(counts)}
    weights = dict(own.class_weight)
    given = e.trained(SMALL, data, tmp_path / "given", epochs=1, class_weight=weights)
    assert given.class_weight == own.class_weight
    assert e.contents(tmp_path / "own") == e.contents(tmp_path / "given")


def test_random_ones_are_where_two_runs_first_diverge(data: Path, tmp_path: Path) -> None:
    def drawn(y: Any, settings: Any) -> dict[int, float]:
        return {0: 1.0, 1: float(np.random.default_rng().uniform(1, 5))}

    for name in ("original", "repeat"):
        e.trained(e.code(model=e.small, class_weight=drawn), data, tmp_path / name, epochs=1)
        check_lines(tmp_path / name / "trace.jsonl")
    traces = [read(tmp_path / name / "trace.jsonl") for name in ("original", "repeat")]
    assert parted_at(*traces) == Divergence("class weights", variable="1")


def test_nothing_changes_where_there_are_none(data: Path, tmp_path: Path) -> None:
    assert e.trained(SMALL, data, tmp_path / "none", epochs=1).class_weight == {}
    e.trained(SMALL, data, tmp_path / "ones", epochs=1, class_weight={"1": 1})
    none, ones = (weights_of(tmp_path / name / "weights.safetensors") for name in ("none", "ones"))
    assert all(np.allclose(none[name], ones[name], rtol=1e-5, atol=1e-6) for name in none)
    assert batches(tmp_path / "none") != batches(tmp_path / "ones")  # weights are traced


def test_a_sample_weight_is_multiplied_and_validation_is_not_weighted(tmp_path: Path) -> None:
    def premultiplied(*arguments: Any) -> dict[str, Any]:
        found = e.weighted(*arguments)
        weights = np.where(found["y"] == 1, 4.0, 0.25).astype(np.float32)
        return {**found, "sample_weight": found["sample_weight"] * weights}

    def identified(dataset: Any) -> Any:
        return lambda *arguments: {**dataset(*arguments), "id": [f"{n:03}" for n in range(120)]}

    for name, dataset, asked in (("both", e.weighted, WEIGHTS), ("product", premultiplied, {})):
        folder = e.prepared(tmp_path / f"data-{name}", identified(dataset))
        e.trained(e.code(), folder, tmp_path / name, epochs=1, class_weight=asked)
    assert batches(tmp_path / "both") == batches(tmp_path / "product")
    files = [e.contents(tmp_path / name) for name in ("both", "product")]
    assert files[0]["weights.safetensors"] == files[1]["weights.safetensors"]
    histories = [each["history.csv"].decode() for each in files]
    lines = [dict(zip(*(r.split(",") for r in h.split()), strict=True)) for h in histories]
    assert lines[0]["loss"] == lines[1]["loss"]
    assert lines[0]["val_loss"] != lines[1]["val_loss"]


def texts(*arguments: Any) -> dict[str, Any]:
    return {**e.table(*arguments), "y": np.array(["no", "yes"] * 60)}


def numbers(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    return {**found, "y": found["x"][:, 0]}


def outputs(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    return {**found, "y": {"a": found["y"], "b": found["y"]}}


def returning(value: Any) -> Any:
    return lambda _y, _settings: value


REFUSED: list[tuple[dict[str, Any], Mapping[str, float] | str, str]] = [
    ({}, {"0": 1.0, "2": 3.0}, r"that the training part has: 0, 1\. Received one of class 2\."),
    ({"dataset": texts}, "balanced", r"numbers of classes.*Received <U3 of shape \(\d+,\)\."),
    ({"dataset": numbers}, "balanced", r"numbers of classes.*Received other numbers\."),
    ({"dataset": outputs}, "balanced", r"numbers of classes.*Received several outputs\."),
    ({"class_weight": by_count}, WEIGHTS, r"from one place\..*Remove one of them\."),
    ({"class_weight": returning([1.0, 2.0])}, {}, r"a mapping.*Received \[1\.0, 2\.0\]\."),
    ({"class_weight": returning({"a": 1.0})}, {}, r"a mapping.*Received \{'a': 1\.0\}\."),
    ({"class_weight": returning({0: -1.0})}, {}, r"a mapping.*at least 0\. Received"),
    ({"class_weight": returning({0: float("nan")})}, {}, r"a mapping.*at least 0\. Received"),
    ({"class_weight": lambda y: {}}, {}, r"`class_weight` of the experiment's code .*TypeError"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_cannot_be_weighted_is_a_sentence(number: int, tmp_path: Path) -> None:
    functions, asked, words = REFUSED[number]
    data = e.prepared(tmp_path / "data", functions.get("dataset", e.table))
    with pytest.raises(UserError, match=words):
        e.trained(e.code(**functions), data, tmp_path / "out", class_weight=asked)
    assert not (tmp_path / "out").exists()


def test_a_sample_weight_in_a_column_stays_one() -> None:
    y, given = np.array([0, 1, 1]), np.array([[1.0], [2.0], [3.0]], np.float32)
    found = weighted({"y": y, "sample_weight": given}, WEIGHTS)["sample_weight"]
    assert found.tolist() == [[0.25], [8.0], [12.0]]


def test_sample_weights_of_several_outputs_are_a_sentence() -> None:
    y, given = np.array([0, 1]), np.ones(2)
    with pytest.raises(UserError, match=r"one array in `sample_weight`.*Received several"):
        weighted({"y": y, "sample_weight.a": given}, WEIGHTS)
