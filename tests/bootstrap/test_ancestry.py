"""./run manifest: what a file came from, back to the sources, as text, JSON and picture."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from repro.audit.ancestry import Ancestry, ancestry
from repro.audit.graph import svg
from repro.audit.show import text, values
from repro.core.digest import sha256_file, sha256_tree
from repro.core.errors import UserError
from repro.record import manifest
from small_results import SOURCES, Project, write
from verbs import manifest as command

STEPS = {
    "results/code.manifest.json",
    "results/tiny/probe.manifest.json",
    "results/tiny/verdict.manifest.json",
    *(
        f"results/tiny/{run}/{name}.manifest.json"
        for run in ("original", "repeat")
        for name in ("data", "seed-0/train", "seed-0/evaluate")
    ),
}


def steps(found: Ancestry) -> set[str]:
    return {node.id for node in found.nodes.values() if node.kind == "step"}


def inputs(found: Ancestry) -> dict[str, str]:
    """The digest of every input from outside, by its name."""
    nodes = [node for node in found.nodes.values() if node.kind == "input"]
    return {n.facts["name"]: next(iter(n.facts["digest"].values())) for n in nodes}


def test_a_verdict_comes_from_every_step_and_from_all_that_is_outside(small: Project) -> None:
    found = ancestry(small.results / "tiny/verdict.json")
    assert steps(found) == STEPS
    outside = inputs(found)
    assert outside["data"] == sha256_file(small.folder / "raw data.csv")
    assert outside["experiment"] == sha256_tree(small.folder / "tiny")
    assert outside["conda-lock.yml"] == sha256_file(small.folder / "conda-lock.yml")
    assert outside["Snakefile"] == sha256_file(small.folder / "Snakefile")
    assert not [part for part in (*found.nodes.values(), *found.edges) if part.trouble]


def test_an_output_comes_from_the_steps_before_it_alone(small: Project) -> None:
    found = ancestry(small.results / "tiny/repeat/seed-0/weights.safetensors")
    train = "results/tiny/repeat/seed-0/train.manifest.json"
    data = "results/tiny/repeat/data.manifest.json"
    assert steps(found) == {train, data, "results/code.manifest.json"}
    edge = next(edge for edge in found.edges if (edge.child, edge.parent) == (train, data))
    assert edge.names == ("data", "data.manifest")


def test_a_manifest_itself_may_be_asked_for(small: Project) -> None:
    found = ancestry(small.results / "tiny/original/data.manifest.json")
    assert next(iter(found.nodes)) == "results/tiny/original/data.manifest.json"
    assert steps(found) == {next(iter(found.nodes)), "results/code.manifest.json"}


def test_text_tells_everything_once(small: Project) -> None:
    told = text(ancestry(small.results / "tiny/verdict.json"))
    for step in STEPS:
        assert told.count(f"({step})") == 1
    for name in ("experiment", "conda-lock.yml"):
        assert told.count(inputs(ancestry(small.results / "tiny/verdict.json"))[name]) == 1
    assert "made by train of tiny, repeat, seed 0" in told
    assert told.count("with Python 3.11.2, tensorflow 2.21.0") == 1
    assert '"epochs":20' in told
    assert "!!" not in told


def test_json_holds_every_node_every_edge_and_the_manifests_in_whole(small: Project) -> None:
    found = ancestry(small.results / "tiny/verdict.json")
    told = json.loads(json.dumps(values(found)))
    assert {node["id"] for node in told["nodes"]} == set(found.nodes)
    ends = {(edge["child"], edge["parent"]) for edge in told["edges"]}
    assert ends == {(edge.child, edge.parent) for edge in found.edges}
    node = next(n for n in told["nodes"] if n["id"] == "results/tiny/verdict.manifest.json")
    assert node["manifest"] == manifest.read(small.results / "tiny/verdict.manifest.json")


def drawn(found: Ancestry) -> set[str]:
    """The words of each node of the picture."""
    space = "{http://www.w3.org/2000/svg}"
    groups = ElementTree.fromstring(svg(found)).iter(f"{space}g")
    nodes = [group for group in groups if group.get("class") == "node"]
    return {" ".join(str(text.text) for text in node.iter(f"{space}text")) for node in nodes}


def test_the_picture_has_every_step_and_the_sources_as_one_node(small: Project) -> None:
    words = drawn(ancestry(small.results / "tiny/verdict.json"))
    runs = [f"{step} tiny, {run}" for run in ("original", "repeat")
            for step in ("prepare", "train", "evaluate")]  # fmt: skip
    runs = [f"{run}, seed 0" if "prepare" not in run else run for run in runs]
    assert {"code", "compare tiny", "probe tiny, original", *runs} <= words
    others = {word.split()[0] for word in words if "tiny" not in word}
    assert others == {
        "code",
        "verdict.json",
        "data",
        "experiment",
        "conda-lock.yml",
        str(len(SOURCES)),
    }


def test_the_picture_of_a_name_with_odd_signs_can_be_read(small: Project) -> None:
    small.results.rename(small.folder / 'a "b" <c> & é')
    found = ancestry(small.folder / 'a "b" <c> & é' / "tiny/verdict.md")
    assert any(word.startswith("verdict.md") for word in drawn(found))


Break = Callable[[Project], object]
TRAIN = "tiny/original/seed-0/train.manifest.json"
WEIGHTS = "tiny/original/seed-0/weights.safetensors"


def remade(small: Project) -> None:
    """Training again, with other weights, after the evaluation."""
    write(small.results / WEIGHTS, "others")
    folder = small.results / "tiny/original"
    used = {
        **small.always(),
        "data": folder / "data",
        "data.manifest": folder / "data.manifest.json",
    }
    names = {"run": "original", "seed": 0}
    small.claim("train", names, used, "tiny/original/seed-0", "train", "weights.safetensors")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: (p.results / TRAIN).unlink(), "!! missing"),
        (lambda p: write(p.results / TRAIN, "{}"), "!! train.manifest.json: Expected"),
        (lambda p: (p.results / WEIGHTS).unlink(), f"!! results/{WEIGHTS} is no longer.*missing"),
        (lambda p: write(p.results / WEIGHTS, "x"), f"!! results/{WEIGHTS} is no longer.*in place"),
        (remade, f"!! results/{TRAIN} is no longer what was used"),
        (lambda p: write(p.results / "tiny/original/data/test/y.npy", ""), "/data is no longer"),
    ],
)
def test_what_is_missing_or_another_is_told_and_the_rest_all_the_same(
    change: Break, words: str, small: Project
) -> None:
    change(small)
    found = ancestry(small.results / "tiny/verdict.json")
    told = text(found)
    assert re.search(words, told)
    assert "(results/tiny/repeat/seed-0/train.manifest.json)" in told
    assert svg(found).startswith(b"<?xml")


def test_a_file_changed_since_it_was_made_is_told(small: Project) -> None:
    write(small.results / "tiny/verdict.md", "other words\n")
    found = ancestry(small.results / "tiny/verdict.md")
    assert "!! was" in text(found).splitlines()[0]


def test_a_manifest_alone_tells_what_it_can(small: Project, tmp_path: Path) -> None:
    alone = write(
        tmp_path / "x/code.manifest.json", (small.results / "code.manifest.json").read_bytes()
    )
    assert steps(ancestry(alone)) == {"x/code.manifest.json"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", "Expected an output or a manifest at .*none"),
        ("tiny", "Expected an output or a manifest"),
        ("odd.txt", "Expected a file that a manifest claims"),
        ("broken.manifest.json", "Expected a manifest at broken.manifest.json"),
    ],
)
def test_what_nothing_is_known_of_is_a_mistake(name: str, words: str, small: Project) -> None:
    write(small.results / "odd.txt", "")
    write(small.results / "broken.manifest.json", "{")
    with pytest.raises(UserError, match=words):
        ancestry(small.results / name)


def test_the_verb_prints_or_draws(
    small: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(small.folder)
    file = "results/tiny/verdict.json"
    assert command.main([file]) == 0
    assert capsys.readouterr().out == text(ancestry(Path(file)))
    assert command.main([file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        json.dumps(values(ancestry(Path(file))))
    )
    assert command.main([file, "--svg", "out/a.svg"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (small.folder / "out/a.svg").read_bytes() == svg(ancestry(Path(file)))
