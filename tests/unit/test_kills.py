"""The benchmark of kills says which Orbax it measures, and sees each part of a state."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import kills
import taken_up

STATE = {"weights": "a", "optimizer": "b", "seeds": "c", "callbacks": ["0", "inf"]}


def installed(folder: Path, **versions: str) -> Path:
    for name, version in versions.items():
        metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def test_a_folder_in_which_a_package_is_missing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = installed(tmp_path, orbax_checkpoint="0.12.8", jax="0.10.2", jaxlib="0.10.2")
    with pytest.raises(SystemExit) as ended:
        kills.main(["--orbax", str(folder)])
    assert ended.value.code == 2
    said = (
        f"Expected a folder with the packages of orbax.txt. Received {folder} without tensorstore."
    )
    assert said in capsys.readouterr().err


def test_versions_are_those_that_are_imported_the_environments_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed(tmp_path / "environment", jax="2.0")))
    behind = installed(tmp_path / "behind", orbax_checkpoint="0.12.8", jax="1.0")
    assert taken_up.versions(behind) == {"orbax-checkpoint": "0.12.8", "jax": "2.0"}


@pytest.mark.parametrize("part", STATE)
def test_each_part_of_a_state_is_compared(part: str) -> None:
    assert taken_up.differing(STATE, {**STATE, "epoch": 3}) == "the same"
    assert taken_up.differing(STATE, {**STATE, part: "other"}) == f"others: {part}"
