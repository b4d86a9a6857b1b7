"""Archives of every format that there ever was are read, and mean what they meant."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from repro.archive.open_archive import accepted, unpack

CRATES = Path(__file__).parents[1] / "archives" / "crates"
SUMS = {"format-1": "6acf84baff9bf5da09e5e133fdbec4e6145c68ac4a32e76c0816b07c7d1213eb"}


def test_there_is_one_of_every_format() -> None:
    assert {path.name.removesuffix(".crate.zip") for path in CRATES.iterdir()} == SUMS.keys()


@pytest.mark.parametrize("name", SUMS)
def test_it_is_accepted_byte_by_byte(name: str) -> None:
    with accepted(CRATES / f"{name}.crate.zip") as inside:
        assert inside.index.experiment == "tiny"
        assert inside.index.format == int(name.removeprefix("format-"))
        assert sha256(inside.read("SHA256SUMS")).hexdigest() == SUMS[name]
        assert inside.experiment.code == "tiny"
        steps = sorted(step.name for step in inside.results.steps.values())
    assert steps == sorted(["code", "probe", "compare", *["prepare", "train", "evaluate"] * 2])


@pytest.mark.parametrize("name", SUMS)
def test_it_unpacks_to_a_project(name: str, tmp_path: Path) -> None:
    unpack(CRATES / f"{name}.crate.zip", tmp_path / "out")
    verdict = json.loads((tmp_path / "out/results/tiny/verdict.json").read_bytes())
    assert verdict == {"verdict": "met"}
    assert (tmp_path / "out/run").stat().st_mode & 0o111
