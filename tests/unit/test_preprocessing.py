"""What is fitted on the training part: seen by it alone, applied to all parts, written down."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from repro.arrays.fitted import values_of
from repro.core.digest import sha256_tree
from repro.core.errors import UserError
from repro.core.parameters import PrepareParameters, Threads
from repro.data.prepare import part, prepare
from repro.data.prepared import Prepared, call_model
from repro.data.user_code import Code

SPLIT = {"train": 0.6, "validation": 0.2, "test": 0.2}
PARAMETERS = PrepareParameters(
    threads=Threads(2, 1), data={}, data_seed=0, split=SPLIT, settings={"words": 3}
)
SIZE = 200


def table(*_: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    x = random.normal(5, 3, size=(SIZE, 3)).astype(np.float32)
    return {"x": x, "y": np.array(["no", "yes"])[(x[:, 0] > 5).astype(int)]}


class Scaler:
    """A transformer as scikit-learn writes them."""

    def fit(self, x: Any) -> "Scaler":
        self.mean_, self.scale_, self.copy = x.mean(axis=0), x.std(axis=0), True
        return self

    def transform(self, x: Any) -> Any:
        return (x - self.mean_) / self.scale_


def scaled(train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    return {"x": Scaler().fit(train["x"])}


def numbered(train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    names = sorted(set(train["y"].tolist()))

    def number(y: Any) -> Any:
        return np.array([names.index(name) for name in y], np.int32)

    return {"y": number}


def done(
    folder: Path, fit: Callable[..., Any] | None, dataset: Callable[..., Any] = table,
    **changed: Any,
) -> tuple[Path, Any]:  # fmt: skip
    module, asked = ModuleType("experiment"), replace(PARAMETERS, **changed)
    functions = {"dataset": dataset, "fit_preprocessing": fit}
    vars(module).update({name: each for name, each in functions.items() if each})
    found = prepare(Code(module, Path(__file__)), {}, asked, folder, lambda _line: None)
    return folder, found


def refusal(folder: Path, fit: Callable[..., Any], dataset: Callable[..., Any] = table) -> str:
    with pytest.raises(UserError) as error:
        done(folder / "refused", fit, dataset)
    assert not (folder / "refused").exists()
    return str(error.value)


def test_what_train_says_is_applied_to_all_parts(tmp_path: Path) -> None:
    raw, _ = done(tmp_path / "raw", None)
    made, found = done(tmp_path / "made", scaled)
    train = part(raw, "train")["x"]
    for name in SPLIT:
        before, after = part(raw, name), part(made, name)
        assert before["id"].tolist() == after["id"].tolist()
        expected = (before["x"] - train.mean(axis=0)) / train.std(axis=0)
        np.testing.assert_allclose(after["x"], expected, rtol=1e-5)
        assert before["y"].tolist() == after["y"].tolist()
    assert found.preprocessing == {"x": "Scaler"}
    np.testing.assert_allclose(np.load(made / "fitted/x.mean_.npy"), train.mean(axis=0))
    assert sorted(file.name for file in (made / "fitted").iterdir()) == [
        "x.mean_.npy", "x.scale_.npy",
    ]  # fmt: skip
    assert sha256_tree(made) == sha256_tree(done(tmp_path / "again", scaled)[0])


def test_it_sees_the_training_part_alone(tmp_path: Path) -> None:
    seen: list[Any] = []

    def looking(train: Any, settings: Any, seeds: Any) -> dict[str, Any]:
        seen.append((train, settings, seeds("draws")))
        train["x"][:] = 0  # and what it does there changes nothing
        return {}

    made, _ = done(tmp_path / "made", looking)
    (train, settings, seed), stored = seen[0], part(made, "train")
    assert set(train) == {"x", "y"}
    assert train["y"].tolist() == stored["y"].tolist()
    assert settings == {"words": 3}
    assert isinstance(seed, int)
    assert stored["x"].any()


def test_labels_and_parts_of_a_mapping_are_transformed(tmp_path: Path) -> None:
    made, _ = done(tmp_path / "labels", numbered)
    assert part(made, "test")["y"].dtype == np.int32

    def nested(*_: Any) -> dict[str, Any]:
        return {"x": {"a": table()["x"], "b": (table()["x"], table()["x"])}, "y": table()["y"]}

    def one(train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
        return {"x": {"a": Scaler().fit(train["x"]["a"])}}

    made, found = done(tmp_path / "nested", one, nested)
    test = part(made, "test")
    assert abs(test["x.a"].mean()) < 1 < test["x.b~0"].mean()
    assert found.preprocessing == {"x": {"a": "Scaler"}}
    assert Prepared.of(made).fitted["x"]["a"]["mean_"].shape == (3,)


def test_given_parts_are_transformed_by_what_train_says(tmp_path: Path) -> None:
    x, y = table()["x"], table()["y"]
    given = {"train": (x[:150], y[:150]), "test": (x[150:] + 100, y[150:])}
    made, found = done(tmp_path / "made", scaled, lambda *_: given)
    assert part(made, "test")["x"].mean() > 20
    assert found.given == ["train", "test"]


def test_a_function_may_change_what_it_is_given(tmp_path: Path) -> None:
    def in_place(train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
        mean = train["x"].mean(axis=0)

        def centred(x: Any) -> Any:
            x -= mean
            return x

        return {"x": centred}

    made, _ = done(tmp_path / "made", in_place)
    raw, _ = done(tmp_path / "raw", None)
    mean = part(raw, "train")["x"].mean(axis=0)
    for name in SPLIT:
        np.testing.assert_array_equal(part(made, name)["x"], part(raw, name)["x"] - mean)


class _Wide:
    """A sparse matrix that says it is too large for the limits that nobody changed."""

    nnz, dtype = 1, np.dtype(np.float32)

    def __init__(self, values: Any) -> None:
        self.values, self.shape = values, (len(values), 2**40)

    def toarray(self) -> Any:
        return self.values


def test_what_becomes_dense_is_limited_as_the_configuration_says(tmp_path: Path) -> None:
    def fit(*_: Any) -> dict[str, Any]:
        return {"x": _Wide}

    assert "`limits.mebibytes`" in refusal(tmp_path, fit)
    made, _ = done(tmp_path / "made", fit, limits={"mebibytes": 2**40})
    assert part(made, "test")["x"].shape[1:] == (3,)


class _Table:
    """What pandas calls a DataFrame of two columns, as far as it is asked of."""

    columns = ("a", "b")

    def __init__(self, values: Any) -> None:
        self.values, self.shape = values, values.shape

    def __getitem__(self, place: Any) -> Any:
        return _Table(self.values[place]) if not isinstance(place, tuple) else self.values[place]

    @property
    def iloc(self) -> Any:
        return self

    def reset_index(self, drop: bool) -> Any:
        return self

    def to_numpy(self) -> Any:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


class _Unnamed(Scaler):
    """A pipeline with a function among its steps, which knows no names."""

    def transform(self, x: Any) -> Any:
        return super().transform(x.values)

    def get_feature_names_out(self) -> Any:
        raise AttributeError("FunctionTransformer does not provide get_feature_names_out")


def test_a_transformer_need_not_name_its_columns(tmp_path: Path) -> None:
    def dataset(*_: Any) -> dict[str, Any]:
        return {"x": _Table(table()["x"][:, :2]), "y": table()["y"]}

    def fit(train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
        return {"x": _Unnamed().fit(train["x"].values)}

    raw, _ = done(tmp_path / "raw", None, dataset)
    assert Prepared.of(raw).columns == {"x": ("a", "b")}
    made, _ = done(tmp_path / "made", fit, dataset)
    assert Prepared.of(made).columns == {}


def leaking(_train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    return {"x": lambda x: (x - x.mean(axis=0)) / x.std(axis=0)}


def padding_to_the_longest(_train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    return {"x": lambda x: np.zeros((len(x), len(x)))}


def drawing(_train: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    return {"x": lambda x: x + np.random.default_rng().normal(size=x.shape)}


REFUSED: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "fitted again on each part": (leaking, ["each example by itself", "`x`", "only apply it"]),
    "as long as the part": (padding_to_the_longest, ["each example by itself", "a length"]),
    "drawn": (drawing, ["each example by itself"]),
    "rows left out": (lambda *_: {"x": lambda x: x[1:]}, ["one row of each", "`train`"]),
    "no mapping": (lambda *_: Scaler(), ["mapping of x, y", "Scaler", "{'x': scaler}"]),
    "nothing": (lambda *_: None, ["mapping of x, y", "NoneType"]),
    "another column": (lambda *_: {"z": len}, ["'z'"]),
    "no transformation": (lambda *_: {"x": 5}, ["callable", "`transform`", "int"]),
    "parts that are not there": (lambda *_: {"x": {"a": len}}, ["one array", "Received one of a"]),
    "an error": (lambda *_: 1 / 0, ["`fit_preprocessing`", "ZeroDivisionError"]),
    "holes": (lambda *_: {"y": lambda y: np.full(len(y), np.nan)}, ["`y`", "NaN"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_transforms_no_part_is_refused(name: str, tmp_path: Path) -> None:
    fit, words = REFUSED[name]
    sentence = refusal(tmp_path, fit)
    for word in ["Expected", "Received", *words]:
        assert word in sentence, sentence


def test_what_a_transformation_holds_is_found() -> None:
    mean = np.arange(3.0)
    assert values_of(lambda x: x - mean)["mean"].tolist() == [0, 1, 2]
    words = Scaler()
    words.vocabulary_ = {"b": 1, "a": 0}  # type: ignore[attr-defined]
    assert values_of(words)["vocabulary_"].tolist() == ["a", "b"]
    assert values_of(lambda x: words.transform(x))["words"]["vocabulary_"].tolist() == ["a", "b"]
    pipeline = Scaler()
    pipeline.named_steps = {"scale": Scaler().fit(np.eye(2))}  # type: ignore[attr-defined]
    assert set(values_of(pipeline)["scale"]) == {"mean_", "scale_"}
    assert values_of(len) == {}
    scaler = Scaler().fit(np.eye(2))
    assert set(values_of(scaler.transform)) == {"mean_", "scale_"}
    assert values_of(partial(np.multiply, mean, where=True))["0"].tolist() == [0, 1, 2]


def test_a_mapping_of_many_words_to_numbers_is_two_arrays(tmp_path: Path) -> None:
    means = {"b" * 300: 0.5, "a": 1.5}
    found = values_of(lambda x: [means[word] for word in x])
    assert found["means"]["keys"].tolist() == ["a", "b" * 300]
    assert found["means"]["values"].tolist() == [1.5, 0.5]
    made, _ = done(tmp_path / "made", lambda *_: {"x": lambda x: x + means["a"]})
    assert {file.name for file in (made / "fitted").iterdir()} == {
        "x.means~keys.npy", "x.means~values.npy",
    }  # fmt: skip


def test_a_model_may_ask_what_was_prepared(tmp_path: Path) -> None:
    def both(*given: Any) -> dict[str, Any]:
        return {**scaled(*given), **numbered(*given)}

    made, _ = done(tmp_path / "made", both)
    found = Prepared.of(made)
    labels = part(made, "train")["y"]
    assert found.shapes == {"x": (3,), "y": ()}
    assert found.dtypes == {"x": "float32", "y": "int32"}
    assert found.examples == {name: len(part(made, name)["id"]) for name in SPLIT}
    assert dict(found.class_counts["y"]) == {n: int((labels == n).sum()) for n in (0, 1)}
    assert found.fitted["x"]["scale_"].shape == (3,)
    assert found.fitted["y"]["names"].tolist() == ["no", "yes"]


LABELS: list[tuple[Any, Any]] = [
    (np.array([0.0, 1.0, 1.0]), {0: 1, 1: 2}),
    (np.array([[0], [2], [2]]), {0: 1, 2: 2}),
    (np.eye(3, dtype=np.float32)[[0, 2, 2]], {0: 1, 1: 0, 2: 2}),
    (np.array([False, True, True]), {False: 1, True: 2}),
    (np.array([0.5, 1.0, 2.0]), None),
    (np.zeros((3, 2)), None),
    (np.zeros(3), None),
    (np.ones((3, 1), np.float32), None),
    (np.array([1.0, 0.0, 2.0]), None),
]


@pytest.mark.parametrize(("labels", "counts"), LABELS)
def test_classes_are_counted_where_there_are_any(labels: Any, counts: Any, tmp_path: Path) -> None:
    given = {"train": (np.arange(3), labels), "test": (np.arange(3), labels)}
    parameters = replace(PARAMETERS, split={"train": 0.5, "validation": 0.0, "test": 0.5})
    module = ModuleType("experiment")
    vars(module)["dataset"] = lambda *_: given
    prepare(Code(module, Path(__file__)), {}, parameters, tmp_path / "made")
    found = Prepared.of(tmp_path / "made").class_counts["y"]
    assert (None if found is None else dict(found)) == counts


def test_only_a_model_that_asks_is_given_it(tmp_path: Path) -> None:
    made, _ = done(tmp_path / "made", None)

    def plain(settings: Any, seeds: Any) -> Any:
        return settings, seeds

    def own(settings: Any, seeds: Any, width: int = 3) -> Any:
        return width

    def third(settings: Any, seeds: Any, data: Any) -> Any:
        return data.shapes["x"]

    def named(settings: Any, seeds: Any, *, prepared: Any) -> Any:
        return prepared.shapes["x"]

    def behind(settings: Any, seeds: Any, pretrained: Any = None, *, data: Any) -> Any:
        return data.shapes["x"]

    assert call_model(behind, 1, 2, made) == (3,)
    assert call_model(plain, 1, 2, made) == (1, 2)
    assert call_model(own, 1, 2, made) == 3
    assert call_model(third, 1, 2, made) == (3,)
    assert call_model(named, 1, 2, made) == (3,)
