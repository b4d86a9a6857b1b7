"""The configuration: defaults, a sentence for every mistake, and what each step depends on."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from repro.cause.explain import LOOKS
from repro.cause.fault_isolation import Trial, search
from repro.core.canonical_json import canonical, decoded
from repro.core.config import Experiment, check_files, filled, resolve
from repro.core.digest import sha256_tree
from repro.core.errors import UserError
from repro.core.parameters import BestEpoch
from samples import configuration, entry


def digits(**changes: Any) -> Experiment:
    return resolve(configuration(**changes))["digits"]


def refusal(value: Any) -> str:
    with pytest.raises(UserError) as error:
        resolve(value)
    return str(error.value)


def test_defaults_are_filled_in() -> None:
    found = digits()
    assert found.training.epochs == 20
    assert found.training.batch_size == 64
    assert (found.training.loop, found.training.trace) == ("auto", "step")
    assert (found.training.threads.intra, found.training.threads.inter) == (2, 1)
    assert found.split == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert (found.seeds, found.data_seed, found.settings) == ((0,), 0, {})
    assert (found.goal, found.repeat, found.repeats) == ("bitwise", "full", 1)
    assert found.environment == "keras"


def test_a_part_of_training_keeps_the_other_defaults() -> None:
    found = digits(training={"threads": {"inter": 3}})
    assert (found.training.threads.intra, found.training.threads.inter) == (2, 3)
    assert found.training.epochs == 20


def test_limits_that_are_named_are_those_of_prepare() -> None:
    assert "limits" not in digits().parameters("prepare").json()
    found = digits(limits={"rows": 500}).parameters("prepare")
    assert found.json()["limits"] == {"rows": 500}
    for wrong in ({"rows": 0}, {"bytes": 5}, {"mebibytes": "much"}):
        assert "limits" in refusal(configuration(limits=wrong))


def test_one_source_and_several_are_told_apart() -> None:
    one = {"path": "a", "sha256": "1" * 64}
    assert set(digits(data=one).data) == {""}
    assert set(digits(data={"left": one, "right": one}).data) == {"left", "right"}


def test_data_may_be_left_out_and_so_may_the_share_of_a_test_part_that_is_given() -> None:
    left_out = {name: value for name, value in entry().items() if name != "data"}
    found = resolve({"experiments": {"digits": left_out}})["digits"]
    assert found.data == {}
    assert found.sources == []
    given = {"train": 0.8, "validation": 0.2, "test": 0}
    assert digits(split=given).split == given


def test_a_bare_off_of_yaml_means_off() -> None:
    value = yaml.safe_load("off")
    assert value is False
    assert digits(repeat=value).repeat == "off"


@pytest.mark.parametrize(
    ("text", "seconds"), [("off", None), ('"off"', None), ("0", 0), ("600", 600)]
)
def test_checkpoints_come_so_often_or_never(text: str, seconds: int | None) -> None:
    found = digits(training={"checkpoint": yaml.safe_load(text)})
    assert found.checkpoint == seconds
    assert digits().checkpoint == 60


def test_how_often_checkpoints_come_is_no_parameter_of_any_step() -> None:
    one, two = digits(), digits(training={"checkpoint": 0})
    for step in ("prepare", "train", "evaluate", "probe", "compare"):
        assert one.parameters(step, seed=0) == two.parameters(step, seed=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"drop_remainder": True},
        {"best_epoch": {}},
        {"best_epoch": {"monitor": "val_f2", "mode": "max"}},
        {"class_weight": "balanced"},
        {"class_weight": {0: 1, 1: 2.5}},
    ],
    ids=str,
)
def test_what_was_added_changes_nothing_where_it_is_not_used(changes: dict[str, Any]) -> None:
    """The digests of what older configurations made, and the bytes of their archives, stay."""
    without = digits()
    text = canonical(without.parameters("train", seed=0))
    assert text == (
        '{"limit":null,"seed":0,"settings":{},"threads":{"inter":1,"intra":2},"training":'
        '{"batch_size":64,"epochs":20,"loop":"auto","threads":{"inter":1,"intra":2},'
        '"trace":"step"}}'
    )
    written: Any = filled(configuration(), "digits")
    assert not set(changes) & set(written["experiments"]["digits"]["training"])
    used = digits(training=changes)
    for step in ("train", "probe", "cost"):
        assert used.parameters(step, seed=0) != without.parameters(step, seed=0)
        found = used.parameters(step, seed=0)
        assert decoded(type(found), json.loads(canonical(found))) == found
    for step in ("prepare", "evaluate", "compare"):
        assert used.parameters(step, seed=0) == without.parameters(step, seed=0)


@pytest.mark.parametrize(
    ("monitor", "direction"),
    [("val_loss", "min"), ("left_loss", "min"), ("val_mean_absolute_error", "min"), ("mse", "min"),
     ("val_accuracy", "max"), ("acc", "max"), ("val_auc_3", "max"), ("out_recall_1", "max"),
     ("val_kl_divergence", "min"), ("val_f1_score", "max"), ("val_perplexity", None),
     ("r2_score", "max"), ("val_brier_score", "min")],
)  # fmt: skip
def test_a_name_says_which_value_is_better(monitor: str, direction: str | None) -> None:
    assert BestEpoch(monitor).direction == direction
    assert BestEpoch(monitor, "max").direction == "max"


def test_classes_may_be_numbers_or_text() -> None:
    one, other = ({"class_weight": value} for value in ({0: 1.0, 1: 5.0}, {"0": 1.0, "1": 5.0}))
    assert digits(training=one) == digits(training=other)
    text = yaml.safe_load("{0: 1.0, 1: 5.0}")
    assert digits(training={"class_weight": text}).training.class_weight == {"0": 1.0, "1": 5.0}


FOLDS = """
experiments:
  fold-0: &fold
    code: folds.py
    data: {path: table.csv, sha256: "%s"}
    training: {epochs: 3}
    settings: {fold: 0, folds: 2}
  fold-1: {<<: *fold, settings: {fold: 1, folds: 2}}
"""


def test_folds_are_experiments_that_differ_in_their_settings_alone() -> None:
    one, other = resolve(yaml.safe_load(FOLDS % ("0" * 64))).values()
    assert (one.settings["fold"], other.settings["fold"]) == (0, 1)
    assert replace(one, settings=other.settings) == other


def test_defaults_are_not_shared_between_experiments() -> None:
    both = resolve({"experiments": {"a": entry(), "b": entry()}})
    assert both["a"].split is not both["b"].split


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"traning": {}}, ["experiments.digits", "`traning`", "Did you mean `training`?"]),
    ({"training": {"epoch": 3}}, ["experiments.digits.training", "`epoch`", "`epochs`"]),
    ({"zzz": 1}, ["`zzz`", "Known keys:", "code"]),
    ({"training": {"epochs": "3"}}, ["training.epochs", "integer", '"3"']),
    ({"training": {"epochs": 0}}, ["training.epochs", "at least 1", "Received 0"]),
    ({"training": {"epochs": 2.0}}, ["training.epochs", "integer", "2.0"]),
    ({"training": {"epochs": True}}, ["training.epochs", "integer", "true"]),
    ({"training": {"batch_size": -1}}, ["training.batch_size", "at least 1", "-1"]),
    ({"training": {"threads": {"intra": 0}}}, ["training.threads.intra", "at least 1"]),
    ({"training": {"loop": "fast"}}, ["training.loop", "auto", "graph", "fit", "fast"]),
    ({"training": {"checkpoint": -1}}, ["training.checkpoint", "seconds", "or off", "-1"]),
    ({"training": {"checkpoint": True}}, ["training.checkpoint", "or off", "true"]),
    ({"training": None}, ["experiments.digits.training", "object", "null"]),
    ({"training": {"drop_remainder": 1}}, ["training.drop_remainder", "boolean", "1"]),
    ({"training": {"best_epoch": {"mode": "best"}}}, ["best_epoch.mode", "min", "max", "best"]),
    ({"training": {"best_epoch": "val_loss"}}, ["best_epoch", "object", "val_loss"]),
    ({"training": {"best_epoch": {"metric": "a"}}}, ["best_epoch", "`metric`", "monitor"]),
    ({"training": {"best_epoch": {"monitor": "val_f2"}}}, ["best_epoch.mode", "val_f2", "better"]),
    ({"training": {"class_weight": "auto"}}, ["training.class_weight", "balanced", "auto"]),
    ({"training": {"class_weight": {}}}, ["training.class_weight", "at least 1 key"]),
    ({"training": {"class_weight": {0: -1}}}, ["training.class_weight.0", "at least 0", "-1"]),
    ({"training": {"class_weight": {"a": 1}}}, ["training.class_weight", '"a"', "Rename"]),
    ({"training": {"class_weight": {-1: 1}}}, ["training.class_weight", '"-1"', "Rename"]),
    ({"training": {"class_weight": {True: 1}}}, ["class_weight", "text as keys", "True"]),
    ({"seeds": ["a"]}, ["seeds.0", "integer", '"a"']),
    ({"seeds": [1.5]}, ["seeds.0", "integer", "1.5"]),
    ({"seeds": [1.0]}, ["seeds.0", "integer", "1.0"]),
    ({"seeds": [True]}, ["seeds.0", "integer", "true"]),
    ({"seeds": [-1]}, ["seeds.0", "at least 0", "-1"]),
    ({"seeds": [2**63]}, ["seeds.0", "at most", str(2**63)]),
    ({"seeds": [1, 1]}, ["experiments.digits.seeds", "no item twice"]),
    ({"seeds": []}, ["experiments.digits.seeds", "at least 1"]),
    ({"seeds": 0}, ["experiments.digits.seeds", "array", "0"]),
    ({"seeds": "all"}, ["experiments.digits.seeds", "auto", "all"]),
    ({"seeds": "auto"}, ["goal: metrics", "seeds: auto", "goal: bitwise", "List the seeds"]),
    ({"seeds": "auto", "goal": "metrics", "repeat": "off"}, ["repeat: full", "repeat: off"]),
    ({"equivalence": {"margin": {"accuracy": 0}}}, ["equivalence.margin.accuracy", "0"]),
    ({"equivalence": {"spread": -1}}, ["equivalence.spread", "-1"]),
    ({"equivalence": {"budget": 4}}, ["equivalence.budget", "at least 8", "4"]),
    ({"data_seed": "x"}, ["data_seed", "integer", '"x"']),
    ({"split": {"train": 0.8, "validation": 0.1, "test": 0.2}}, ["split", "sum to 1", "1.1"]),
    ({"split": {"train": 0.0, "validation": 0.5, "test": 0.5}}, ["split.train", "above 0"]),
    ({"split": {"train": 0.9, "test": 0.1}}, ["split", "`validation`"]),
    ({"split": {"train": -0.1, "validation": 0.6, "test": 0.5}}, ["split.train", "at least 0"]),
    ({"split": {"train": math.nan, "validation": 0, "test": 1}}, ["split.train", "finite", "nan"]),
    ({"goal": "exact"}, ["goal", "bitwise", "exact"]),
    ({"repeat": {"epochs": 0}}, ["repeat", "N at least 1"]),
    ({"repeat": {"epochs": 20}}, ["repeat.epochs", "below the 20", "Say `repeat: full`"]),
    ({"repeat": {"epochs": 1, "steps": 1}}, ["repeat", "full, off"]),
    ({"repeat": 0}, ["repeat", "full, off", "Received 0"]),
    ({"repeat": True}, ["repeat", "full, off", "true"]),
    ({"repeats": 0}, ["repeats", "at least 1", "0"]),
    *(
        (
            {"search": {"trials": n}},
            ["search.trials", "0, which searches nothing", "4 to 999", str(n)],
        )
        for n in (-1, 1, 2, 3, 1000)
    ),
    ({"search": {"trials": True}}, ["search.trials", "4 to 999", "true"]),
    ({"search": {"trials": 0.0}}, ["search.trials", "4 to 999", "0.0"]),
    ({"settings": {"rate": "1e-3"}}, ["settings.rate", "decimal point", "1e-3", "1.0e-3"]),
    ({"settings": {"rate": "1.0e3"}}, ["settings.rate", "1.0e3", "text"]),
    ({"settings": {"rates": [["2E5"]]}}, ["settings.rates", "2E5"]),
    ({"settings": {"rate": math.inf}}, ["settings.rate", "finite", "inf"]),
    ({"settings": {True: 1}}, ["settings", "text as keys", "True", "quotes"]),
    ({"settings": {"day": yaml.safe_load("2020-01-02")}}, ["settings.day", "date", "quotes"]),
    ({"data": "file.csv"}, ["experiments.digits.data", "object", "file.csv"]),
    ({"data": {"path": "a"}}, ["`sha256`", "experiments.digits.data", "Add it"]),
    ({"data": {"path": "a", "sha256": "A" * 64}}, ["data.sha256", "matches"]),
    ({"data": {"path": "a", "sha": "0" * 64}}, ["experiments.digits.data"]),
    ({"data": {}}, ["experiments.digits.data", "at least 1"]),
    ({"code": ""}, ["code", "at least 1 character"]),
    ({"environment": "../x"}, ["environment", "../x"]),
    ({"repeat": {"steps": 5}, "training": {"trace": "epoch"}}, ["repeat", "trace", "step"]),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=lambda v: str(v)[:50])
def test_a_mistake_is_named_with_what_to_do(changes: dict[str, Any], words: list[str]) -> None:
    sentence = refusal(configuration(**changes))
    for word in ["config/config.yaml", "Expected", "Received", *words]:
        assert word in sentence, sentence
    assert "\n" not in sentence
    assert "None" not in sentence


@pytest.mark.parametrize(
    "text", ["1e3", "1E3", "+1e-3", "1.0e3", "1.e3", ".5e3", "-2.5E07"], ids=str
)
def test_numbers_that_yaml_reads_as_text_are_refused(text: str) -> None:
    value = yaml.safe_load(text)
    assert isinstance(value, str)
    assert text in refusal(configuration(settings={"rate": value}))


@pytest.mark.parametrize("text", ["1.0e-3", "e3", "1e", "v1e3", "1e3x", "0.5"])
def test_other_settings_pass_as_they_are(text: str) -> None:
    value = yaml.safe_load(text)
    assert digits(settings={"rate": value}).settings["rate"] == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ["the file", "object"]),
        ([], ["the file", "object"]),
        ({}, ["`experiments`", "the file"]),
        ({"experiments": {}}, ["experiments", "at least 1"]),
        ({"experiments": None}, ["experiments", "object"]),
        ({"experiments": {"a b": entry()}}, ["experiments", "a b", "Rename"]),
        ({"experiments": {"a/b": entry()}}, ["experiments", "a/b", "Rename"]),
        ({"experiments": {"a": None}}, ["experiments.a", "object", "null"]),
        ({"experiments": {"a": {"data": {"path": "a", "sha256": "0" * 64}}}}, ["`code`", "Add it"]),
        ({"experiment": {}}, ["`experiment`", "Did you mean `experiments`?"]),
    ],
)
def test_mistakes_at_the_top(value: Any, words: list[str]) -> None:
    sentence = refusal(value)
    for word in words:
        assert word in sentence


def test_fractions_are_summed_as_they_were_written() -> None:
    shares = {"train": 0.7, "validation": 0.2, "test": 0.1}
    assert sum(shares.values()) != 1
    assert digits(split=shares).split == shares


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary()
    | st.dates() | st.sampled_from(["full", "off", "auto", "1e-3", "0" * 64]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
    | st.dictionaries(st.sampled_from(["path", "sha256", "epochs", "steps", "train"]), inner),
    max_leaves=8,
)  # fmt: skip
KEYS = [*Experiment.__dataclass_fields__, "other"]


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_any_value_gives_an_experiment_or_a_sentence(changes: dict[str, Any]) -> None:
    try:
        found = resolve(configuration(**changes))
    except UserError as error:
        sentence = str(error)
    else:
        steps = ("prepare", "train", "evaluate", "compare")
        sentence = "".join(canonical(found["digits"].parameters(s, seed=0)) for s in steps)
    assert sentence.startswith(("{", "config/config.yaml: Expected"))


@given(VALUES)
def test_any_file_gives_a_sentence(value: Any) -> None:
    assert "Expected" in refusal(value)


CHANGES = {
    "data": {"path": "other", "sha256": "1" * 64},
    "data_seed": 1,
    "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
    "settings": {"a": 1},
    "epochs": 7,
    "batch_size": 7,
    "loop": "fit",
    "trace": "epoch",
    "threads": {"intra": 1},
    "seeds": [0, 1],
    "goal": "metrics",
    "repeat": {"epochs": 1},
    "code": "other.py",
    "environment": "keras-cuda",
}
CONCERNS = {
    "prepare": {"data", "data_seed", "split", "settings", "threads"},
    "train": {"settings", "epochs", "batch_size", "loop", "trace", "threads"},
    "evaluate": {"settings", "batch_size", "threads"},
    "compare": {"seeds", "goal", "repeat", "threads"},
}
IN_TRAINING = {"epochs", "batch_size", "loop", "trace", "threads"}


@pytest.mark.parametrize("step", CONCERNS)
@pytest.mark.parametrize("key", CHANGES)
def test_a_step_depends_on_exactly_what_concerns_it(step: str, key: str) -> None:
    change = {"training": {key: CHANGES[key]}} if key in IN_TRAINING else {key: CHANGES[key]}
    before, after = (canonical(digits(**c).parameters(step, seed=0)) for c in ({}, change))
    assert (before != after) == (key in CONCERNS[step])


def test_a_repeat_elsewhere_goes_as_far_as_any() -> None:
    for asked, repeat in (({}, "full"), ({"epochs": 2}, {"epochs": 2})):
        found = digits(repeat={**asked, "elsewhere": True})
        assert (found.elsewhere, found.repeat) == (True, repeat)
        assert found.parameters("compare") == digits(repeat=asked or "full").parameters("compare")
    assert digits(goal="documented", repeat={"elsewhere": True}).repeat == {"steps": 1}
    assert not digits(repeat={"elsewhere": False}).elsewhere
    assert not digits().elsewhere


def test_only_a_repeat_stops_early() -> None:
    found = digits(repeat={"epochs": 2})
    assert found.parameters("train", "original", 0).limit is None
    assert found.parameters("train", "repeat", 0).limit == {"epochs": 2}
    assert digits().parameters("train", "repeat", 0).limit is None


def test_the_seed_is_that_of_the_path() -> None:
    assert digits(seeds=[3, 4]).parameters("train", seed=4).seed == 4
    assert digits(seeds=[3, 4]).parameters("probe").seed == 3
    assert "seed" not in digits().parameters("prepare").json()


def test_missing_code_and_data_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    experiments = resolve(configuration())
    with pytest.raises(UserError, match=r"experiments\.digits\.code`\. Received experiment\.py"):
        check_files(experiments)
    Path("experiment.py").touch()
    with pytest.raises(UserError, match=r"experiments\.digits\.data\.path`\. Received data\.csv"):
        check_files(experiments)
    Path("data.csv").touch()
    check_files(experiments)
    source = {"path": "none", "sha256": "0" * 64}
    with pytest.raises(UserError, match=r"digits\.data\.left\.path`\. Received none"):
        check_files(resolve(configuration(data={"left": source})))


@pytest.mark.parametrize("written", [{}, {"sha256": None}, {"sha256": "what it is"}])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", ["data", "pretrained"])
def test_a_missing_digest_is_told_with_the_value_to_write(
    written: dict[str, Any], several: bool, kind: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text("1,2\n")
    source = {"path": "raw", **written}
    given = {kind: {"left": source} if several else source}
    key, value = f"{kind}{'.left' if several else ''}.sha256", sha256_tree(Path("raw"))
    with pytest.raises(UserError) as refused:
        resolve(configuration(**given))
    assert str(refused.value) == (
        f"config/config.yaml: Expected the digest of raw at `experiments.digits.{key}`. Received "
        f"{written.get('sha256') or 'none'}. Write `sha256: {value}` there, if raw is as it "
        "should be."
    )
    source["sha256"] = value
    assert resolve(configuration(**given))


def test_the_projects_own_configuration_is_right() -> None:
    root = Path(__file__).parents[2]
    found = resolve(yaml.safe_load((root / "config/config.yaml").read_text("utf-8")))
    assert found


@pytest.mark.parametrize(
    ("asked", "repeat"),
    [
        ({}, "full"),
        ({"goal": "metrics"}, "full"),
        ({"goal": "documented"}, {"steps": 1}),
        ({"goal": "documented", "training": {"trace": "epoch"}}, {"epochs": 1}),
        ({"goal": "documented", "training": {"trace": "epoch", "epochs": 1}}, "full"),
        ({"goal": "documented", "repeat": "off"}, "off"),
        ({"goal": "bitwise", "repeat": False}, "off"),
    ],
)
def test_a_repeat_goes_as_far_as_the_goal_needs(asked: dict[str, Any], repeat: Any) -> None:
    assert digits(**asked).repeat == repeat


@pytest.mark.parametrize("trials", [0, 4, 999])
def test_so_many_trials_can_find_something_or_are_none(trials: int) -> None:
    assert digits(search={"trials": trials}).search.trials == trials
    assert digits().search.trials == 24


@pytest.mark.parametrize(("trials", "kind"), [(3, "not finished"), (4, "random")])
def test_fewer_trials_than_are_allowed_would_find_nothing(trials: int, kind: str) -> None:
    marks = itertools.count()

    def other_bits_each_time(factors: tuple[str, ...]) -> Trial:
        return Trial("prepare", factors, False, str(next(marks)))

    assert search(["clock"], list, other_bits_each_time, trials - LOOKS).kind == kind


def test_seeds_by_a_plan() -> None:
    found = digits(goal="metrics", seeds="auto", equivalence={"budget": 20})
    assert (found.looks, found.seeds) == ((10, 20), tuple(range(20)))
    assert found.parameters("compare").seeds == "auto"
    assert digits().looks == ()
