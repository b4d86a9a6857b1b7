"""What is put right before a target runs: environments tampered with, and no lock."""

from pathlib import Path

import prepare
import project
import pytest
from repro.record import installed


def test_no_lock_of_a_snakemake_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be known from here whether one lives: the Snakefile finds out."""
    lock = tmp_path / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("results/a\n")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(prepare.channel, "ensure", lambda forced, anew: "locked")
    prepare.prepare(None, anew=False)
    assert lock.exists()


def make_environment(folder: Path, name: str) -> Path:
    prefix = folder / f"{name}_"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "module.py").write_text("value = 1\n")
    installed.record(prefix, installed.survey(prefix), {}, {})
    prefix.with_suffix(".env_setup_done").touch()
    return prefix


def test_what_was_tampered_with_is_removed_and_the_rest_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, changed, unrecorded = (make_environment(tmp_path, name) for name in "abc")
    (changed / "lib" / "module.py").write_text("value = 2\n")
    (unrecorded / installed.RECORD).unlink()
    assert prepare.drop_unsound(tmp_path) == [changed, unrecorded]
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == [sound.name, f"{sound.name}.env_setup_done"]
    first, second = capsys.readouterr().err.splitlines()
    assert str(changed / "lib" / "module.py") in first
    assert installed.RECORD in second
    assert first.endswith("The environment is made anew.")


def test_there_need_be_no_environment(tmp_path: Path) -> None:
    assert prepare.drop_unsound(tmp_path / "none") == []
