"""The benchmarks run, and their tables have a row for all that they measure."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lean_python import lean

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import speed  # noqa: E402
import variants  # noqa: E402

ROUND = ["--repetitions", "1", "--epochs", "2", "--examples", "70", "--intra", "1"]


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(
        command, env=lean(os.environ), capture_output=True, text=True, check=False
    )


def table_and_record(printed: str) -> tuple[list[str], list[list[str]], list[dict[str, Any]]]:
    *table, record = printed.splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert {len(row) for row in rows} == {len(header)}
    return header, rows, json.loads(record)["measurements"]


FORKED = f"""
import json, os, sys
import keras, tensorflow  # no operation runs here: what is forked begins as a new process would
sys.path[:0] = [{str(BENCHMARKS)!r}]
import speed, variants

def measured(script, *arguments, **options):
    reading, writing = os.pipe()
    if not os.fork():
        os.dup2(writing, 1)
        given = [word for name, value in options.items() for word in ("--" + name, str(value))]
        sys.argv = [script, *arguments, *given]
        try:
            variants.main()
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        return json.loads(file.read().splitlines()[-1])

speed.measured = measured
speed.main()
"""
"""Every variant in a fork, since to import Keras takes longer than all else that is done here.

That a variant runs in a process that imports Keras itself, the test of the trace shows.
"""


@pytest.mark.slow
def test_a_table_with_every_row_and_a_record_with_every_measurement():
    command = [sys.executable, "-c", FORKED, *ROUND, "--models", "MLP"]
    done = subprocess.run(
        command, env=lean(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    _, rows, measured = table_and_record(done.stdout)
    assert {tuple(row[:2]) for row in rows} == {(m["model"], m["variant"]) for m in measured}
    assert len(rows) == len(measured) == len(variants.VARIANTS)
    assert all(m["steps_per_s"] > 0 and m["peak_bytes"] > 0 for m in measured)
    assert [row[4] for row in rows if row[1] == "naive fit"] == ["1.00"]


def test_each_model_has_rows_of_its_own_beside_its_own_naive_fit():
    given = argparse.Namespace(models=["MLP", "CNN"], repetitions=2, epochs=2, intra=1, inter=1)
    speeds = {("MLP", variants.NAIVE): 2.0, ("CNN", variants.NAIVE): 8.0}

    def measured(script: str, model: str, variant: str, **options: Any) -> dict[str, Any]:
        each = speeds.get((model, variant), 16.0)
        return {"steps_per_s": each, "processor_s": 1.0, "peak_bytes": 2**20}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "measured", measured)
        found = list(speed.measurements(given, Path("data")))
    rows = list(speed.rows(found, given.models))
    assert [row[:2] for row in rows] == [
        (model, variant) for model in ("MLP", "CNN") for variant in variants.VARIANTS
    ]
    assert len(found) == 2 * len(rows)
    for row in rows:
        ratio = {"MLP": "8.00", "CNN": "2.00"}[row[0]]
        assert row[4] == ("1.00" if row[1] == variants.NAIVE else ratio)


@pytest.mark.slow
def test_the_trace_is_timed_beside_an_untraced_training():
    few = ["--repetitions", "1", "--epochs", "4", "--examples", "70", "--models", "MLP"]
    done = run("trace_cost.py", *few)
    assert done.returncode == 0, done.stderr
    header, rows, (measured,) = table_and_record(done.stdout)
    assert [row[:2] for row in rows] == [["MLP", "wall"], ["MLP", "processor"]]
    for row, clock in zip(rows, ("wall", "processor"), strict=True):
        seconds = measured[clock]
        assert min(seconds["own"], seconds["fit"]) > 0
        share = 100 * seconds["trace"] / seconds["own"]
        assert dict(zip(header, row, strict=True))["share of own step"] == f"{share:.1f} %"


@pytest.mark.parametrize(("script", "least"), [("speed.py", 2), ("trace_cost.py", 4)])
def test_one_epoch_is_refused_because_none_would_be_timed(script: str, least: int):
    done = run(script, "--epochs", "1")
    assert done.returncode == 2
    assert f"Expected epochs of {least} or more. Received 1." in done.stderr
    assert not done.stdout


@pytest.mark.slow
def test_the_table_says_what_keras_brings_back_and_that_orbax_was_not_measured():
    done = run("kills.py", "--models", "own step", "--kills", "0", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    *_, record = done.stdout.splitlines()
    assert "\nOrbaxCheckpoint: not measured.\n" in done.stdout
    assert json.loads(record)["orbax"] is None
    (row,) = json.loads(record)["keras"]
    assert "| " + " | ".join(row.values()) + " |" in done.stdout
    assert (row["way"], row["twice without a kill"]) == ("BackupAndRestore", "the same")
    assert row["state taken up"] == "from epoch 3; others: seeds, callbacks"
