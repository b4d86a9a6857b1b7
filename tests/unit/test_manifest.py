"""Manifests: every output by digest, all that made it, nothing that the schema does not know."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repro.core.digest import sha256_file, sha256_tree, sha256_value
from repro.core.errors import UserError
from repro.record.manifest import Making, check_subjects, digests, read, write

INSTALLED = {"lock": "sha256:0", "channel": "local", "platform": "linux-64", "packages": []}


@pytest.fixture
def outputs(tmp_path: Path) -> list[Path]:
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "x.npy").write_bytes(b"x")
    (tmp_path / "data" / "train" / "y.npy").write_bytes(b"y")
    (tmp_path / "a.txt").write_bytes(b"a")
    return [tmp_path / "data", tmp_path / "a.txt"]


def made(tmp_path: Path, outputs: list[Path], **changed: Any) -> Path:
    making = Making(
        **{
            "names": {"step": "prepare", "experiment": "digits", "run": "original"},
            "parameters": {"data_seed": 0},
            "inputs": digests({"code": tmp_path / "a.txt", "data": tmp_path / "data"}),
            "installed": INSTALLED,
            "process": {"factors": []},
            **changed,
        }
    )
    write(tmp_path / "data.manifest.json", making, outputs)
    return tmp_path / "data.manifest.json"


def test_every_output_file_is_a_subject(tmp_path: Path, outputs: list[Path]) -> None:
    found = read(made(tmp_path, outputs))
    subjects = {s["name"]: s["digest"]["sha256"] for s in found["subject"]}
    names = ["a.txt", "data/train/x.npy", "data/train/y.npy"]
    assert subjects == {name: sha256_file(tmp_path / name) for name in names}
    assert list(subjects) == names


def test_inputs_are_named_by_digest_and_no_path_is_told(
    tmp_path: Path, outputs: list[Path]
) -> None:
    found = read(made(tmp_path, outputs))
    definition = found["predicate"]["buildDefinition"]
    inputs = {d["name"]: d["digest"]["sha256"] for d in definition["resolvedDependencies"]}
    assert inputs == {
        "code": sha256_file(tmp_path / "a.txt"),
        "data": sha256_tree(tmp_path / "data"),
    }
    external = definition["externalParameters"]
    assert external["step"] == "prepare"
    assert external["parameters_sha256"] == sha256_value({"data_seed": 0})
    assert str(tmp_path) not in json.dumps({**found, "predicate": definition})
    assert found["predicate"]["repro_environment"]["installed"] == INSTALLED


@pytest.mark.parametrize(
    "changed",
    [
        {"names": {"step": "other"}},
        {"names": {}},
        {"installed": {}},
        {"installed": {**INSTALLED, "channel": "somewhere"}},
        {"started": "yesterday"},
    ],
)
def test_what_breaks_the_schema_is_not_written(
    tmp_path: Path, outputs: list[Path], changed: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match=r"data\.manifest\.json: Expected"):
        made(tmp_path, outputs, **changed)
    assert not (tmp_path / "data.manifest.json").exists()


def test_a_manifest_without_subjects_is_refused(tmp_path: Path, outputs: list[Path]) -> None:
    assert outputs
    with pytest.raises(UserError, match="subject"):
        made(tmp_path, [])


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b"{", b"null", b"{}"])
def test_a_damaged_one_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "data.manifest.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"data\.manifest\.json"):
        read(path)


KEYS = st.sampled_from(["_type", "subject", "predicateType", "predicate"])


@settings(max_examples=15)
@given(KEYS, st.none() | st.integers() | st.text() | st.lists(st.integers(), max_size=2))
def test_any_other_value_is_refused(key: str, value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.txt").touch()
        (folder / "data").mkdir()
        path = made(folder, [folder / "a.txt"])
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
        with pytest.raises(UserError, match=r"data\.manifest\.json: Expected"):
            read(path)


def test_files_that_are_as_their_manifest_says_pass(tmp_path: Path, outputs: list[Path]) -> None:
    check_subjects(made(tmp_path, outputs), "data")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a.txt", lambda file: file.write_bytes(b"A")),
        ("a.txt", Path.unlink),
        ("data/train/x.npy", lambda file: file.write_bytes(b"")),
        ("data/train/more.npy", lambda file: file.write_bytes(b"more")),
    ],
)
def test_a_changed_a_missing_and_an_added_file_are_refused(
    tmp_path: Path, outputs: list[Path], name: str, change: Any
) -> None:
    path = made(tmp_path, outputs)
    change(tmp_path / name)
    with pytest.raises(UserError, match=rf"difference at {name}.*Delete data.manifest.json"):
        check_subjects(path, "data")
