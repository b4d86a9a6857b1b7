"""The first operation that made a difference of equal inputs is found, and nothing else."""

from typing import Any

import pytest
from repro.cause.first_divergent_op import Culprit, culprit

PLACES = {"dense": {"file": "experiment.py", "line": 7}}


def tensor(name: str, digest: str, *inputs: int, **changes: Any) -> dict[str, Any]:
    own = {"op": "MatMul", "layer": None, "phase": "forward", "file": None, "line": None}
    return {**own, "name": name, "digest": digest, "inputs": list(inputs), **changes}


def found(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> Culprit | None:
    return culprit({"tensors": left, "layers": PLACES}, {"tensors": right, "layers": PLACES})


def chain(*digests: str) -> list[dict[str, Any]]:
    """x -> a -> b; x and a -> c; d stands alone."""
    names = {"x": (), "a": (0,), "b": (1,), "c": (0, 1), "d": ()}
    return [
        tensor(n, digest, *names[n]) for n, digest in zip(names, digests, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ("00000", None),
        ("10000", "x"),
        ("11110", "x"),
        ("01110", "a"),
        ("00100", "b"),
        ("00010", "c"),
        ("00111", "b"),
        ("00001", "d"),
        ("01111", "a"),
    ],
)
def test_the_first_with_equal_inputs_is_named(right: str, name: str | None) -> None:
    one = found(chain(*"00000"), chain(*right))
    assert (one and one.name) == name
    again = found(chain(*right), chain(*"00000"))
    assert again == one


def test_its_place_is_that_of_the_operation_or_else_of_its_layer() -> None:
    def at(**changes: Any) -> tuple[Any, Any]:
        one = found([tensor("a", "0", **changes)], [tensor("a", "1", **changes)])
        assert one is not None
        return one.file, one.line

    assert at(layer="dense", file="own.py", line=3) == ("own.py", 3)
    assert at(layer="dense") == ("experiment.py", 7)
    assert at(layer="dense/inner") == ("experiment.py", 7)
    assert at(layer="other") == (None, None)
    assert at() == (None, None)


def test_everything_is_told() -> None:
    changes = {"op": "Conv2D", "layer": "conv", "phase": "gradient", "file": "e.py", "line": 1}
    one = found([tensor("a:0", "0", **changes)], [tensor("a:0", "1", **changes)])
    assert one == Culprit("a:0", "Conv2D", "conv", "gradient", "e.py", 1)


def test_steps_of_other_operations_part_where_one_has_more() -> None:
    left = [tensor("a", "0"), tensor("b", "0", 0)]
    right = [tensor("a", "0"), tensor("new", "0", 0), tensor("b", "0", 1)]
    for pair in ((left, right), (right, left)):
        one = found(*pair)
        assert one is not None
        assert one.name == "new"


def test_without_tensors_nothing_is_found() -> None:
    assert found([], []) is None
    assert found([tensor("a", "0")], []) is None
    assert found([], [tensor("a", "0")]) is None
