"""Examples that two parts share are counted; what few categories share by chance is told apart."""

from typing import Any

import numpy as np
import pytest
from repro.data.dataset import Part, examples_of, split
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
