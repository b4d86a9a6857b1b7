"""The price: measured when asked, taken into the verdict, and nothing is trained again for it."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def times(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*")
            if p.is_file()}  # fmt: skip


def test_the_price_stands_in_the_verdict_and_nothing_is_trained_for_it(finished):
    made = finished("priced")
    page = made.results / "small" / "verdict.md"
    assert "What it costs" not in page.read_text()
    before = times(made.results)

    asked = made.run("cost", "--config", "cost=small", "rounds=1")
    assert asked.returncode == 0, asked.stdout
    assert "small: what is taken with each, as a multiple of what is taken without" in asked.stdout
    after = times(made.results)
    assert {name for name in after if before.get(name) != after[name]} == {
        "small/cost.json", "small/cost.manifest.json",
    }  # fmt: skip

    assert made.run("all").returncode == 0
    again = times(made.results)
    assert {name for name in again if after.get(name) != again[name]} == {
        *(f"small/verdict.{kind}" for kind in ("json", "md", "manifest.json")),
        "small/report.html", "small/report.manifest.json", "index.html",
    }  # fmt: skip
    found = made.verdict("small")["cost"]
    assert set(found["variants"]) == {
        "plain",
        "threads",
        "loop",
        "determinism",
        "trace",
        "checkpoints",
    }
    assert all(found["prices"].values())
    ratio = found["prices"]["all"]["wall_s"]["median"]
    assert "## What it costs" in page.read_text()
    assert (
        f"| all but checkpoints, beside plain `fit` | – | {ratio:.2f} (once) |" in page.read_text()
    )
    assert "Nothing to be done" in made.run("all").stdout


def test_an_unknown_experiment_is_told_with_those_that_there_are(new_project):
    made = new_project("mistaken")
    made.configure(small=made.entry(), other=made.entry())
    done = made.run("cost", "--config", "cost=smal")
    assert done.returncode == 1
    assert "Expected the name of an experiment to measure: other, small. Received smal." in (
        done.stdout
    )
    none = made.run("cost")
    assert none.returncode == 1
    assert "Expected `--config cost=NAME` with one of other, small." in none.stdout
    assert not made.results.exists()
