"""Documented: what is not bound or not known is named; and the paragraph for a paper."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from repro.compare.divergence import Divergence
from repro.compare.runs import Comparison
from repro.record.statement import EXTENSION
from repro.record.step import Step
from repro.stats.goal_answer import Answer
from repro.verdict.case import Case, Context
from repro.verdict.completeness import gaps
from repro.verdict.methods import methods
from samples import asked

KEPT = Path(__file__).parents[1] / "archives/manifests/format-1/train.manifest.json"
MANIFEST = json.loads(KEPT.read_text("utf-8"))


@pytest.fixture
def predicate() -> dict[str, Any]:
    return deepcopy(MANIFEST["predicate"])


def found(
    folder: Path, predicate: dict[str, Any], name: str = "train"
) -> tuple[list[str], list[str]]:
    path = folder / "original/seed-0/train.manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(KEPT.read_bytes())  # it claims the outputs of a training
    (path.parent / "trace.jsonl").write_text("")
    predicate["buildDefinition"]["externalParameters"]["step"] = name
    subject = [{"name": "trace.jsonl", "digest": {"sha256": ""}}]
    return gaps(folder, [Step(path, {"subject": subject, "predicate": predicate})])


def test_a_real_training_has_no_gaps(tmp_path: Path, predicate: dict[str, Any]) -> None:
    assert found(tmp_path, predicate) == ([], [])


def test_a_file_that_no_manifest_claims_is_named(tmp_path: Path, predicate: dict[str, Any]) -> None:
    found(tmp_path, predicate)
    (tmp_path / "original/seed-0/mine.txt").write_text("mine")
    assert found(tmp_path, predicate)[0] == ["no manifest claims original/seed-0/mine.txt"]


def test_what_an_earlier_repeat_left_is_claimed(tmp_path: Path, predicate: dict[str, Any]) -> None:
    found(tmp_path, predicate)
    seed = tmp_path / "original/seed-0"
    evaluated = KEPT.with_name("evaluate.manifest.json")
    (seed / evaluated.name).write_bytes(evaluated.read_bytes())
    (seed / "metrics.json").write_text("{}")
    assert found(tmp_path, predicate)[0] == []


def test_what_has_no_digest_is_named(tmp_path: Path, predicate: dict[str, Any]) -> None:
    used = predicate["buildDefinition"]["resolvedDependencies"]
    next(one for one in used if one.get("name") == "data")["digest"] = {}
    assert found(tmp_path, predicate)[0] == ["original, train: no digest of data"]


@pytest.mark.parametrize(
    ("path", "gpu", "told"),
    [
        (("cpu", "model"), [], True),
        (("system", "libc"), [], True),
        (("bits", "instruction sets of oneDNN"), [], True),
        (("bits", "instruction sets of Eigen"), [], False),
        (("bits", "cuDNN"), [], False),
        (("bits", "cuDNN"), ["a GPU"], True),
        (("cuda", "driver"), [], False),
        (("cuda", "driver"), ["a GPU"], True),
    ],
)
def test_what_could_be_known_is_told(
    path: tuple[str, str], gpu: list[str], told: bool, tmp_path: Path, predicate: dict[str, Any]
) -> None:
    environment = predicate[EXTENSION]["environment"]
    environment["gpu"] = gpu
    environment[path[0]][path[1]] = {"unknown": "it was hidden"}
    name = f"{path[0]}/{path[1]} is unknown (it was hidden)"
    for step in ("train", "evaluate"):
        assert (name in found(tmp_path, predicate, step)[1]) == told


def case(divergence: Divergence | None = None, **changed: Any) -> Case:
    factors = [{"factor": "clock", "varied": True, "how": "later"}]
    context = Context("this machine (A)", 1, factors, [], trained=Step(KEPT, MANIFEST))
    comparisons = [Comparison("repeat", 0, divergence, {})]
    values: dict[str, Any] = {"comparisons": comparisons, **changed}
    return Case("digits", asked(), context=context, causes=(), trials=(), mistakes=(), **values)


def test_the_paragraph_tells_n_scope_and_bound() -> None:
    text = methods(case(), {"bitwise": Answer("met", "")})
    assert "TensorFlow 2.21.0, Keras 3.15.1 and NumPy 2.4.6, in an" in text
    assert (
        "Everything was executed again once with seed 0, in processes of their own, with 1 "
        "factor varied that must not matter, from the raw data to the predictions: every bit that "
        "was compared was the same. Where: this machine (A). The result is the same, bit for bit, "
        "within that scope, which is one setup. 1 repeat cannot rule out a rare race"
    ) in text


def test_the_paragraph_tells_what_a_reader_could_not_guess() -> None:
    statement = deepcopy(MANIFEST)
    given = statement["predicate"]["buildDefinition"]["externalParameters"]
    given["parameters"]["training"] |= {
        "drop_remainder": True, "best_epoch": {"monitor": "val_accuracy", "mode": "auto"},
    }  # fmt: skip
    given["parameters"]["pretrained"] = {"": {"path": "models/base.h5", "sha256": "ab" * 32}}
    statement["predicate"][EXTENSION]["process"]["class_weight"] = {"0": 1.0, "1": 12.5}
    told = case()
    told = replace(told, context=replace(told.context, trained=Step(KEPT, statement)))
    assert (
        "It began with weights from elsewhere (base.h5, sha256 abababababab…). In each epoch the "
        "examples that fill no whole batch were left out. Training examples were weighted by their "
        "class (0: 1 and 1: 12.5). The weights of the epoch with the largest val_accuracy were "
        "evaluated. Everything was executed again"
    ) in methods(told, {"bitwise": Answer("met", "")})


def test_the_paragraph_claims_no_more_than_was_found() -> None:
    diverged = case(Divergence("weights", 0, 3, "dense/kernel"))
    text = methods(diverged, {"bitwise": Answer("not met", ""), "documented": Answer("met", "")})
    assert "1 of 1 comparison diverged" in text
    assert "within that scope" not in text
    assert "documented and can be executed again; more is not claimed" in text
    assert "rule out" not in text
    alone = methods(case(comparisons=[]), {"bitwise": Answer("inconclusive", "")})
    assert "It was not repeated. None of the goals" in alone


def test_the_paragraph_of_a_part_says_so() -> None:
    stopped = [Comparison("repeat", 0, None, {}, {"steps": 1})]
    text = methods(case(comparisons=stopped), {"bitwise": Answer("met", "")})
    assert "As far as it was repeated, the result is the same, bit for bit" in text


def test_the_paragraph_tells_of_a_nondeterministic_evaluation() -> None:
    restless = case()
    inference = [{"run": "original", "seed": 0, "same": False}]
    restless = replace(restless, context=replace(restless.context, inference=inference))
    text = methods(restless, {"bitwise": Answer("not met", ""), "documented": Answer("met", "")})
    assert "The same weights, evaluated twice, gave other bits." in text


def test_what_a_paragraph_would_rest_on_may_be_missing() -> None:
    none = Case("x", asked(), [], Context("", 1, [], []), (), (), ())
    assert methods(none, {}) == ""
