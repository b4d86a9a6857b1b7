"""Sets of text that had one order in all runs: which they are, and a seed that gives another."""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repro.cause.set_order import NotedSet, in_one_order, noted, reordering, steps_with_sets
from repro.launch.drawn_values import hash_seed

CANDIDATES = [f"order-{number}" for number in range(1, 65)]


def order(elements: Sequence[str], seed: str) -> tuple[str, ...]:
    """The order of a set of texts, put in as given, in a Python with that hash seed."""
    source = "import json, sys; print(json.dumps(list(set(json.loads(sys.argv[1])))))"
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", source, json.dumps(elements)],
        env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return tuple(repr(element) for element in json.loads(done.stdout))


def seen(elements: Sequence[str], seed: str = "0") -> NotedSet:
    return NotedSet("experiment.py", 3, order(elements, seed))


texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=2, max_size=5,
                 unique=True)  # fmt: skip


@settings(max_examples=25)
@given(texts, st.integers(1, 2**32 - 1))
def test_a_set_that_kept_its_order_is_never_passed_over(texts: list[str], seed: int) -> None:
    one = seen(texts)
    if order(texts, str(seed)) == one.order:
        assert in_one_order([one], ["0", str(seed)]) == [one]


def test_the_sets_of_two_that_fooled_one_fixed_seed_are_found() -> None:
    """0 and 4242 leave half of all pairs in one order."""
    pairs = [("pos", "neg"), ("male", "female"), ("0", "1"), ("true", "false"), ("red", "blue")]
    kept = in_one_order([seen(pair) for pair in pairs], ["0", "4242"])
    assert {one.order for one in kept} >= {seen(pair).order for pair in pairs[:4]}
    for one in kept:
        name = reordering([one], CANDIDATES)
        assert name is not None
        assert (
            order([ast.literal_eval(element) for element in one.order], hash_seed(name))
            == (one.order[::-1])
        )


def test_one_seed_reorders_as_many_as_it_can() -> None:
    kept = [seen((f"a{number}", f"b{number}")) for number in range(4)]
    name = reordering(kept, CANDIDATES)
    assert name is not None
    for one in kept:
        elements = [ast.literal_eval(element) for element in one.order]
        assert order(elements, hash_seed(name)) != one.order


def test_a_set_whose_order_differed_in_some_run_is_no_longer_asked_for() -> None:
    one = seen(("pos", "neg"))
    name = reordering([one], CANDIDATES)
    assert name is not None
    assert in_one_order([one], ["0", "4242", hash_seed(name)]) == []


def test_what_cannot_be_foretold_is_kept_and_no_seed_is_chosen_for_it() -> None:
    one = NotedSet("experiment.py", 3, ("PosixPath('a')", "PosixPath('b')"))
    assert in_one_order([one], ["0", "1", "2"]) == [one]
    assert reordering([one], CANDIDATES) == CANDIDATES[0]
    assert reordering([one], []) is None


def test_a_set_that_only_began_alike_is_asked_for_too() -> None:
    """`list(names)[0]` hangs on no more than that."""
    sets = [seen((f"a{n}", f"bb{n}", f"ccc{n}", f"dddd{n}")) for n in range(40)]
    begins = {one for one in sets if order([ast.literal_eval(e) for e in one.order], "4242")[0] == (
        one.order[0])}  # fmt: skip
    assert begins
    assert begins <= set(in_one_order(sets, ["0", "4242"]))


def test_elements_that_are_no_plain_text_are_not_foretold() -> None:
    assert not NotedSet("e.py", 1, ("[1]", "[2]")).known
    assert not NotedSet("e.py", 1, ("<Kind.A: 'a'>", "<Kind.B: 'b'>")).known
    assert NotedSet("e.py", 1, ("('a', 1)", "b'b'")).known


def test_what_was_noted_is_read_from_a_trial() -> None:
    detail = {"sets": [{"file": "e.py", "line": 4, "orders": [["'a'", "'b'"], ["'b'", "'a'"]]}]}
    assert [one.order for one in noted(detail)] == [("'a'", "'b'"), ("'b'", "'a'")]
    assert noted({}) == []


@pytest.mark.parametrize(
    ("source", "steps"),
    [
        ("def dataset(a, b, c):\n    return list({'x', 'y'})", ["prepare"]),
        ("def dataset(a, b, c):\n    return [c for c in set(b)]", ["prepare"]),
        ("def dataset(a, b, c):\n    return list(a.keys() & b.keys())", ["prepare"]),
        ("def dataset(a, b, c):\n    return list(a.union(b))", ["prepare"]),
        ("def model(a, b):\n    return {t for t in a}", ["train", "evaluate"]),
        ("def augment(x, y, seed):\n    return frozenset(x)", ["train"]),
        ("NAMES = {'x', 'y'}", ["prepare", "train", "evaluate"]),
        ("def own(a):\n    return sorted(set(a), key=len)", ["prepare", "train", "evaluate"]),
        ("def dataset(a, b, c):\n    return sorted(set(b))", []),
        ("def dataset(a, b, c):\n    return len({1, 2}), b in {'x', 'y'}", []),
        ("def dataset(a, b, c):\n    return sorted({t for t in b})", []),
        ("def dataset(a, b, c):\n    return sorted({t for t in list(set(b))})", ["prepare"]),
        ("def dataset(a, b, c):\n    return defaultdict(set)", ["prepare"]),
        ("def dataset(a, b, c):\n    return reduce(set.union, b)", ["prepare"]),
        ("def dataset(a, b, c):\n    return isinstance(b, set)", []),
        ("def dataset(a, b, c):\n    return sorted(a.union(b))", []),
        ("def dataset(a, b, c):\n    return {'x': 1}, a.keys(), a & b", []),
        ("def dataset(a, b, c:\n", []),
    ],
)
def test_only_where_a_set_may_be_iterated_over_is_anything_run(
    source: str, steps: list[str], tmp_path: Path
) -> None:
    (tmp_path / "experiment.py").write_text(source)
    assert steps_with_sets(tmp_path / "experiment.py") == steps
    assert steps_with_sets(tmp_path) == steps
