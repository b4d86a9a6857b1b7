"""Weights that were trained elsewhere: declared, digested, and given to a `model` that asks."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.core import layout
from repro.core.canonical_json import canonical, decoded
from repro.core.config import Experiment, check_files, resolve
from repro.core.digest import sha256_tree
from repro.core.errors import UserError
from repro.core.seeding import Seeds
from repro.data.prepared import call_model
from repro.data.user_code import load
from repro.launch.file_times import read_by_the_user
from repro.plan import jobs
from samples import configuration

ONE = {"path": "vgg.h5", "sha256": "1" * 64, "address": "https://example.org/vgg.h5"}
USING = ("train", "evaluate", "probe", "cost")


def digits(**changes: Any) -> Experiment:
    return resolve(configuration(**changes))["digits"]


def test_every_step_that_makes_the_model_depends_on_them() -> None:
    without, found = digits(), digits(pretrained=ONE)
    for step in ("prepare", *USING, "compare"):
        before, after = (e.parameters(step, seed=0) for e in (without, found))
        assert "pretrained" not in canonical(before)
        assert (before != after) == (step in USING)
        assert decoded(type(after), json.loads(canonical(after))) == after
    asked = json.loads(canonical(found.parameters("evaluate", seed=0)))
    assert asked["pretrained"] == {"": {"path": "vgg.h5", "sha256": "1" * 64}}


def test_one_and_several_are_inputs_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").touch()
    several = {"left": {**ONE, "path": str(tmp_path / "folder")}, "right": ONE}
    assert jobs.pretrained_inputs(digits()) == jobs.pretrained_files(digits()) == []
    assert jobs.pretrained_inputs(digits(pretrained=ONE)) == ["pretrained=vgg.h5"]
    found = digits(pretrained=several)
    assert jobs.pretrained_inputs(found)[1] == "pretrained:right=vgg.h5"
    assert jobs.pretrained_files(found) == [str(tmp_path / "folder" / "a"), "vgg.h5"]
    assert layout.source_of("pretrained:right", layout.PRETRAINED) == "right"
    assert layout.source_of("pretrained:right") is None
    for step in USING:
        assert layout.input_at(step, "pretrained", {"experiment": "a"}) is None


def test_the_factors_treat_them_as_what_the_users_code_reads() -> None:
    names = ["code", "experiment", "pretrained", "pretrained:b", "data", "data.manifest"]
    assert read_by_the_user(names) == ["experiment", "pretrained", "pretrained:b"]


def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("experiment.py", "data.csv"):
        Path(name).touch()
    check_files({"digits": digits()})
    with pytest.raises(UserError, match=r"`experiments\.digits\.pretrained\.path`.*vgg\.h5"):
        check_files({"digits": digits(pretrained=ONE)})
    with pytest.raises(UserError, match=r"`experiments\.digits\.pretrained\.b\.path`"):
        check_files({"digits": digits(pretrained={"b": ONE})})


def test_a_missing_digest_is_told_with_the_value_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vgg.h5").write_bytes(b"weights")
    value = sha256_tree(Path("vgg.h5"))
    for key, given in (("", {"path": "vgg.h5"}), (".b", {"b": {"path": "vgg.h5"}})):
        with pytest.raises(UserError, match=f"pretrained{key}.sha256`.*`sha256: {value}`"):
            digits(pretrained=given)


@pytest.mark.parametrize(
    ("value", "words"),
    [({"path": "a"}, "`sha256`"), ({}, "at least 1"), ("a.h5", "object")],
)
def test_a_mistake_is_a_sentence(value: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        digits(pretrained=value)
    assert "experiments.digits.pretrained" in str(error.value)


def called(
    folder: Path, signature: str, paths: Mapping[str, Path] | None, returned: str = "pretrained"
) -> Any:
    file = folder / "mine.py"
    file.write_text(
        "def dataset(data, settings, seeds):\n    return data\n\n"
        f"def model({signature}):\n    return {returned}\n"
    )
    function = load(file, paths).function("model")
    assert function is not None
    return function({}, Seeds(0))


def test_a_model_that_asks_gets_the_path_or_all_by_name(tmp_path: Path) -> None:
    one, several = Path("/a/vgg.h5"), {"left": Path("/a"), "right": Path("/b")}
    for signature in (
        "settings, seeds, pretrained", "settings, seeds, *, pretrained",
        "settings, seeds, pretrained=None",
    ):  # fmt: skip
        assert called(tmp_path, signature, {"": one}) == one
        assert called(tmp_path, signature, several) == several
    assert called(tmp_path, "settings, seeds, pretrained=None", None) is None
    assert called(tmp_path, "settings, seeds", None, "settings") == {}


def test_others_see_what_is_left_to_give(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "dataset = print\ndef model(settings, seeds, pretrained, other): return other\n"
    )
    function = load(file, {"": Path("/a")}).function("model")
    assert function is not None
    left = inspect.signature(function).parameters
    assert [n for n, p in left.items() if p.default is p.empty] == ["settings", "seeds", "other"]
    assert function({}, Seeds(0), other=3) == 3
    assert inspect.unwrap(function).__code__.co_firstlineno == 2


@pytest.mark.parametrize(
    "signature", ["settings, seeds, pretrained, data", "settings, seeds, data, pretrained"]
)
def test_in_either_order_beside_what_was_prepared(signature: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f"dataset = print\ndef model({signature}): return pretrained, dict(data.examples)\n"
    )
    for part in ("train", "test"):
        (tmp_path / "made" / part).mkdir(parents=True)
        for name in ("id", "x"):
            np.save(tmp_path / "made" / part / f"{name}.npy", np.arange(3))
    function = load(file, {"": Path("/a")}).function("model")
    assert function is not None
    found = call_model(function, {}, Seeds(0), tmp_path / "made")
    assert found == (Path("/a"), {"train": 3, "test": 3})


def test_what_is_named_and_not_taken_or_the_reverse_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`model` that takes `pretrained`.*without in mine\.py"):
        called(tmp_path, "settings, seeds", {"": Path("/a")})
    with pytest.raises(UserError, match=r"`pretrained` in the configuration.*`model` takes it"):
        called(tmp_path, "settings, seeds, pretrained", None)
