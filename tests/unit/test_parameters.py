"""The parameters of each step: the text that manifests hold, and what is read back from it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from repro.core.canonical_json import canonical, decoded
from repro.core.config import Experiment, resolve
from repro.core.parameters import (
    BY_STEP,
    CompareParameters,
    EquivalencePlan,
    TrainParameters,
)
from samples import configuration

ROOT = Path(__file__).parents[2]
SETTINGS = '"settings":{"dropout":0.3,"filters":32}'
THREADS = '"threads":{"inter":1,"intra":2}'
TRAINING = f'"training":{{"batch_size":64,"epochs":30,"loop":"auto",{THREADS},"trace":"step"}}'
EQUIVALENCE = '"equivalence":{"budget":16,"margin":{},"spread":2.0}'
DATA = (
    '"data":{"":{"path":"workflow/experiments/digits.csv.gz","sha256":'
    '"09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"}}'
)
FACTORS = (
    '"factors":["hash seed","time zone","locale","umask","environment size","home",'
    '"temporary folder","working directory","file times","paths","listing order","clock",'
    '"process","processors","caches","network"]'
)
TEXTS = {
    "prepare": f'{{{DATA},"data_seed":0,{SETTINGS},'
    f'"split":{{"test":0.1,"train":0.8,"validation":0.1}},{THREADS}}}',
    "train": f'{{"limit":null,"seed":0,{SETTINGS},{THREADS},{TRAINING}}}',
    "evaluate": f'{{"batch_size":64,"seed":0,{SETTINGS},{THREADS}}}',
    "probe": f'{{"seed":0,{SETTINGS},{THREADS},{TRAINING}}}',
    "cost": f'{{"seed":0,{SETTINGS},{THREADS},{TRAINING}}}',
    "look": f'{{{EQUIVALENCE},"repeats":1,{THREADS}}}',
    "compare": f'{{{EQUIVALENCE},{FACTORS},"goal":"bitwise","repeat":"full","repeats":1,'
    f'"search":{{"trials":24}},"seeds":[0],{THREADS}}}',
    "report": f"{{{THREADS}}}",
}
"""Of config/config.yaml: they stand in manifests, and another text makes every result again."""


@pytest.fixture(scope="module")
def example() -> Experiment:
    value = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    return resolve(value)["digits"]


def test_every_step_has_a_text() -> None:
    assert TEXTS.keys() == BY_STEP.keys()


@pytest.mark.parametrize("step", TEXTS)
def test_the_text_of_the_example_stays_as_it_was(step: str, example: Experiment) -> None:
    parameters = example.parameters(step)
    assert canonical(parameters) == TEXTS[step]
    assert parameters.json() == json.loads(TEXTS[step])


OTHERS: list[dict[str, Any]] = [
    {"repeat": {"steps": 3}, "settings": {"a": [1, {"b": None}], "c": 1e-3}},
    {"goal": "metrics", "seeds": "auto", "equivalence": {"margin": {"accuracy": 0.01}}},
    {"data": {n: {"path": n, "sha256": "0" * 64, "address": "here"} for n in ("a", "b")}},
]


@pytest.mark.parametrize("step", TEXTS)
@pytest.mark.parametrize("changes", OTHERS)
def test_what_is_read_back_is_the_same(step: str, changes: dict[str, Any]) -> None:
    parameters = resolve(configuration(**changes))["digits"].parameters(step, "repeat", 7)
    again = decoded(BY_STEP[step], json.loads(canonical(parameters)))
    assert again == parameters
    assert canonical(again) == canonical(parameters)


def test_a_whole_number_stays_one() -> None:
    shares = {"train": 1, "validation": 0, "test": 0.0}
    text = canonical({**json.loads(TEXTS["prepare"]), "split": shares})
    assert canonical(decoded(BY_STEP["prepare"], json.loads(text))) == text


MANIFESTS = sorted((ROOT / "tests/archives/manifests").glob("*/*.manifest.json"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_parameters_of_earlier_versions_are_read(path: Path) -> None:
    asked = json.loads(path.read_bytes())["predicate"]["buildDefinition"]["externalParameters"]
    if asked["step"] == "code":
        assert asked["parameters"] == {}
        return
    found = decoded(BY_STEP[asked["step"]], asked["parameters"]).json()
    assert {key: found[key] for key in asked["parameters"]} == asked["parameters"]


def test_what_an_earlier_version_did_not_ask_for_is_as_by_default(example: Experiment) -> None:
    assert example.equivalence == EquivalencePlan()
    old = json.loads(TEXTS["compare"])
    del old["equivalence"]
    assert decoded(CompareParameters, old).equivalence == EquivalencePlan()


def test_what_a_later_version_asks_for_is_left_out() -> None:
    later = {**json.loads(TEXTS["train"]), "colour": "red"}
    assert canonical(decoded(TrainParameters, later)) == TEXTS["train"]


def test_a_key_without_a_default_must_be_there() -> None:
    old = json.loads(TEXTS["train"])
    del old["training"]
    with pytest.raises(TypeError, match="training"):
        decoded(TrainParameters, old)


@pytest.mark.parametrize(
    ("repeat", "full", "limit"),
    [("full", True, None), (False, False, None), ({"steps": 3}, False, {"steps": 3})],
)
def test_how_far_a_repeat_goes(repeat: Any, full: bool, limit: Any) -> None:
    parameters = resolve(configuration(repeat=repeat))["digits"].parameters("compare")
    assert isinstance(parameters, CompareParameters)
    assert (parameters.full, parameters.limit) == (full, limit)
