"""What `dataset` returned: checked, named by content, split so that nothing old ever moves."""

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.errors import UserError
from repro.data.dataset import Examples, examples_of, split

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


def table(size: int = 200, **columns: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=(size, 3)).astype(np.float32)
    return {"x": x, "y": np.arange(size) % 3, **columns}


def taken(returned: dict[str, Any], rows: Any) -> dict[str, Any]:
    return {name: np.asarray(column)[rows] for name, column in returned.items()}


def parts_by_id(examples: Examples, seed: int = 0) -> dict[str, str]:
    parts = split(examples, SHARES, seed)
    return {examples.ids[row]: name for name, rows in parts.items() for row in rows}


def refusal(returned: Any) -> str:
    with pytest.raises(UserError) as error:
        examples_of(returned)
    return str(error.value)


def test_every_example_lands_in_one_part() -> None:
    examples = examples_of(table())
    rows = np.concatenate(list(split(examples, SHARES, 0).values()))
    assert np.sort(rows).tolist() == list(range(200))


def test_sizes_are_about_the_shares() -> None:
    parts = split(examples_of(table(5000)), SHARES, 0)
    for name, share in SHARES.items():
        assert abs(len(parts[name]) / 5000 - share) < 0.05  # 7 standard deviations


def test_ids_do_not_depend_on_the_order_of_rows() -> None:
    returned = table()
    order = np.random.default_rng(1).permutation(200)
    before, after = examples_of(returned), examples_of(taken(returned, order))
    assert sorted(before.ids) == sorted(after.ids)
    assert [before.ids[n] for n in order] == list(after.ids)
    assert parts_by_id(before) == parts_by_id(after)


@pytest.mark.parametrize("extra", ["none", "id", "group"])
def test_adding_examples_moves_no_old_one(extra: str) -> None:
    # Groups of old examples go on growing.
    marks = [f"n{n % 90 if extra == 'group' else n}" for n in range(200)]
    columns = {} if extra == "none" else {extra: marks}
    returned = table(**columns)
    few = parts_by_id(examples_of(taken(returned, slice(0, 120))))
    many = parts_by_id(examples_of(returned))
    assert few == {key: part for key, part in many.items() if key in few}
    assert len(few) == 120


def test_adding_a_longer_text_moves_no_old_example() -> None:
    texts = [f"text {n}" for n in range(100)]
    few = parts_by_id(examples_of({"x": np.array(texts), "y": np.arange(100)}))
    longer = np.array([*texts, "a text that is longer than all the others"])
    many = parts_by_id(examples_of({"x": longer, "y": np.arange(101)}))
    assert few.items() <= many.items()
    as_bytes = examples_of({"x": np.array([t.encode() for t in texts]), "y": np.arange(100)})
    wider = examples_of({"x": longer.astype("S"), "y": np.arange(101)})
    assert set(as_bytes.ids) < set(wider.ids)


def test_texts_do_not_run_into_one_another() -> None:
    x = np.array([["ab", "c"], ["a", "bc"], ["abc", ""]])
    ids = examples_of({"x": x, "y": [0, 0, 0]}).ids
    assert len({i.split("-")[0] for i in ids}) == 3


def test_another_seed_is_another_split() -> None:
    examples = examples_of(table())
    assert parts_by_id(examples, 0) != parts_by_id(examples, 1)


def test_the_order_of_the_shares_plays_no_part() -> None:
    examples = examples_of(table())
    one, two = split(examples, SHARES, 0), split(examples, dict(reversed(SHARES.items())), 0)
    assert {name: rows.tolist() for name, rows in one.items()} == {
        name: rows.tolist() for name, rows in two.items()
    }


def test_equal_examples_are_told_apart_by_their_occurrence() -> None:
    examples = examples_of({"x": np.zeros((3, 2)), "y": [0, 0, 1]})
    first, second, other = (i.rsplit("-", 1) for i in examples.ids)
    assert first[0] == second[0] != other[0]
    assert (first[1], second[1], other[1]) == ("0", "1", "0")


def test_examples_with_the_same_x_stay_together() -> None:
    x = np.repeat(np.random.default_rng(0).normal(size=(60, 2)), 3, axis=0)
    parts = split(examples_of({"x": x, "y": np.arange(180)}), SHARES, 0)
    inside = [{tuple(x[row]) for row in rows} for rows in parts.values()]
    assert sum(map(len, inside)) == 60


@given(st.lists(st.integers(0, 30), min_size=40, max_size=80), st.integers(0, 5))
def test_a_group_stays_together(groups: list[int], seed: int) -> None:
    size = len(groups)
    examples = examples_of({**table(size), "group": groups})
    with contextlib.suppress(UserError):  # a part may be empty
        parts = split(examples, SHARES, seed)
        inside = [{groups[row] for row in rows} for rows in parts.values()]
        assert sum(map(len, inside)) == len(set(groups))


def test_rows_come_in_the_order_of_ids() -> None:
    examples = examples_of(table(id=np.random.default_rng(0).permutation(200)))
    for rows in split(examples, SHARES, 0).values():
        ids = [examples.ids[row] for row in rows]
        assert ids == sorted(ids)


def test_equal_examples_of_two_groups_have_ids_that_ignore_the_order() -> None:
    returned = {"x": np.zeros((2, 1)), "y": [0, 0], "group": ["a", "b"]}
    one, two = examples_of(returned), examples_of(taken(returned, [1, 0]))
    assert one.ids == two.ids[::-1]


def test_a_part_without_a_share_is_left_out() -> None:
    parts = split(examples_of(table()), {"train": 0.5, "validation": 0.0, "test": 0.5}, 0)
    assert set(parts) == {"train", "test"}


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(UserError, match=r"part `\w+` of the split\. Received none of 2"):
        split(examples_of(table(2)), SHARES, 0)


def test_several_inputs_and_weights_are_columns() -> None:
    x = {"right": np.zeros((4, 2)), "left": np.arange(4)}
    found = examples_of({"x": x, "y": {"a": [0, 1, 0, 1]}, "sample_weight": [1.0, 2, 3, 4]})
    assert set(found.columns) == {"x.left", "x.right", "y.a", "sample_weight"}


def test_given_ids_are_used() -> None:
    assert examples_of(table(2, id=["b", "a"])).ids == ("b", "a")
    assert examples_of(table(2, id=np.array([b"b", b"a"]))).ids == ("b", "a")
    assert examples_of(table(2, id=[7, 8])).ids == ("7", "8")


def test_the_byte_order_of_the_source_plays_no_part() -> None:
    little = table()
    big = {"x": little["x"].astype(">f4"), "y": little["y"].astype(">i8")}
    one, two = examples_of(little), examples_of(big)
    assert one.ids == two.ids
    assert [c.dtype for c in one.columns.values()] == [c.dtype for c in two.columns.values()]


REFUSED: list[tuple[Any, list[str]]] = [
    (None, ["mapping with `x`", "(x, y)", "NoneType"]),
    ("text", ["mapping with `x`", "str"]),
    ((np.zeros(3), None), ["mapping with `x`", "a tuple of 2"]),
    ((np.zeros(3),) * 4, ["mapping with `x`", "a tuple of 4"]),
    ({"y": np.zeros(3)}, ["mapping with `x`", "['y']"]),
    ({1: 2}, ["mapping with `x`", "['1']"]),
    ({"x": np.zeros(3), "sample_weight": np.zeros(3)}, ["`sample_weight`", "beside `y`"]),
    (table(labels=1), ["Received `labels`", "Remove"]),
    (table(ids=[1]), ["Received `ids`"]),
    ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, ["one length", "'x': 3", "'y': 4"]),
    (table(3, id=[1, 2]), ["one length", "'id': 2"]),
    (table(3, group=["a"]), ["one length", "'group': 1"]),
    (table(3, sample_weight=np.ones(5)), ["one length", "'sample_weight': 5"]),
    (table(3, id=["a", "b", "a"]), ["`id`", "'a' more than once", "unique"]),
    (table(3, id=[1.0, 2.0, 3.0]), ["`id`", "float64"]),
    (table(3, id=np.zeros((3, 2), int)), ["`id`", "(3, 2)"]),
    (table(3, id=np.array([b"\xff", b"b", b"c"])), ["`id`", "UTF-8"]),
    (table(3, group=[None, "a", "b"]), ["`group`", "object"]),
    ({"x": np.zeros(3), "y": np.array([0, np.nan, 1])}, ["`y`", "1 NaN"]),
    ({"x": np.zeros(3), "y": {"a": [0.0, np.inf, -np.inf]}}, ["`y.a`", "2 NaN or infinite"]),
    (table(3, sample_weight=[1, np.nan, 1]), ["`sample_weight`", "1 NaN"]),
    ({"x": np.array([{}, {}]), "y": [0, 1]}, ["`x`", "object", "Convert"]),
    ({"x": [[1, 2], [3]], "y": [0, 1]}, ["`x`", "different shapes", "Pad or cut"]),
    ({"x": 5.0, "y": [0, 1]}, ["`x`", "shape ()"]),
    ({"x": np.zeros(2, [("a", "f4")]), "y": [0, 1]}, ["`x`", "Convert"]),
    ({"x": {"a": {}}, "y": [0, 1]}, ["`x.a`", "at least one array"]),
    ({"x": {"a": {"b": [{}, {}]}}, "y": [0, 1]}, ["`x.a~b`", "object"]),
    ({"x": np.array(["2020-01-01"], "M8[D]"), "y": [0]}, ["`x`", "datetime64"]),
    ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, ["at least one example", "none"]),
    ({"x": np.zeros((2, 2)), "y": []}, ["`y`", "[]"]),
    ({"x": {}, "y": [1]}, ["`x`", "array", "{}"]),
    ({"x": None, "y": [1]}, ["`x`", "array", "None"]),
    ({"x": [1], "y": None}, ["`y`", "array", "None"]),
    ({"x": {0: [1], "a": [1]}, "y": [1]}, ["`x`", "Received 0", "text as names"]),
    ({"x": [1], "y": {"": [1]}}, ["`y`", "text as names"]),
]


@pytest.mark.parametrize(("returned", "words"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_mistake_is_named_with_what_to_do(returned: Any, words: list[str]) -> None:
    sentence = refusal(returned)
    for word in ["Expected", "Received", *words]:
        assert word in sentence, sentence


VALUES = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
    st.lists(st.none() | st.integers(-3, 3) | st.floats() | st.text(max_size=2), max_size=4),
    st.lists(st.lists(st.integers(-3, 3), max_size=2), max_size=3),
    st.dictionaries(st.text(max_size=3) | st.integers(), st.lists(st.integers(), max_size=3),
                    max_size=2),
)  # fmt: skip


@given(
    VALUES
    | st.dictionaries(
        st.sampled_from(["x", "y", "id", "group", "sample_weight", "z"]), VALUES, max_size=5
    )
)
def test_anything_gives_examples_or_a_sentence(returned: Any) -> None:
    try:
        found = examples_of(returned)
    except UserError:
        return
    size = len(found.ids)
    assert size == len(found.unit) == len(set(found.ids))
    assert all(len(column) == size for column in found.columns.values())
