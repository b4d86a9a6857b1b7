"""judge's command line: `verify` tells by its status; a mistake is one sentence."""

from pathlib import Path

import pytest
from repro.cli.judge import main
from repro.core.errors import UserError
from repro.launch.reporting import Ending, ending
from repro.record import installed
from verdicts import claim, written


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of these tests may be any; installed's own tests hold the check."""
    monkeypatch.setattr(installed, "require", lambda prefix: None)


def test_an_unsound_environment_verifies_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_prefix: Path) -> None:
        raise UserError("Expected another file.")

    monkeypatch.setattr(installed, "require", refuse)
    assert main(["verify", str(written(tmp_path, "e", "met"))]) == 2
    assert capsys.readouterr().err == "Expected another file.\n"


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (["met"], 0),
        (["met", "met"], 0),
        (["not met"], 1),
        (["met", "not met"], 1),
        (["inconclusive", "not met"], 1),
        (["inconclusive"], 3),
        (["met", "inconclusive"], 3),
    ],
)
def test_the_status_tells_whether_the_claims_hold(
    verdicts: list[str], status: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = [str(written(tmp_path, f"e{n}", verdict)) for n, verdict in enumerate(verdicts)]
    log = tmp_path / "logs" / "verify.log"
    assert main(["verify", *paths, "--log", str(log)]) == status
    shown = capfd.readouterr().err
    for number, (path, verdict) in enumerate(zip(paths, verdicts, strict=True)):
        assert f"e{number}: {verdict}. See {Path(path).with_suffix('.md')}." in shown
    assert log.read_text() == shown + (f"\nexit status: {status}\n" if status else "")
    assert ending(log) == (Ending(status, "") if status else None)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b"\xff", b'{"verdict": "met"}'])
def test_a_damaged_verdict_is_told(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = str(written(tmp_path, "good", "met")), written(tmp_path, "bad", "met")
    if content is None:
        bad.unlink()
    else:
        bad.write_bytes(content)
        claim(bad.parent, "compare", "verdict", [bad.name], {})
    assert main(["verify", good, str(bad)]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "verdict" in shown
    assert "Expected" in shown
    assert "Received" in shown


def test_a_verdict_of_another_kind_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(written(tmp_path, "a", "perhaps"))]) == 2
    assert "verdict` to be one of" in capsys.readouterr().err


def test_help_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    assert "verify" in capsys.readouterr().out
