"""What `dataset` may return: the usual shapes as they come, and what could mean two things not."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from repro.arrays.array import arrays_of
from repro.arrays.intake import Intake
from repro.arrays.nested import flat, rebuilt
from repro.arrays.returned import parts_of
from repro.core.errors import UserError
from repro.core.parameters import ReadLimits
from repro.data.dataset import Examples, examples_of, examples_of_parts

X, Y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)
TRAIN, TEST = (X, Y), (X[:4], Y[:4])


def parts(returned: Any) -> dict[str, Examples]:
    return examples_of_parts(parts_of(returned, Intake()), Intake())


def columns(returned: Any, said: list[str] | None = None, **limits: int) -> Mapping[str, Any]:
    said = [] if said is None else said
    return examples_of(returned, Intake(ReadLimits(**limits), said.append)).columns


def refusal(returned: Any, **limits: int) -> str:
    with pytest.raises(UserError) as error:
        examples_of_parts(parts_of(returned, Intake()), Intake(ReadLimits(**limits)))
    assert str(error.value).startswith("Expected")
    return str(error.value)


GIVEN: dict[str, tuple[Any, list[str]]] = {
    "a mapping": ({"train": TRAIN, "test": TEST}, ["train", "test"]),
    "as keras.datasets has them": ((TRAIN, TEST), ["train", "test"]),
    "three pairs": ((TRAIN, TEST, TEST), ["train", "validation", "test"]),
    "mappings": ({"train": {"x": X, "y": Y}, "validation": TEST}, ["train", "validation"]),
    "train alone": ({"train": TRAIN}, ["train"]),
    "lists of arrays": (([X, Y], [X[:4], Y[:4]]), ["train", "test"]),
    "with weights": (((X, Y, Y), (X[:4], Y[:4], Y[:4])), ["train", "test"]),
    "without labels": ({"train": X, "test": X[:4]}, ["train", "test"]),
    "None for none": ({"train": TRAIN, "validation": None, "test": TEST}, ["train", "test"]),
}


@pytest.mark.parametrize("name", GIVEN)
def test_parts_are_taken_as_they_come(name: str) -> None:
    returned, names = GIVEN[name]
    found = parts(returned)
    assert list(found) == names
    assert len(found["train"].ids) == 10
    assert all(len(each.ids) == 4 for part, each in found.items() if part != "train")


WHOLE: dict[str, tuple[Any, set[str]]] = {
    "a pair": ((X, Y), {"x", "y"}),
    "with weights": ((X, Y, Y), {"x", "y", "sample_weight"}),
    "inputs alone": (X, {"x"}),
    "inputs in a mapping": ({"x": X}, {"x"}),
    "inputs in a tuple": ((X,), {"x"}),
    "two inputs": (((X, Y), Y), {"x.0", "x.1", "y"}),
    "two inputs in a list": (([X, Y], Y), {"x.0", "x.1", "y"}),
    "two outputs": ({"x": X, "y": (Y, Y)}, {"x", "y.0", "y.1"}),
    "labels by name": ((X, {"age": Y, "sex": Y}), {"x", "y.age", "y.sex"}),
    "a nest": ({"x": {"a": {"b": X, "c": [X, Y]}}, "y": Y}, {"x.a~b", "x.a~c~0", "x.a~c~1", "y"}),
    "rows in a list": (([[1, 2], [3, 4]], [0, 1]), {"x", "y"}),
    "an array for each example": ({"x": list(X), "y": Y}, {"x", "y"}),
    "labels as scalars": ({"x": X, "y": list(Y)}, {"x", "y"}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_is_taken_as_it_comes(name: str) -> None:
    returned, names = WHOLE[name]
    assert set(columns(returned)) == names


def test_an_array_for_each_example_is_one_array() -> None:
    np.testing.assert_array_equal(columns({"x": list(X), "y": Y})["x"], X)


AMBIGUOUS: dict[str, tuple[Any, list[str]]] = {
    "parts or inputs": ((TRAIN, TRAIN), ["means one thing", "10 rows", "'train'", "'x'"]),
    "no train": ({"test": TEST}, ["part `train`", "test alone"]),
    "something beside parts": ({"train": TRAIN, "val": TEST}, ["train, validation, test", "'val'"]),
    "columns beside parts": ({"train": TRAIN, "x": X}, ["'x' as well"]),
    "a part of another form": ({"train": TRAIN, "test": 5}, ["part `test`", "int"]),
    "an empty part": ({"train": TRAIN, "test": (X[:0], Y[:0])}, ["part `test`", "none"]),
    "another width": ({"train": TRAIN, "test": (X[:, :1], Y)}, ["same columns", "`x`", "[1]"]),
    "no labels": ({"train": TRAIN, "test": X}, ["same columns", "`y`", "nothing"]),
    "an array for each example alone": ({"x": list(X)}, ["list of 10 arrays of 2", "np.stack"]),
    "text in one": ({"train": TRAIN, "test": (X, Y.astype(str))}, ["`y`", "text"]),
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_is_no_part_or_two_things_is_refused(name: str) -> None:
    returned, words = AMBIGUOUS[name]
    sentence = refusal(returned)
    for word in words:
        assert word in sentence, sentence


def test_parts_of_other_types_become_alike_with_a_word() -> None:
    said: list[str] = []
    intake = Intake(say=said.append)
    given_parts = {"train": (X.astype(np.float64), Y), "test": (X, Y)}
    found = examples_of_parts(parts_of(given_parts, intake), intake)
    assert {each.columns["x"].dtype.name for each in found.values()} == {"float64"}
    assert said == [
        "`x` has other types in the parts: float64 in `train`, float32 in `test`. All are stored "
        "as float64."
    ]
    assert found["train"].contents == found["test"].contents


def test_texts_of_other_widths_are_alike() -> None:
    found = parts({"train": np.array(["a", "longer"]), "test": np.array(["a"])})
    assert found["train"].contents[0] == found["test"].contents[0]


KEYS = st.text(min_size=1, max_size=6) | st.sampled_from(
    ["0", "12", "a.b", "a~b", "=41", "Ü/…", "A"]
)
NESTS = st.recursive(
    st.just(X),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    | st.lists(inner, min_size=1, max_size=3).map(tuple),
    max_leaves=6,
)  # fmt: skip


@given(NESTS)
def test_a_structure_comes_back(nest: Any) -> None:
    names = flat("x", nest)
    assert all(set(name) <= set("=~.-_") | set(map(chr, range(128))) for name in names)
    assert not any({"/", "\\", "\0"} & set(name) for name in names)
    again = rebuilt(names, "x")
    assert shape_of(again) == shape_of(nest)
    assert rebuilt(names, "y") is None


def test_names_that_differ_in_capitals_alone_are_two_files() -> None:
    nest = {"A": X, "a": Y, "Ab": X, "aB": Y}
    names = flat("x", nest)
    assert len({name.lower() for name in names}) == 4
    assert {"x.A", "x.Ab"} < set(names)
    assert {key: len(value.shape) for key, value in rebuilt(names, "x").items()} == {
        "A": 2, "a": 1, "Ab": 2, "aB": 1,
    }  # fmt: skip


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "at most 200 characters" in refusal({"x": {"n" * 201: X}})
    assert "Rename it" in refusal({"x": {"Grösse in Ångström, Länge über alles" * 3: X}})


def shape_of(nest: Any) -> Any:
    if isinstance(nest, Mapping):
        return {key: shape_of(value) for key, value in nest.items()}
    return tuple(map(shape_of, nest)) if isinstance(nest, tuple) else "array"


def test_sparse_matrices_become_dense_with_a_word() -> None:
    said: list[str] = []
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.coo_array):
        found = columns({"x": kind(X), "y": Y}, said)
        np.testing.assert_array_equal(found["x"], X)
    assert said[0] == "`x` is a sparse matrix: it is stored dense, 10 by 2."
    wide = scipy.sparse.csr_matrix((10, 10**6))
    sentence = refusal({"x": wide, "y": Y}, mebibytes=64)
    assert "at most 64 MiB" in sentence
    assert "would take 76 MiB" in sentence


def test_masked_arrays_are_refused_where_something_is_masked() -> None:
    masked = np.ma.masked_array(X, X > 15)
    assert "4 masked value(s). Fill them by `.filled" in refusal({"x": masked, "y": Y})
    assert "masked value(s)" in refusal({"x": list(masked), "y": Y})
    plain = columns({"x": np.ma.masked_array(X), "y": Y})["x"]
    assert type(plain) is np.ndarray
    np.testing.assert_array_equal(plain, X)


def test_text_in_objects_is_stored_as_text() -> None:
    found = columns({"x": np.array(["a", "bé", ""], object), "y": np.array([1, 2, 3], object)})
    assert found["x"].dtype == "<U2"
    assert found["x"].tolist() == ["a", "bé", ""]
    assert found["y"].dtype.kind == "i"
    rows = columns({"x": np.array([[b"a", b"b"]], object), "y": np.array([0.5], object)})
    assert rows["x"].dtype == "S1"
    assert rows["x"].shape == (1, 2)


@pytest.mark.parametrize("hole", [None, float("nan")])
def test_a_hole_among_texts_is_named(hole: Any) -> None:
    sentence = refusal({"x": np.array(["a", hole, "b"], object), "y": [0, 1, 2]})
    assert "1 missing value(s)" in sentence
    assert "Fill them" in sentence


def test_one_long_text_among_many_is_refused() -> None:
    texts = np.array(["a"] * 1000 + ["b" * 2**20], object)
    assert "cut long texts" in refusal({"x": texts, "y": np.arange(1001)}, mebibytes=512)


@dataclass
class _Column:
    """What pandas calls a Series, as far as it is asked of."""

    values: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def iloc(self) -> Any:
        return self.values

    def to_numpy(self) -> Any:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


@dataclass
class _Frame:
    """What pandas calls a DataFrame, as far as it is asked of."""

    named: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        return list(self.named)

    @property
    def shape(self) -> tuple[int, int]:
        return len(next(iter(self.named.values()))), len(self.named)

    @property
    def iloc(self) -> Any:
        frame = self

        class Places:
            def __getitem__(self, place: tuple[Any, int]) -> Any:
                return _Column(np.asarray(list(frame.named.values())[place[1]]))

        return Places()

    def __len__(self) -> int:
        return self.shape[0]


FRAMES: list[Any] = [_Frame]
"""How to make a DataFrame: as little as is asked of it, and as pandas does where it is."""
if find_spec("pandas"):
    FRAMES.append(import_module("pandas").DataFrame)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda kind: kind.__name__)
def test_a_frame_of_numbers_is_an_array_with_names(frame: Any) -> None:
    found = frame({"age (years)": [1, 2, 3], "mass": [0.5, 1.5, 2.5]})
    arrays, names = arrays_of("x", found, None, Intake())
    np.testing.assert_array_equal(arrays["x"], [[1, 0.5], [2, 1.5], [3, 2.5]])
    assert names == {"x": ("age (years)", "mass")}
    examples = examples_of((found, frame({"label": [0, 1, 1]})))
    assert examples.names == {"x": ("age (years)", "mass"), "y": ("label",)}
    assert examples.columns["y"].shape == (3, 1)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda kind: kind.__name__)
def test_a_frame_with_text_is_a_mapping_of_its_columns(frame: Any) -> None:
    found = frame({"age (years)": [1, 2], "name": np.array(["a", "bc"], object)})
    arrays, names = arrays_of("x", found, None, Intake())
    assert set(arrays) == {"x.age=20=28years=29", "x.name"}
    assert arrays["x.name"].dtype == "<U2"
    assert set(rebuilt(arrays, "x")) == {"age (years)", "name"}
    assert names == {"x": ("age (years)", "name")}
    inside, _ = arrays_of("x", {"table": found, "other": X[:2]}, None, Intake())
    assert set(inside) == {"x.other", "x.table~age=20=28years=29", "x.table~name"}


def test_text_in_one_part_and_bytes_in_another_are_refused() -> None:
    text, encoded = np.array(["grün", "b"]), np.array(["grün".encode(), b"b"])
    for train, test in ((text, encoded), (encoded, text)):
        assert "bytes of shape []" in refusal({"train": train, "test": test})


@pytest.mark.parametrize("frame", FRAMES, ids=lambda kind: kind.__name__)
def test_frames_with_columns_in_another_order_are_refused(frame: Any) -> None:
    train, test = frame({"a": [1, 2], "b": [3, 4]}), frame({"b": [3, 4], "a": [1, 2]})
    sentence = refusal({"train": train, "test": test})
    for word in ("`train` and `test`", "`x`", "'a'", "'b'", "same order"):
        assert word in sentence
    test = frame({"b": ["c", "d"], "a": [1, 2]})  # each is a column of its own
    assert set(parts({"train": frame({"a": [1, 2], "b": ["c", "d"]}), "test": test})) == {
        "train", "test",
    }  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES, ids=lambda kind: kind.__name__)
def test_a_hole_in_a_frame_of_numbers_stays_one(frame: Any) -> None:
    found = frame({"a": [1.0, np.nan], "b": [1.0, 2.0]})
    arrays, _ = arrays_of("x", found, None, Intake())
    assert np.isnan(arrays["x"][1, 0])  # the verdict warns of it


def test_a_series_is_a_column() -> None:
    pd: Any = pytest.importorskip("pandas")
    numbers = pd.Series([3, 1, 2], index=[7, 8, 9])
    texts = pd.Series(["a", "b", "a"], dtype="category")
    found = columns((numbers, texts))
    assert found["x"].tolist() == [3, 1, 2]
    assert found["y"].tolist() == ["a", "b", "a"]
    assert "1 missing" in refusal((pd.Series(["a", None], dtype="string"), [0, 1]))
    assert columns((pd.Series([1, 2], dtype="Int64"), [0, 1]))["x"].dtype == "int64"
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "'a' more than once" in refusal((twice, [0]))
