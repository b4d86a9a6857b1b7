"""Comparison: the first place where two runs diverge is found, whatever it is."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repro.compare.divergence import Divergence
from repro.compare.runs import compare
from repro.compare.runs import parted as step_parted
from repro.core.errors import UserError
from samples import (
    SCORES,
    STATE,
    VARIABLES,
    put_weights,
    trace_lines,
    weights_of,
    write_predictions,
    write_run,
    write_trace,
)

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


def test_the_same_batches_taken_in_another_order_are_no_other_batches(runs: Runs) -> None:
    def reorder(lines: list[dict[str, Any]]) -> None:
        lines[6]["batch"], lines[7]["batch"] = lines[7]["batch"], lines[6]["batch"]

    retrace(runs[1], reorder)
    assert parted(runs) == Divergence("data order", 1, 1, None)


def test_batches_of_another_epoch_are_other_batches(runs: Runs) -> None:
    def exchange(lines: list[dict[str, Any]]) -> None:
        lines[2]["batch"], lines[6]["batch"] = lines[6]["batch"], lines[2]["batch"]

    retrace(runs[1], exchange)
    assert parted(runs) == Divergence("batch content", 0, 1, None)


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


def test_other_class_weights_come_before_the_weights(runs: Runs) -> None:
    other = {**STATE, "weights": dict.fromkeys(VARIABLES, "f" * 64)}
    retrace(runs[0], lambda lines: lines[0].update(class_weight={"0": 1.0, "1": 2.0}))
    retrace(runs[1], lambda lines: lines[0].update(class_weight={"0": 1.0, "1": 3}, initial=other))
    assert parted(runs) == Divergence("class weights", variable="1")


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


@pytest.mark.parametrize("read", [True, False])
def test_other_fitted_values_are_found_before_what_they_made(runs: Runs, read: bool) -> None:
    for number, run in enumerate(runs):
        (run / "data" / "fitted").mkdir()
        np.save(run / "data" / "fitted" / "x.mean_.npy", np.float32(number))
    path = runs[1] / "data" / "test" / "x.npy"
    np.save(path, flip(np.load(path)))
    if not read:  # `dataset` itself returned other examples
        np.save(runs[1] / "data" / "test" / "id.npy", np.array(list("abd")))
    expected = ("fitted preprocessing", "x.mean_") if read else ("prepared data", "test/x.npy")
    assert parted(runs) == Divergence(expected[0], variable=expected[1])


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


def cut(lines: list[dict[str, Any]], limit: dict[str, int]) -> None:
    """What is left of a trace where a repeat stops early: the lines so far, and the state there."""
    if "epochs" in limit:
        lines[:] = [line for line in lines if line.get("epoch", 0) < limit["epochs"]]
        return
    steps = [n for n, line in enumerate(lines) if "step" in line]
    end = steps[min(limit["steps"], len(steps)) - 1] + 1
    whole = end == len(lines) or "step" not in lines[end]
    state = {**STATE, "weights": dict.fromkeys(VARIABLES, "e" * 64)}
    lines[end:] = lines[end : end + 1] if whole else [{"epoch": lines[end - 1]["epoch"], **state}]


def stop(run: Path, limit: dict[str, int], **size: int) -> None:
    """Makes a repeat what it is where it stops early."""
    retrace(run, lambda lines: cut(lines, limit), **size)
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


def digest(array: np.ndarray) -> str:
    """Stands for the digest of a step, whose own strength has tests of its own."""
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


OVERWRITTEN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For tests whose every example writes again what it changes in the two runs."""


def flipped(array: np.ndarray, data: st.DataObject) -> np.ndarray:
    """The array with one bit changed, anywhere."""
    content = bytearray(array.tobytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return np.frombuffer(bytes(content), array.dtype).reshape(array.shape)


PLACES = st.tuples(st.integers(0, 1), st.integers(0, 2))  # epoch and step
COLUMNS = {
    "ids": ("data order", np.array(["a", "b", "c", "d"])),
    "batch": ("batch content", np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)),
    "lr": ("learning rate", np.array([1e-3], np.float32)),
    "loss": ("loss", np.array([0.25], np.float32)),
}


@OVERWRITTEN
@given(PLACES, st.sampled_from(sorted(COLUMNS)), st.data())
def test_one_bit_at_any_step_is_found_and_placed(
    runs: Runs, place: tuple[int, int], key: str, data: st.DataObject
) -> None:
    what, value = COLUMNS[key]
    other = value[[1, 0, 2, 3]] if key == "ids" else flipped(value, data)  # two ids swapped
    for run, array in zip(runs, (value, other), strict=True):
        set_step(run, place, {key: digest(array)})
    assert parted(runs) == Divergence(what, *place)


def set_step(run: Path, place: tuple[int, int], values: dict[str, Any]) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        (line,) = [ln for ln in lines if (ln.get("epoch"), ln.get("step")) == place]
        line.update(values)

    retrace(run, change)


@OVERWRITTEN
@given(PLACES, st.integers(0, 1), st.data())
def test_one_bit_of_a_weight_at_any_step_is_found_and_placed(
    runs: Runs, place: tuple[int, int], odd: int, data: st.DataObject
) -> None:
    weights = [np.linspace(-1, 1, 8, dtype=np.float32), np.ones(2, np.float32)]
    others = [flipped(w, data) if n == odd else w for n, w in enumerate(weights)]
    for run, arrays in zip(runs, (weights, others), strict=True):
        set_step(run, place, {"weights": [digest(array) for array in arrays]})
    assert parted(runs) == Divergence("weights", *place, VARIABLES[odd])


@OVERWRITTEN
@given(st.sampled_from(VARIABLES), st.data())
def test_one_bit_of_any_final_weight_is_found_and_counted(
    runs: Runs, name: str, data: st.DataObject
) -> None:
    weights = weights_of(runs[0])
    put_weights(runs[1], {**weights, name: flipped(weights[name], data)})
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("final weights", variable=name)
    assert set(found.differences["weights"]) == {name}
    assert found.differences["weights"][name]["differ"] == 1
    assert found.differences["weights_share"] == 1 / 10


@OVERWRITTEN
@given(st.data())
def test_one_bit_of_any_prediction_is_found_and_counted(runs: Runs, data: st.DataObject) -> None:
    write_predictions(runs[1], flipped(SCORES, data))
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("predictions", variable="y")
    assert found.differences["predictions"]["y"]["differ"] == 1
    json.dumps(found.differences, allow_nan=False)


@OVERWRITTEN
@given(st.integers(0, 1), st.sampled_from(["accuracy", "loss"]))
def test_the_last_digit_of_the_history_is_found_and_placed(
    runs: Runs, epoch: int, name: str
) -> None:
    values = [{"accuracy": 0.5, "loss": 2.25}, {"accuracy": 0.75, "loss": 1.125}]
    for run in runs:
        rows = [f"{n},{v['accuracy']!r},{v['loss']!r}" for n, v in enumerate(values)]
        (run / "seed-0" / "history.csv").write_text("\n".join(["epoch,accuracy,loss", *rows]))
        values[epoch][name] = float(np.nextafter(values[epoch][name], 9))
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("history", epoch, None, name)
    assert found.differences["history"][name]["epoch"] == epoch


@OVERWRITTEN
@given(st.sampled_from(["accuracy", "loss"]), st.floats(0, 1e300))
def test_the_last_bit_of_a_metric_is_found_and_told(runs: Runs, name: str, value: float) -> None:
    other = float(np.nextafter(value, math.inf))
    for run, number in zip(runs, (value, other), strict=True):
        metrics = {"metrics": {"accuracy": 1.0, "loss": 0.25, name: number}}
        (run / "seed-0" / "metrics.json").write_text(json.dumps(metrics))
    found = compare(*runs, 0, None)
    assert found.divergence == Divergence("metrics", variable=name)
    told = found.differences["metrics"][name]
    assert told == {"original": value, "repeat": other, "difference": other - value}


def disturb_data(run: Path) -> None:
    np.save(run / "data" / "train" / "x.npy", np.zeros((3, 2)))


def disturb_start(run: Path) -> None:
    other = {**STATE, "seeds": {"dropout/seed_generator_state": "f" * 64}}
    retrace(run, lambda lines: lines[0].update(initial=other))


def disturb_line(number: int) -> Callable[[Path], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        step = "step" in lines[number]
        other = {"loss": "f" * 16} if step else {"optimizer": {"adam/m": "f" * 64}}
        lines[number].update(other)

    return lambda run: retrace(run, change)


def disturb_history(run: Path) -> None:
    (run / "seed-0" / "history.csv").write_text("epoch,loss\n0,0.6\n1,0.25\n")


def disturb_length(run: Path) -> None:
    retrace(run, lambda lines: lines.pop(3))


def disturb_weights(run: Path) -> None:
    put_weights(run, {**weights_of(run), VARIABLES[0]: np.zeros((4, 2), np.float32)})


def disturb_predictions(run: Path) -> None:
    write_predictions(run, SCORES[:, ::-1])


def disturb_nothing(run: Path) -> None:
    assert run.is_dir()


def seen_within(divergence: Divergence | None, steps: int, steps_per_epoch: int) -> bool:
    """Whether a repeat that stops after so many steps would have seen a divergence."""
    if divergence is None:
        return False
    if divergence.epoch is None:
        before = ("prepared data", "trace layout")
        return divergence.what in before or divergence.what.startswith("initial ")
    if divergence.step is None:
        return (divergence.epoch + 1) * steps_per_epoch <= steps
    return divergence.epoch * steps_per_epoch + divergence.step < steps


DISTURBANCES = [
    disturb_nothing, disturb_data, disturb_start, disturb_history, disturb_length,
    disturb_weights, disturb_predictions, *(disturb_line(n) for n in range(1, 9)),
]  # fmt: skip


@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_what_a_shorter_repeat_would_see_is_what_it_sees(
    runs: Runs, disturb: Callable[[Path], None], steps: int
) -> None:
    disturb(runs[1])
    whole = parted(runs)
    path, limit = runs[1] / "seed-0" / "trace.jsonl", {"steps": steps}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    cut(lines, limit)
    write_trace(path, lines)
    assert (parted(runs, limit) is not None) == seen_within(whole, steps, steps_per_epoch=3)


def test_each_part_is_compared_by_itself(runs: Runs) -> None:
    for disturb, step in [(disturb_data, "prepare"), (disturb_line(2), "train"),
                          (disturb_predictions, "evaluate")]:  # fmt: skip
        disturb(runs[1])
        found = {part: step_parted(part, *runs, 0) for part in ("prepare", "train", "evaluate")}
        assert [part for part, at in found.items() if at] == [step]
        shutil.rmtree(runs[1])
        write_run(runs[1])


def test_nothing_of_another_part_is_needed(runs: Runs) -> None:
    limit = {"steps": 2}
    retrace(runs[1], lambda lines: cut(lines, limit))
    for name in ("data", "seed-0/predictions.npz", "seed-0/metrics.json"):
        gone = runs[1] / name
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    assert step_parted("train", *runs, 0, limit) is None
    assert step_parted("train", *runs, 0) == Divergence("length", 0, 2)


@pytest.mark.parametrize(
    ("limit", "stopped"),
    [({"epochs": 1}, True), ({"epochs": 2}, False), ({"steps": 5}, True), ({"steps": 6}, False)],
)
def test_where_a_repeat_really_stopped_is_told(
    runs: Runs, limit: dict[str, int], stopped: bool
) -> None:
    stop(runs[1], limit)
    assert compare(*runs, 0, limit).stopped == (limit if stopped else None)


def test_a_shorter_repeat_that_went_to_the_end_compares_the_final_weights(runs: Runs) -> None:
    limit = {"steps": 99}
    stop(runs[1], limit)
    disturb_weights(runs[1])
    found = compare(*runs, 0, limit)
    assert found.divergence == Divergence("final weights", variable=VARIABLES[0])
    assert set(found.differences) == {"weights", "weights_share"}


def test_the_history_counts_for_the_epochs_that_both_runs_have(runs: Runs) -> None:
    stop(runs[1], {"epochs": 1})
    (runs[1] / "seed-0" / "history.csv").write_text("epoch,loss\n0,0.5\n")
    assert parted(runs, {"epochs": 1}) is None
    (runs[1] / "seed-0" / "history.csv").write_text("epoch,loss\n0,0.6\n")
    assert parted(runs, {"epochs": 1}) == Divergence("history", 0, None, "loss")


def test_the_run_is_named(runs: Runs) -> None:
    other = runs[1].rename(runs[1].with_name("repeat-7"))
    assert compare(runs[0], other, 0, None).run == "repeat-7"
