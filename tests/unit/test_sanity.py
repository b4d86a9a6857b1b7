"""Results that make no sense are told from those that do, and from those too small to tell."""

import csv
import doctest
import json
import struct
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.record.trace import Trace
from repro.sanity.finite import nonfinite
from repro.sanity.in_results import in_results
from repro.sanity.one_answer import OneAnswer, constant, no_better_class, no_better_number
from repro.sanity.progress import flat, never_falls
from repro.sanity.results import ResultFacts, facts_of


@pytest.mark.parametrize("name", ["finite", "progress", "one_answer"])
def test_the_examples_hold(name: str) -> None:
    assert doctest.testmod(import_module(f"repro.sanity.{name}")).failed == 0


def test_each_number_that_is_not_finite_counts_once() -> None:
    large = np.zeros((9000, 2), np.float32)
    large[[0, 4095, 4096, 8999], [0, 1, 0, 1]] = [np.nan, np.inf, -np.inf, np.nan]
    arrays = {"large": large, "fine": np.ones(3), "scalar": np.array(np.nan), "text": np.array("a")}
    assert nonfinite(arrays) == {"large": 4, "scalar": 1}
    assert nonfinite({"whole": np.array([1, 2]), "none": np.zeros((0, 3))}) == {}


def walk(first: float, last: float, steps: int = 60, noise: float = 0.02) -> list[float]:
    return [*(np.linspace(first, last, steps) + np.random.default_rng(0).normal(0, noise, steps))]


@pytest.mark.parametrize(
    "losses",
    [
        walk(2.3, 2.3),
        walk(2.3, 2.5),
        walk(0.5, 40.0),
        [0.7] * 30,
        walk(-2.0, -1.9),
        walk(0.1, 9, 20),
    ],
    ids=["flat", "rising", "diverging", "constant", "negative", "twenty epochs"],
)
def test_a_loss_that_never_falls_is_found(losses: list[float]) -> None:
    assert never_falls([*losses])


@pytest.mark.parametrize(
    "losses",
    [
        walk(2.3, 0.4), walk(2.3, 2.0), walk(-1.0, -3.0), walk(2.3, 2.3, 60, 2.0),
        walk(2.3, 2.3, 19), [], [0.7], [0.0] * 8, walk(2.3, np.nan),
    ],
    ids=[
        "falling", "by little", "negative", "too much scatter", "too few", "none", "one", "perfect",
        "not a number",
    ],
)  # fmt: skip
def test_a_loss_that_falls_or_may_is_left_alone(losses: list[float]) -> None:
    assert never_falls([*losses]) is None


def classes(examples: int, count: int = 10) -> Any:
    return np.random.default_rng(0).integers(0, count, examples)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1])
def test_a_classifier_that_knows_nothing_is_found(share: float) -> None:
    true = classes(1000)
    found = no_better_class(classes(5000), true, round(share * 1000))
    assert found
    assert found.examples == 1000
    assert found.p < 0.05


@pytest.mark.parametrize(
    ("true", "right"),
    [
        (classes(1000), 150),  # better, by little
        (classes(1000), 980),
        (classes(30), 3),  # too few to tell, whatever they say
        (classes(30), 0),
        (classes(30), 30),
        (np.zeros(1000, int), 1000),
        # One example in a hundred is of the other class: a tenth of those cannot be seen.
        (np.arange(1000) % 100 == 0, 990),
        (classes(0), 0),
    ],
)
def test_a_classifier_that_is_better_or_may_be_is_left_alone(true: Any, right: int) -> None:
    train = np.zeros(10, int) if len(set(true.tolist())) < 3 else classes(5000)
    assert no_better_class(train, true.astype(int), right) is None


def numbers(examples: int) -> Any:
    return np.random.default_rng(1).normal(5, 2, (examples, 1))


def test_a_regression_that_gives_the_mean_is_found() -> None:
    y = numbers(300)
    predicted = np.full_like(y, 5.1)
    error = {"loss": float(np.mean((y - predicted) ** 2))}
    found = no_better_number(numbers(2000), y, predicted, error)
    assert found
    assert found.measure == "mean squared error"
    root = {"rmse": error["loss"] ** 0.5}
    assert no_better_number(numbers(2000), y, predicted, root) == found


def no_number(predicted: Any, y: Any, metrics: dict[str, float] | None = None) -> OneAnswer | None:
    squared = float(np.mean((y - predicted) ** 2))
    return no_better_number(numbers(2000), y, predicted, metrics or {"loss": squared})


def test_a_regression_that_is_better_or_may_be_is_left_alone() -> None:
    y = numbers(300)
    noise = np.random.default_rng(2).normal(0, 1, y.shape)
    assert no_number(y + noise, y) is None
    assert no_number(y, y) is None
    # A test part too small to tell, and predictions in units that no metric speaks of.
    assert no_number(np.full((10, 1), 5.1), y[:10]) is None
    assert no_number(np.exp(y), y, {"loss": 1.25}) is None


def test_another_measure_by_which_it_is_better_counts() -> None:
    y = np.where(numbers(300) > 8, 500.0, 0.0) + np.arange(300)[:, None] % 7 / 7
    predicted = np.arange(300)[:, None] % 7 / 7
    squared, absolute = float(np.mean((y - predicted) ** 2)), float(np.mean(abs(y - predicted)))
    known = np.where(np.arange(300)[:, None] % 15 == 0, 500.0, 0.5)
    both = {"mse": squared, "mae": absolute}
    assert no_better_number(known, y, predicted, {"mse": squared})
    assert no_better_number(known, y, predicted, both) is None


def test_constant_predictions_are_found() -> None:
    labels = {"y": np.arange(4)}
    rows = {"y": np.tile(np.float32([0.2, 0.8]), (4, 1))}
    assert constant(rows, labels) == ["y"]
    rows["y"][2, 0] += np.float32(1e-7)
    assert constant(rows, labels) == ["y"]
    assert constant({"y.a": np.ones(4), "y.b": np.arange(4.0)}, {"y.a": np.arange(4)}) == ["y.a"]


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [
        (np.array([[0.2], [0.3]]), [0, 1]),
        (np.array([[1e-30], [2e-30]]), [0, 1]),
        (np.ones((2, 1)), [1, 1]),
        (np.ones((1, 1)), [1]),
        (np.ones((2, 1), int), [0, 1]),
        (np.full((2, 1), np.nan), [0, 1]),
        (np.zeros((2, 0)), [0, 1]),
    ],
    ids=["other", "small", "right", "one example", "classes", "not a number", "nothing"],
)
def test_what_is_not_constant_is_left_alone(predicted: Any, labels: list[int]) -> None:
    assert constant({"y": predicted}, {"y": np.array(labels)}) == []


class Run:
    """The files of a training of a classifier, fine as long as nothing is changed."""

    def __init__(self, folder: Path) -> None:
        self.data, self.seed = folder / "data", folder / "seed-0"
        self.seed.mkdir(parents=True)
        random = np.random.default_rng(3)
        self.parts = {
            name: {"x": random.normal(size=(n, 3)), "y": random.integers(0, 2, n)}
            for name, n in (("train", 400), ("validation", 20), ("test", 200))
        }
        self.weights = {"kernel": np.ones((3, 2), np.float32)}
        self.predictions = {"y": np.eye(2, dtype=np.float32)[self.parts["test"]["y"]]}
        self.history = {"loss": [0.9, 0.5, 0.3], "accuracy": [0.5, 0.7, 0.9]}
        self.metrics: dict[str, Any] = {"loss": 0.3, "accuracy": 1.0}

    def facts(self, trace: Trace | None = None, **more: Any) -> ResultFacts:
        from safetensors.numpy import save_file

        for name, arrays in self.parts.items():
            (self.data / name).mkdir(parents=True, exist_ok=True)
            for column, array in arrays.items():
                np.save(self.data / name / f"{column}.npy", array)
        save_file(self.weights, self.seed / "weights.safetensors")
        np.savez(self.seed / "predictions.npz", **self.predictions)
        (self.seed / "metrics.json").write_text(json.dumps({"metrics": self.metrics}))
        with (self.seed / "history.csv").open("w", newline="") as file:
            rows, epochs = csv.writer(file), zip(*self.history.values(), strict=True)
            rows.writerow(["epoch", *self.history])
            rows.writerows([n, *row] for n, row in enumerate(epochs))
        return facts_of(self.data, self.seed, 0, trace, **more)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_results_that_make_sense_are_left_alone(run: Run) -> None:
    assert run.facts() == ResultFacts(0)
    assert in_results([run.facts()]) == []


def test_numbers_that_are_not_finite_are_told_by_kind(run: Run) -> None:
    run.parts["train"]["x"][0, 0] = np.nan
    run.weights["kernel"][0, 0] = np.inf
    run.history["loss"] = [float("nan")] * 3
    run.predictions["y"][:2] = np.nan
    run.metrics["loss"] = "nan"
    (found,) = in_results([run.facts()])
    assert found.mistake == "numbers that are not finite"
    assert found.evidence == (
        "NaN or infinity stands in the inputs: x of train (1); in the loss: loss (3); in the "
        "weights: kernel (1); in the predictions: y (4)."
    )


def test_the_logarithm_of_no_probability_is_left_alone(run: Run) -> None:
    run.predictions["y"] = np.log(run.predictions["y"], where=run.predictions["y"] > 0,
                                  out=np.full_like(run.predictions["y"], -np.inf))  # fmt: skip
    assert in_results([run.facts()]) == []


def test_a_seed_among_several_is_named() -> None:
    fine, odd = ResultFacts(0), ResultFacts(7, {"the loss": {"loss": 1}})
    assert "stands with seed 7 in the loss" in in_results([fine, odd])[0].evidence
    assert "stands in the loss" in in_results([odd])[0].evidence


def test_one_answer_for_all_is_told(run: Run) -> None:
    run.parts["test"]["y"] = np.arange(200) % 2
    run.predictions["y"] = np.tile(np.float32([0.6, 0.4]), (200, 1))
    run.metrics["accuracy"] = 0.5
    told = {error.mistake: error.evidence for error in in_results([run.facts()])}
    assert list(told) == ["constant predictions"]
    # Half of 200 may be 55 % of more: only a larger part can tell.
    run.parts["test"] = {n: np.tile(a, (20, 1)[: a.ndim]) for n, a in run.parts["test"].items()}
    run.predictions["y"] = np.tile(np.float32([0.6, 0.4]), (4000, 1))
    told = {error.mistake: error.evidence for error in in_results([run.facts()])}
    assert list(told) == ["constant predictions", "no better than one answer for all"]
    assert "On 4000 test examples the accuracy is 0.5; that of class" in list(told.values())[1]


def test_two_classes_are_counted_by_the_metric(run: Run) -> None:
    run.parts["test"] = {"x": np.ones((2000, 3)), "y": np.arange(2000) % 2}
    run.predictions["y"] = np.random.default_rng(4).normal(size=(2000, 1)).astype(np.float32)
    run.metrics["accuracy"] = 0.49
    (found,) = in_results([run.facts()])
    assert found.mistake == "no better than one answer for all"
    run.metrics["accuracy"] = 0.9
    assert in_results([run.facts()]) == []
    # Weighted, the share is not one of examples.
    run.metrics["accuracy"] = 0.3901234
    assert in_results([run.facts()]) == []


def test_rare_classes_that_count_more_may_cost_accuracy(run: Run) -> None:
    rare = (np.arange(8000) % 10 == 0).astype(int)
    alarms = rare | (np.arange(8000) % 7 == 0)  # all that are there, and others
    run.parts["train"]["y"] = (np.arange(400) % 10 == 0).astype(int)
    run.parts["test"] = {"x": np.ones((8000, 3)), "y": rare}
    run.predictions["y"] = np.eye(2, dtype=np.float32)[alarms]
    (found,) = in_results([run.facts()])
    assert found.mistake == "no better than one answer for all"
    assert in_results([run.facts(weighted=True)]) == []


def steps(losses: list[float]) -> Trace:
    lines = [
        {"epoch": 0, "step": n, "loss": struct.pack(">d", v).hex()} for n, v in enumerate(losses)
    ]
    return Trace({}, tuple(lines))


def test_losses_are_those_of_steps_where_they_were_traced(run: Run) -> None:
    (found,) = in_results([run.facts(steps(walk(2.3, 2.4, 200)))])
    assert found.mistake == "a loss that never falls"
    assert "The first 20 losses of the training: 2.3" in found.evidence
    assert in_results([run.facts(steps(walk(2.3, 0.2, 200)))]) == []
    # After so few steps it may yet fall.
    assert in_results([run.facts(steps(walk(2.3, 2.4, 99)))]) == []
    # One of several losses, as in a GAN, need not fall.
    del run.history["loss"]
    assert in_results([run.facts(steps(walk(2.3, 2.4, 200)))]) == []


def test_epochs_that_all_have_one_loss_are_found(run: Run) -> None:
    assert flat([0.7, 0.70000001])
    assert not any(map(flat, ([0.7], [], [0.0, 0.0], [0.7, 0.7001], [np.nan, np.nan])))
    run.history = {"loss": [0.7, 0.7], "accuracy": [0.5, 0.5]}
    (found,) = in_results([run.facts(steps(walk(2.3, 2.3, 60, 2.0)))])
    assert found.evidence.endswith("They are all the same.")
