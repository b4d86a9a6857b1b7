"""The benchmark runs, and its table has a row for every model and variant."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).resolve().parents[1] / "benchmarks" / "speed.py"
ROUND = ["--repetitions", "1", "--epochs", "2", "--examples", "70", "--intra", "1"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SPEED), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_table_with_every_row_and_a_record_with_every_measurement():
    done = run(*ROUND)
    assert done.returncode == 0, done.stderr
    *table, record = done.stdout.splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    measured = json.loads(record)["measurements"]
    assert {len(row) for row in rows} == {len(header)}
    assert [row[:2] for row in rows if row[0] == "MLP"] == [
        ["MLP", row[1]] for row in rows if row[0] == "CNN"
    ]
    assert {tuple(row[:2]) for row in rows} == {(m["model"], m["variant"]) for m in measured}
    assert len(rows) == len(measured) == 12
    assert all(m["steps_per_s"] > 0 and m["peak_bytes"] > 0 for m in measured)
    assert [row[4] for row in rows if row[1] == "naive fit"] == ["1.00", "1.00"]


def test_one_epoch_is_refused_because_none_would_be_timed():
    done = run("--epochs", "1")
    assert done.returncode == 2
    assert "Expected epochs of 2 or more. Received 1." in done.stderr
    assert not done.stdout
