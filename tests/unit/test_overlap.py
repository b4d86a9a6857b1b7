"""Examples that two parts share are counted; what few categories share by chance is told apart."""

from typing import Any

import numpy as np
import pytest
from repro.arrays.intake import Intake
from repro.arrays.returned import parts_of
from repro.data.dataset import Part, examples_of, examples_of_parts, parted, split
from repro.data.leakage import overlap
from repro.record.trace import Trace
from repro.sanity.silent_error import SilentError
from repro.verdict.silent_errors import mistakes

SIZE = 300
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
PROBE = {"order": {"bits": 0.0, "even": True}, "noise": [], "seeds": {"idle": False, "error": None},
         "unlooked": {}}  # fmt: skip


def with_ids(x: Any, **more: Any) -> dict[str, Any]:
    return {"x": x, "y": np.arange(SIZE) % 2, "id": np.arange(SIZE), **more}


def parts(returned: dict[str, Any]) -> dict[str, Any]:
    return split(examples_of(returned), SHARES, 0)


def shared(returned: dict[str, Any]) -> dict[str, dict[str, Any]]:
    examples = examples_of(returned)
    return overlap({name: Part(examples, rows) for name, rows in parts(returned).items()})


def told(returned: dict[str, Any]) -> list[SilentError]:
    return mistakes(Trace({}, ()), PROBE, shared(returned), {"changed": []})


def measured(size: int = SIZE, features: int = 5) -> Any:
    return np.random.default_rng(0).normal(size=(size, features))


def copied(count: int) -> Any:
    """Measured examples, each so many times."""
    return np.repeat(measured(SIZE // count), count, axis=0)


def drawn(high: int, features: int) -> Any:
    return np.random.default_rng(0).integers(0, high, (SIZE, features))


def one_pair() -> Any:
    """Measured examples; one in `test` is that of one in `train`."""
    x = measured()
    found = parts(with_ids(x))
    x[found["test"][0]] = x[found["train"][0]]
    return x


def test_the_count_is_that_of_a_plain_search() -> None:
    returned = with_ids(copied(3))
    found, x = shared(returned), returned["x"]
    rows = parts(returned)
    train = {tuple(x[row]) for row in rows["train"]}
    assert set(found) == {"validation", "test"}
    for name, part in found.items():
        assert part["examples"] == len(rows[name])
        assert part["in_train"] == sum(tuple(x[row]) in train for row in rows[name])
        assert 0 < part["in_train"] < part["examples"]


COPIES = {
    "pairs": copied(2),
    "tens": copied(10),
    "images": np.repeat(drawn(17, 64)[:60], 5, axis=0),
    "two inputs": {"left": copied(2)[:, :2], "right": copied(2)},
    "texts": np.array([[f"number {n // 2}", f"of {n // 2}", f"{n // 4}"] for n in range(SIZE)]),
    "one pair": one_pair(),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_in_two_parts_are_told(name: str) -> None:
    found = shared(with_ids(COPIES[name]))["test"]
    (mistake,) = told(with_ids(COPIES[name]))
    assert mistake.mistake == "overlapping splits"
    assert f"{found['in_train']} of {found['examples']} in `test`" in mistake.evidence


CLEAN: dict[str, dict[str, Any]] = {
    "measured": with_ids(measured()),
    "one input of two": with_ids({"left": copied(2)[:, :2], "right": measured()}),
    "copies without ids": {"x": copied(3), "y": np.zeros(SIZE, int)},
    "copies in one group": with_ids(copied(3), group=np.arange(SIZE) // 3),
    "three answers": with_ids(drawn(2, 3)),
    "one category": with_ids(drawn(40, 1)),
    "a category as one-hot": with_ids(np.eye(50)[drawn(50, 1)[:, 0]]),
    "a category, again and again": with_ids(drawn(30, 1).repeat(20, axis=1)),
    "answers and their opposites": with_ids(np.c_[drawn(2, 10), 1 - drawn(2, 10)]),
    "words": with_ids(np.array(["red", "green", "blue"])[drawn(3, 2)]),
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_no_copy_is_left_alone(name: str) -> None:
    assert told(CLEAN[name]) == []


def test_of_few_categories_chance_is_what_it_is() -> None:
    found = shared(with_ids(drawn(4, 4)))["test"]
    # 256 possible examples, all alike in frequency; what was drawn spreads about that.
    train = len(parts(with_ids(drawn(4, 4)))["train"])
    assert found["by_chance"] == pytest.approx(found["examples"] * (1 - (255 / 256) ** train), 0.2)
    assert found["in_train"] == pytest.approx(found["by_chance"], rel=0.3)


def test_without_a_part_for_training_nothing_overlaps() -> None:
    examples = examples_of(with_ids(copied(2)))
    assert overlap({"test": Part(examples, np.arange(SIZE))}) == {
        "test": {"examples": SIZE, "in_train": 0, "by_chance": 0.0}
    }


def of_given(**given: Any) -> dict[str, dict[str, Any]]:
    """The overlap of parts that `dataset` gave."""
    found = examples_of_parts(parts_of(given, Intake()), Intake())
    return {name: dict(each) for name, each in overlap(parted(found, SHARES, 0)).items()}


def evidence(found: dict[str, Any]) -> str:
    """What the verdict warns of; empty where it does not."""
    errors = mistakes(Trace({}, ()), PROBE, found, {"changed": []})
    assert {each.mistake for each in errors} <= {"overlapping splits"}
    return " ".join(each.evidence for each in errors)


def test_copies_in_given_parts_are_counted_and_stay_where_they_are() -> None:
    x, y = measured(), np.arange(SIZE) % 2
    test = np.concatenate([x[200:], x[:7]])
    found = of_given(train=(x[:200], y[:200]), test=(test, np.zeros(107, int)))
    # Seven of the 200; some of those were split off for validation.
    assert found["test"]["examples"] == 107
    assert found["test"]["in_train"] + found["test"].get("in_validation", 0) == 7
    assert found["validation"]["in_train"] == 0
    assert f"{found['test']['in_train']} of 107 in `test`" in evidence(found)
    clean = of_given(train=(x[:200], y[:200]), test=(x[200:], y[200:]))
    assert evidence(clean) == ""


def test_copies_of_validation_in_the_test_part_are_told() -> None:
    x = measured()
    found = of_given(train=x[:100], validation=x[100:200], test=x[195:])
    assert (found["test"]["in_train"], found["test"]["in_validation"]) == (0, 5)
    assert evidence(found) == (
        "Examples with an `x` that is also in `validation`: 5 of 105 in `test`."
    )


def test_a_group_in_two_given_parts_is_told() -> None:
    x, y = measured(), np.zeros(SIZE, int)

    def part(rows: slice, group: list[str]) -> dict[str, Any]:
        return {"x": x[rows], "y": y[rows], "group": group}

    found = of_given(
        train=part(slice(0, 200), [f"p{n // 4}" for n in range(200)]),
        test=part(slice(200, 300), [f"p{45 + n // 4}" for n in range(100)]),
    )
    assert 0 < found["test"]["group_in_train"] <= 20
    assert "a `group` that is also in `train`" in evidence(found)


def grouped(rows: slice, *group: str) -> dict[str, Any]:
    return {"x": measured()[rows], "group": [*group]}


def test_a_group_of_validation_in_the_test_part_is_told() -> None:
    found = of_given(
        train=grouped(slice(0, 4), *"aabb"),
        validation=grouped(slice(4, 7), *"ccd"),
        test=grouped(slice(7, 10), *"cce"),
    )
    assert evidence(found) == (
        "Examples with a `group` that is also in `validation`: 2 of 3 in `test`."
    )


def test_groups_of_one_part_alone_tell_nothing() -> None:
    x = measured()
    for given in ("train", "test"):
        parts = {"train": {"x": x[:200]}, "test": {"x": x[200:]}}
        parts[given]["group"] = np.arange(len(parts[given]["x"]))
        assert evidence(of_given(**parts)) == ""


def test_a_part_of_one_example_may_be_a_copy() -> None:
    x = measured()
    found = of_given(train=x[:200], validation=x[200:201], test=x[200:])
    assert "in `validation`: 1 of 100 in `test`" in evidence(found)


def test_ids_of_two_given_parts_may_begin_alike() -> None:
    x = measured()
    parts = {"train": {"x": x[:200], "id": range(200)}, "test": {"x": x[200:], "id": range(100)}}
    named = {name: {**part, "id": np.array(part["id"])} for name, part in parts.items()}
    assert evidence(of_given(**named)) == ""
