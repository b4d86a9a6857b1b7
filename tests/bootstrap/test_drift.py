"""./run drift: a manifest that cannot be read is a mistake; else Snakemake is asked to compare."""

import importlib.util
from pathlib import Path
from types import ModuleType

import project
import pytest
from repro.core.errors import UserError
from repro.record import manifest


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, list[list[str]]]:
    """The command line of ./run, which notes the targets that it would ask Snakemake for."""
    file = project.ROOT / "bootstrap" / "__main__.py"
    spec = importlib.util.spec_from_file_location("command_of_run", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    asked: list[list[str]] = []
    monkeypatch.setattr(module, "_target", lambda argv: asked.append(argv) or 0)
    return module, asked


@pytest.mark.parametrize("text", [None, "", "{", '{"_type": "x"}', "[]"])
def test_a_manifest_that_cannot_be_read_is_refused_before_anything_runs(
    text: str | None, command: tuple[ModuleType, list[list[str]]], tmp_path: Path
) -> None:
    module, asked = command
    file = tmp_path / "train.manifest.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=r"train\.manifest\.json"):
        module._drift([str(file)])
    assert asked == []


def test_a_manifest_is_handed_on_by_its_path(
    command: tuple[ModuleType, list[list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, asked = command
    read: list[Path] = []
    monkeypatch.setattr(manifest, "read", read.append)
    file = tmp_path / "train.manifest.json"
    assert module._drift([str(file), "--config", "channel=local"]) == 0
    assert read == [file]
    assert asked == [["drift", "--config", f"manifest={file}", "--config", "channel=local"]]


def test_without_a_manifest_every_result_is_compared(
    command: tuple[ModuleType, list[list[str]]],
) -> None:
    module, asked = command
    assert module._drift([]) == 0
    assert asked[0][0] == "drift"
    assert not [item for item in asked[0] if item.startswith("manifest=")]
