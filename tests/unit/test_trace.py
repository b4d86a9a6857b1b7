"""Traces: what was written is read; what is damaged or newer is refused in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from reference_trace import check_lines
from repro.core.errors import UserError
from repro.core.schema import schema
from repro.record.trace import VERSION, read, writer
from samples import trace_lines, write_trace


def test_what_is_written_is_read(tmp_path: Path) -> None:
    header, *lines = trace_lines()
    path = tmp_path / "trace.jsonl"
    with writer(path, {key: value for key, value in header.items() if key != "version"}) as trace:
        assert not path.exists()
        for line in lines:
            trace.line(line)
    found = read(path)
    assert found.header == header
    assert list(found.lines) == lines
    assert path.read_bytes() == path.read_text("ascii").encode()
    check_lines(path)


def test_a_failure_leaves_no_trace(tmp_path: Path) -> None:
    def fail() -> None:
        with writer(tmp_path / "trace.jsonl", {}) as trace:
            trace.line({})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        read(path)
    return str(error.value)


def test_a_missing_one_is_told(tmp_path: Path) -> None:
    assert "Expected a trace at none.jsonl" in refusal(tmp_path / "none.jsonl")


@pytest.mark.parametrize("version", [VERSION + 1, 0, "1", True, None, [1]])
def test_another_version_is_refused(version: Any, tmp_path: Path) -> None:
    lines = trace_lines()
    lines[0]["version"] = version
    write_trace(tmp_path / "trace.jsonl", lines)
    assert f"version {VERSION}" in refusal(tmp_path / "trace.jsonl")
    assert f"Received version {version}" in refusal(tmp_path / "trace.jsonl")


@given(st.binary(max_size=40))
def test_anything_else_is_refused(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.jsonl"
        path.write_bytes(content)
        assert "Expected a trace" in refusal(path)


TEXT = "".join(json.dumps(line) + "\n" for line in trace_lines(1, 2))


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 255))
def test_one_damaged_byte_is_refused_or_still_a_trace(place: int, byte: int) -> None:
    import tempfile

    content = bytearray(TEXT.encode())
    content[place] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.jsonl"
        path.write_bytes(bytes(content))
        try:
            found = read(path)
        except UserError:
            return
    # What is read has all that a comparison asks for.
    assert {"variables", "initial"} <= set(found.header)
    for line in found.lines:
        wanted = {"ids", "batch", "lr", "loss", "weights"} if "step" in line else {"weights"}
        assert {"epoch"} | wanted <= set(line)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_file_that_ends_within_a_line_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(TEXT[:-cut].rstrip("\n") if cut > 1 else TEXT[:-3])
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_lacks_a_key_is_refused(number: int, tmp_path: Path) -> None:
    for key in trace_lines(1, 2)[number]:
        lines = trace_lines(1, 2)
        del lines[number][key]
        write_trace(tmp_path / "trace.jsonl", lines)
        assert "Expected a trace" in refusal(tmp_path / "trace.jsonl"), key


@pytest.mark.parametrize("name", ["config", "manifest", "verdict"])
def test_the_schemas_are_schemas(name: str) -> None:
    import jsonschema

    rules = schema(name)
    jsonschema.Draft202012Validator.check_schema(rules)
    assert rules["title"] in ("configuration", name)
    root = Path(__file__).parents[2]
    assert rules == yaml.safe_load(
        (root / f"workflow/schemas/{name}.schema.yaml").read_text("utf-8")
    )
