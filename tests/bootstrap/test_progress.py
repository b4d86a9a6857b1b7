"""Notes on a set-up: many write, one reads, and a line is read once it is whole."""

import subprocess
import sys
from pathlib import Path

import project
import pytest
from display import progress
from display.notes import Note, Notes, Refusal


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    monkeypatch.setenv(progress.FILE, str(tmp_path / "notes"))
    return Notes(tmp_path / "notes")


def test_what_is_noted_is_read_once(notes: Notes) -> None:
    assert notes.new() == []
    progress.note("wheels", 1, 2, "six")
    progress.note("wheels", 2, 2)
    assert notes.new() == [Note("wheels", 1, 2, "six"), Note("wheels", 2, 2, "")]
    assert notes.new() == []
    assert notes.refusal is None


def test_without_the_variable_nothing_is_noted(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(progress.FILE)
    progress.note("wheels", 1, 2)
    progress.refused("Expected a wheel.", 2)
    assert not notes.file.exists()


def test_a_folder_that_is_gone_stops_no_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(progress.FILE, str(tmp_path / "gone" / "notes"))
    progress.note("wheels", 1, 2)
    assert not (tmp_path / "gone").exists()


def test_half_a_line_is_waited_for(notes: Notes) -> None:
    progress.note("wheels", 1, 2, "ä")
    whole = notes.file.read_bytes()
    for cut in range(len(whole)):
        notes.file.write_bytes(whole + whole[:cut])
        reader = Notes(notes.file)
        assert len(reader.new()) == 1
        notes.file.write_bytes(whole + whole)
        assert reader.new() == [Note("wheels", 1, 2, "ä")]


def test_a_line_that_stayed_half_hides_none_that_follow(notes: Notes) -> None:
    notes.file.write_text('{"what": "wheels", "do\n{"what": "wheels"}\n3\nnull\n')
    progress.note("wheels", 1, 2)
    assert notes.new() == [Note("wheels", 1, 2, "")]


WRITER = """
import sys
sys.path[:0] = [{bootstrap!r}]
from display import progress
sys.stdin.readline()
for n in range(1, 301):
    progress.note(sys.argv[1], n, 300, "name" * int(sys.argv[2]))
"""


def test_those_who_write_at_once_spoil_no_line(notes: Notes) -> None:
    source = WRITER.format(bootstrap=str(project.ROOT / "bootstrap"))
    lengths = {"a": 1, "b": 100, "c": 5000}
    writers = [
        subprocess.Popen([sys.executable, "-c", source, what, str(n)], stdin=subprocess.PIPE)
        for what, n in lengths.items()
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    found: list[Note] = []
    while any(writer.poll() is None for writer in writers):
        found += notes.new()  # while they write
    found += notes.new()
    for what, n in lengths.items():
        name = "name" * n
        assert [x for x in found if x.what == what] == [
            Note(what, done, 300, name) for done in range(1, 301)
        ]
    assert notes.unfinished() is None


def test_the_first_refusal_is_kept(notes: Notes) -> None:
    progress.refused("Expected the wheel of six. Received none. Mend the index.", 4)
    progress.refused("Expected a pin file. Received none.", 2)
    assert notes.new() == []
    assert notes.refusal == Refusal("Expected the wheel of six. Received none. Mend the index.", 4)


def test_what_did_not_come_to_its_end_is_named(notes: Notes) -> None:
    progress.note("conda packages", 3, 3)
    progress.note("wheels", 12, 39, "tensorflow")
    notes.new()
    unfinished = notes.unfinished()
    assert unfinished
    assert unfinished.status == 4
    assert unfinished.sentence.startswith(
        "Expected to finish wheels. Received an end at 12 of 39, tensorflow: "
    )
    progress.note("wheels", 39, 39)
    notes.new()
    assert notes.unfinished() is None
