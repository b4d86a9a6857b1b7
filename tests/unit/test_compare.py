"""Comparison: the first place where two runs part is found, whatever it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.core.errors import UserError
from repro.judge.compare import Divergence, compare
from samples import SCORES, STATE, VARIABLES, trace_lines, write_predictions, write_trace

Runs = tuple[Path, Path]
Limit = dict[str, int] | None


def parted(runs: Runs, limit: Limit = None) -> Divergence | None:
    return compare(*runs, 0, limit).divergence


def retrace(run: Path, change: Callable[[list[dict[str, Any]]], Any], **size: int) -> None:
    lines = trace_lines(**size)
    change(lines)
    write_trace(run / "seed-0" / "trace.jsonl", lines)


def flip(array: np.ndarray) -> np.ndarray:
    """The array with the lowest bit of its last element changed."""
    content = bytearray(array.tobytes())
    content[-array.itemsize] ^= 1
    return np.frombuffer(bytes(content), array.dtype).reshape(array.shape)


def test_the_same_bits_have_no_divergence(runs: Runs) -> None:
    found = compare(*runs, 0, None)
    assert found.divergence is None
    assert found.differences == {}


@pytest.mark.parametrize("key", ["ids", "batch", "lr", "loss"])
@pytest.mark.parametrize("number", [1, 6])
def test_a_step_that_parts_is_placed(runs: Runs, key: str, number: int) -> None:
    what = {"ids": "data order", "batch": "batch content", "lr": "learning rate", "loss": "loss"}
    retrace(runs[1], lambda lines: lines[number].update({key: "f" * 16}))
    epoch, step = {1: (0, 0), 6: (1, 1)}[number]
    assert parted(runs) == Divergence(what[key], epoch, step, None)


@pytest.mark.parametrize("place", [0, 1])
def test_a_weight_that_parts_is_named(runs: Runs, place: int) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        lines[7]["weights"][place] = "f" * 16

    retrace(runs[1], change)
    assert parted(runs) == Divergence("weights", 1, 2, VARIABLES[place])


def test_what_comes_first_within_a_step_is_told(runs: Runs) -> None:
    retrace(runs[1], lambda lines: lines[2].update(loss="f" * 16, batch="f" * 16, weights=["", ""]))
    assert parted(runs) == Divergence("batch content", 0, 1, None)


@pytest.mark.parametrize(
    ("group", "name", "what"),
    [
        ("weights", VARIABLES[1], "weights"),
        ("optimizer", "adam/m", "optimizer state"),
        ("seeds", "dropout/seed_generator_state", "seed states"),
    ],
)
def test_a_state_that_parts_is_named(runs: Runs, group: str, name: str, what: str) -> None:
    other = {**STATE, group: {**STATE[group], name: "f" * 64}}
    retrace(runs[1], lambda lines: lines[4].update(other))
    assert parted(runs) == Divergence(what, 0, None, name)
    retrace(runs[1], lambda lines: lines[0].update(initial=other))
    assert parted(runs) == Divergence(f"initial {what}", None, None, name)


def test_another_layout_is_told(runs: Runs) -> None:
    retrace(runs[1], lambda lines: lines[0].update(order="another"))
    assert parted(runs) == Divergence("trace layout", variable="order")


@pytest.mark.parametrize("longer", [0, 1])
def test_a_longer_trace_is_found(runs: Runs, longer: int) -> None:
    retrace(runs[longer], lambda _: None, epochs=3)
    assert parted(runs) == Divergence("length", 2, 0)


def test_a_trace_that_lacks_a_step_is_found(runs: Runs) -> None:
    retrace(runs[1], lambda lines: lines.pop(3))
    assert parted(runs) == Divergence("length", 0, 2)


@pytest.mark.parametrize("file", ["train/x.npy", "test/x.npy"])
def test_one_bit_of_the_data_is_found_first(runs: Runs, file: str) -> None:
    path = runs[1] / "data" / file
    np.save(path, flip(np.load(path)))
    retrace(runs[1], lambda lines: lines[1].update(batch="f" * 16))
    assert parted(runs) == Divergence("prepared data", variable=file)


def test_an_array_more_is_found(runs: Runs) -> None:
    np.save(runs[1] / "data" / "train" / "sample_weight.npy", np.zeros(3))
    assert parted(runs) == Divergence("prepared data", variable="train/sample_weight.npy")


@pytest.mark.parametrize("name", VARIABLES)
def test_one_bit_of_a_final_weight_is_found(runs: Runs, name: str) -> None:
    from safetensors.numpy import load_file, save_file

    path = runs[1] / "seed-0" / "weights.safetensors"
    weights = load_file(path)
    before = weights[name]
    weights[name] = flip(before)
    save_file(weights, path)
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("final weights", variable=name)
    apart = found.differences["weights"][name]
    assert apart["share"] == 1 / before.size
    assert apart["largest_absolute"] == float(np.abs(weights[name].astype(float) - before).max())
    assert set(found.differences) == {"weights", "weights_share"}
    assert found.differences["weights_share"] == 1 / 10


def test_one_bit_of_a_prediction_is_found(runs: Runs) -> None:
    write_predictions(runs[1], flip(SCORES))
    assert parted(runs) == Divergence("predictions", variable="y")


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        (np.array([0.0]), np.array([-0.0])),
        (np.array([np.nan]), np.array([1.0])),
        (np.array([1.0]), np.array([1.0], np.float32)),
        (np.array([1.0]), np.array([[1.0]])),
        (np.array(["a"]), np.array(["b"])),
        (np.array([np.inf]), np.array([-np.inf])),
    ],
)
def test_any_other_prediction_is_found(runs: Runs, mine: np.ndarray, its: np.ndarray) -> None:
    for run, y in zip(runs, (mine, its), strict=True):
        write_predictions(run, y, "a")
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("predictions", variable="y")
    json.dumps(found.differences, allow_nan=False)


@pytest.mark.parametrize("y", [np.array([np.nan, -0.0]), np.zeros((2, 0)), np.array(["", "é"])])
def test_the_same_bits_are_the_same_whatever_they_mean(runs: Runs, y: np.ndarray) -> None:
    for run in runs:
        write_predictions(run, y, "ab")
    assert parted(runs) is None


def test_a_missing_prediction_is_found(runs: Runs) -> None:
    np.savez(runs[1] / "seed-0" / "predictions.npz", id=np.array(list("abc")))
    assert parted(runs) == Divergence("predictions", variable="y")


@pytest.mark.parametrize(
    ("value", "name"),
    [({"loss": 0.25000000000000006, "accuracy": 1.0}, "loss"), ({"loss": 0.25}, "accuracy"),
     ({"loss": 0.25, "accuracy": "nan"}, "accuracy")],
)  # fmt: skip
def test_a_metric_is_found(runs: Runs, value: dict[str, Any], name: str) -> None:
    (runs[1] / "seed-0" / "metrics.json").write_text(json.dumps({"metrics": value}))
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("metrics", variable=name)
    assert name in found.differences["metrics"]


@pytest.mark.parametrize("text", ["epoch,loss\n0,0.5\n1,0.26\n", "epoch,loss\n0,0.5\n"])
def test_the_history_is_compared(runs: Runs, text: str) -> None:
    (runs[1] / "seed-0" / "history.csv").write_text(text)
    found = parted(runs)
    assert found is not None
    assert found.what == "history"


def test_only_the_seed_that_is_asked_for_is_compared(runs: Runs) -> None:
    for run in runs:
        (run / "seed-0").rename(run / "seed-7")
    assert compare(*runs, 7, None).seed == 7


EARLY = [{"epochs": 2}, {"epochs": 3}, {"steps": 5}, {"steps": 6}, {"steps": 7}]


def stop(run: Path, limit: dict[str, int], **size: int) -> None:
    """A repeat as it is where it stops early: the lines so far, then the state there."""

    def change(lines: list[dict[str, Any]]) -> None:
        if "epochs" in limit:
            lines[:] = [line for line in lines if line.get("epoch", 0) < limit["epochs"]]
            return
        steps = [n for n, line in enumerate(lines) if "step" in line]
        last = steps[min(limit["steps"], len(steps)) - 1]
        epoch = lines[last]["epoch"]
        whole = last + 1 == len(lines) or "step" not in lines[last + 1]
        state = STATE if whole else {**STATE, "weights": dict.fromkeys(VARIABLES, "e" * 64)}
        lines[last + 1 :] = [{"epoch": epoch, **state}]

    retrace(run, change, **size)
    for name in ("predictions.npz", "metrics.json"):
        (run / "seed-0" / name).unlink()


LIMITS = [{"epochs": 1}, {"epochs": 2}, {"epochs": 9}, *({"steps": n} for n in (1, 2, 3, 4, 6, 99))]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_a_repeat_that_stops_early_has_the_same_bits(runs: Runs, limit: dict[str, int]) -> None:
    stop(runs[1], limit)
    found = compare(*runs, 0, limit)
    assert found.divergence is None
    assert found.differences == {}


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_the_last_step_of_an_early_stop_counts(runs: Runs, limit: dict[str, int]) -> None:
    stop(runs[1], limit)
    path = runs[1] / "seed-0" / "trace.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    last = max(n for n, line in enumerate(lines) if "step" in line)
    lines[last]["weights"][1] = "f" * 16
    write_trace(path, lines)
    place = (lines[last]["epoch"], lines[last]["step"])
    assert parted(runs, limit) == Divergence("weights", *place, VARIABLES[1])


@pytest.mark.parametrize(
    "limit", [{"epochs": 2}, {"epochs": 3}, {"steps": 5}, {"steps": 7}], ids=str
)
def test_a_repeat_that_stops_before_its_limit_is_found(runs: Runs, limit: dict[str, int]) -> None:
    for run in runs:
        retrace(run, lambda _: None, epochs=3)
    stop(runs[1], {"epochs": 1})
    assert parted(runs, limit) == Divergence("length", 1, 0)


@pytest.mark.parametrize("limit", [{"epochs": 3}, {"steps": 9}], ids=str)
def test_an_original_that_stops_before_the_repeat_is_found(
    runs: Runs, limit: dict[str, int]
) -> None:
    stop(runs[1], limit, epochs=3)
    assert parted(runs, limit) == Divergence("length", 2, 0)


def test_the_state_at_an_early_stop_between_epochs_counts(runs: Runs) -> None:
    stop(runs[1], {"steps": 3})
    path = runs[1] / "seed-0" / "trace.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1]["seeds"] = {"dropout/seed_generator_state": "f" * 64}
    write_trace(path, lines)
    found = parted(runs, {"steps": 3})
    assert found == Divergence("seed states", 0, None, "dropout/seed_generator_state")


def test_a_damaged_trace_is_told(runs: Runs) -> None:
    (runs[1] / "seed-0" / "trace.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"Expected a trace at trace\.jsonl"):
        parted(runs)


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "history.csv", "predictions.npz", "metrics.json"]
)
@pytest.mark.parametrize("content", [b"", b"\0\n1,\n\n", None])
def test_a_damaged_result_is_told(runs: Runs, name: str, content: bytes | None) -> None:
    path = runs[1] / "seed-0" / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=f"Expected .*{name}.* Received .* run it again"):
        parted(runs)
