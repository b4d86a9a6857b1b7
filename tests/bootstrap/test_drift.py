"""./run drift: a manifest that cannot be read is a mistake; else Snakemake is asked to compare."""

from pathlib import Path

import pytest
from repro.core.errors import UserError
from repro.record import manifest
from user_project.chosen import CLONE
from verbs import drift, prepare


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The targets that Snakemake would be asked for."""
    targets: list[list[str]] = []
    monkeypatch.setattr(prepare, "target", lambda argv, _: targets.append(argv) or 0)
    return targets


@pytest.mark.parametrize("text", [None, "", "{", '{"_type": "x"}', "[]"])
def test_a_manifest_that_cannot_be_read_is_refused_before_anything_runs(
    text: str | None, asked: list[list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "train.manifest.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=r"train\.manifest\.json"):
        drift.main([str(file)], CLONE)
    assert asked == []


def test_a_manifest_is_handed_on_by_its_path(
    asked: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[Path] = []
    monkeypatch.setattr(manifest, "read", read.append)
    file = tmp_path / "train.manifest.json"
    assert drift.main([str(file), "--config", "channel=local"], CLONE) == 0
    assert read == [file]
    assert asked == [["drift", "--config", f"manifest={file}", "--config", "channel=local"]]


def test_without_a_manifest_every_result_is_compared(
    asked: list[list[str]],
) -> None:
    assert drift.main([], CLONE) == 0
    assert asked[0][0] == "drift"
    assert not [item for item in asked[0] if item.startswith("manifest=")]
