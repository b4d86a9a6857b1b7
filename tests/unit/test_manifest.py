"""Manifests: every output by digest, all that made it, nothing that the schema does not know."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from packageurl import PackageURL
from repro.core.canonical_json import pretty
from repro.core.digest import sha256_file, sha256_tree, sha256_value
from repro.core.errors import UserError
from repro.record.environment import environment
from repro.record.manifest import LARGEST, check_subjects, read, recorded, write
from repro.record.statement import FORMAT, Making, purl, resources, sealed
from repro.record.step import Step

PACKAGES = [
    {
        "manager": "conda",
        "name": "python",
        "version": "3.11.15",
        "build": "h1_0",
        "sha256": "a" * 64,
    },
    {"manager": "pip", "name": "tensorflow", "version": "2.21.0+c", "sha256": "b" * 64},
]
FACTS = {"lock": f"sha256:{'0' * 64}", "channel": "local", "platform": "linux-64"}
INSTALLED = {**FACTS, "packages": PACKAGES}
ENVIRONMENT = {**environment(), "loaded": {"packages": ["python"], "host": {}}}


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
            "inputs": resources({"code": tmp_path / "a.txt", "data": tmp_path / "data"}),
            "installed": INSTALLED,
            "environment": ENVIRONMENT,
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
    assert Step(tmp_path, found).digests == {
        "code": sha256_file(tmp_path / "a.txt"),
        "conda-lock.yml": "0" * 64,
        "data": sha256_tree(tmp_path / "data"),
    }
    (folder,) = (d for d in definition["resolvedDependencies"] if d.get("name") == "data")
    assert folder["annotations"]["files"] == {
        name: sha256_file(tmp_path / "data" / name) for name in ("train/x.npy", "train/y.npy")
    }
    external = definition["externalParameters"]
    assert external["step"] == "prepare"
    assert external["parameters_sha256"] == sha256_value({"data_seed": 0})
    assert str(tmp_path) not in json.dumps({**found, "predicate": definition})
    assert recorded(found)["environment"]["installed"] == FACTS


def test_packages_are_named_by_package_url_and_digest(tmp_path: Path, outputs: list[Path]) -> None:
    definition = read(made(tmp_path, outputs))["predicate"]["buildDefinition"]
    packages = [d for d in definition["resolvedDependencies"] if "uri" in d]
    assert packages == [
        {"uri": "pkg:conda/python@3.11.15?build=h1_0", "digest": {"sha256": "a" * 64}},
        {"uri": "pkg:pypi/tensorflow@2.21.0%2Bc", "digest": {"sha256": "b" * 64}},
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_urls_are_what_their_own_library_reads(package: dict[str, str]) -> None:
    found = PackageURL.from_string(purl(package))
    assert (found.name, found.version) == (package["name"], package["version"])
    assert found.qualifiers == ({"build": package["build"]} if "build" in package else {})
    assert found.to_string() == purl(package)


def test_the_statement_is_what_in_totos_own_library_reads(
    tmp_path: Path, outputs: list[Path]
) -> None:
    content = read(made(tmp_path, outputs))
    found = Statement.copy_from_pb(ParseDict(content, statement_pb2.Statement()))
    found.validate()
    assert [s.name for s in found.pb.subject] == [s["name"] for s in content["subject"]]
    provenance = ParseDict(
        content["predicate"], provenance_pb2.Provenance(), ignore_unknown_fields=True
    )
    definition = content["predicate"]["buildDefinition"]
    assert provenance.build_definition.build_type == definition["buildType"]
    told = provenance.build_definition.resolved_dependencies
    assert [d.name or d.uri for d in told] == [
        d.get("name", d.get("uri")) for d in definition["resolvedDependencies"]
    ]
    for descriptor in told:
        ResourceDescriptor.copy_from_pb(descriptor).validate()


@pytest.mark.parametrize(
    "changed",
    [
        {"names": {"step": "other"}},
        {"names": {}},
        {"installed": {**INSTALLED, "lock": "sha256:0"}},
        {"installed": {**INSTALLED, "channel": "somewhere"}},
        {"environment": {}},
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


def rewritten(path: Path, change: Any) -> None:
    """Alter what a manifest says, and seal it again, as someone would who knows how."""
    value = json.loads(path.read_text())
    change(value)
    recorded(value)["sha256"] = sealed(value)
    path.write_text(pretty(value))


def subject(name: str, times: int = 1) -> Any:
    def change(value: dict[str, Any]) -> None:
        value["subject"] += [{"name": name, "digest": {"sha256": "0" * 64}}] * times

    return change


def newer(value: dict[str, Any]) -> None:
    recorded(value)["format"] = FORMAT + 1


def set_at(value: dict[str, Any], key: str) -> None:
    value["predicate"][key] = {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (newer, f"in format {FORMAT} or older. Received format {FORMAT + 1}, of a newer version"),
        (subject("../secret"), "'../secret', which leads elsewhere"),
        (subject("/etc/passwd"), "'/etc/passwd', which leads elsewhere"),
        (subject("data/../a.txt"), "which leads elsewhere"),
        (subject("./a.txt"), "which leads elsewhere"),
        (subject("b.txt", 2), "'b.txt', which stands there twice"),
        (lambda value: set_at(value, "more"), "Expected only known keys"),
        (lambda value: value.pop("subject"), "Expected the key `subject`"),
    ],
)
def test_a_well_formed_manifest_that_means_harm_is_refused(
    tmp_path: Path, outputs: list[Path], change: Any, told: str
) -> None:
    path = made(tmp_path, outputs)
    rewritten(path, change)
    with pytest.raises(UserError, match=re.escape(told)):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"subject": [', '"subject": [], "subject": [', "the key 'subject' stands twice"),
        ('"data_seed": 0', '"data_seed": NaN', "NaN is no number"),
        ('"data_seed": 0', '"data_seed": ' + "[" * 100_000, "cannot be read as one"),
        ('"data_seed": 0', '"data_seed": ' + "9" * 10_000, "cannot be read as one"),
        ('"data_seed": 0', '"data_seed": 0.0', "Received an altered file"),
        ('"data_seed": 0', '"data_seed":  0', "Received an altered file"),
        ('"data_seed": 0', '"data_seed": 1', "Received an altered file"),
        ('"run": "original"', '"run": "repeat"', "Received an altered file"),
        ("{", "\ufeff{", "cannot be read as one"),
    ],
)
def test_an_altered_text_is_refused(
    tmp_path: Path, outputs: list[Path], old: str, new: str, told: str
) -> None:
    path = made(tmp_path, outputs)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(UserError, match=re.escape(told)):
        read(path)


def test_a_huge_one_is_refused_before_it_is_read(tmp_path: Path, outputs: list[Path]) -> None:
    path = made(tmp_path, outputs)
    with path.open("r+b") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(UserError, match=f"{LARGEST} are the most"):
        read(path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    (folder / "a.txt").touch()
    (folder / "data").mkdir()
    return made(folder, [folder / "a.txt"]).read_bytes()


@st.composite
def damages(draw: st.DrawFn) -> Any:
    """A way to damage a text: cut it, repeat a part, or put other bytes in some place."""
    start, length = draw(st.floats(0, 1)), draw(st.integers(0, 40))
    more = draw(st.binary(max_size=8))

    def damaged(text: bytes) -> bytes:
        at = int(start * len(text))
        return text[:at] + more + text[at + length :]

    return damaged


@settings(max_examples=300)
@given(damages())
def test_no_damage_passes_and_none_ends_in_another_error(good: bytes, damaged: Any) -> None:
    content = damaged(good)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.manifest.json"
        path.write_bytes(content)
        if content == good:
            read(path)
            return
        with pytest.raises(UserError, match=r"data\.manifest\.json"):
            read(path)


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_whatever_bytes_are_there_end_in_a_sentence(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.manifest.json"
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"data\.manifest\.json"):
            read(path)


KEPT = sorted((Path(__file__).parents[1] / "archives" / "manifests").glob("format-*/*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_manifests_of_every_format_are_read(path: Path) -> None:
    assert f"format-{recorded(read(path))['format']}" == path.parent.name


def test_there_is_one_of_each_step_in_the_present_format() -> None:
    present = [json.loads(p.read_text()) for p in KEPT if p.parent.name == f"format-{FORMAT}"]
    steps = {v["predicate"]["buildDefinition"]["externalParameters"]["step"] for v in present}
    assert steps == {"code", "prepare", "train", "evaluate", "probe", "compare"}
