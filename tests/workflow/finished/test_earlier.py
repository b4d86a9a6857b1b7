"""Earlier results are put aside before a change overwrites them, and can be compared afterwards."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Project


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the overview, which is no experiment's."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "index.html")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_changed_setting_overwrites_nothing_before_it_is_put_aside(
    unrepeated: Callable[[str], Project],
) -> None:
    made = unrepeated("earlier")
    before = contents(made.results)
    assert made.by_run("all", "--store", "--cores", "2").returncode == 0
    assert not list(made.folder.glob("runs/small-*"))
    made.configure(small=made.entry(repeat="off", settings={"dropout": 0.5}))

    done = made.by_run("all", "--store", "--cores", "2")
    assert done.returncode == 0, done.stderr
    (stored,) = made.folder.glob("runs/small-*")
    assert f"Put aside in runs/{stored.name}.\n" in done.stderr
    assert "small (original: data, training of seed 0, evaluation of seed 0" in done.stderr
    assert contents(stored / "results") == before
    assert contents(made.results) != before

    checked = Project(stored).by_run("check-files")
    assert checked.returncode == 0, checked.stdout

    compared = made.by_run("compare", stored.name, "results", "--json")
    assert compared.returncode == 1, compared.stderr
    found = json.loads(compared.stdout)
    assert found["origins"]["configuration"] == {"settings.dropout": ["0.2", "0.5"]}
    assert found["seeds"][0]["divergence"]["what"] == "loss"
    assert found["seeds"][0]["divergence"]["step"] == 0
    weights = {file["name"]: file for file in found["seeds"][0]["files"]}["weights.safetensors"]
    assert weights["largest"]["distance"]["absolute"] > 0

    made.configure(small=made.entry(repeat="off"))
    data = "results/small/original/data.manifest.json"
    plain = made.run("--cores", "2", data)
    assert plain.returncode == 0, plain.stdout
    assert f"overwrite what is there: those of {data}." in plain.stdout
