"""Lines that go through a set in its own order, or hash text, read off the source."""

from pathlib import Path
from typing import Any

import pytest
from repro.cause.set_order import steps_with_sets
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER, lines_on_hash_seed
from repro.watch.call_sites import FUNCTIONS, running


def found(source: str, **held: Any) -> list[tuple[str, int]]:
    return [(line.source, line.number) for line in lines_on_hash_seed(source.encode(), held)]


@pytest.mark.parametrize(
    "line",
    [
        "list(set(words))",
        "list({word.lower() for word in words})",
        "[w for w in set(words)]",
        "{w: n for n, w in enumerate(set(words))}",
        "dict(zip(set(words), numbers))",
        "' '.join(set(words))",
        "for w in frozenset(words): print(w)",
        "print(*set(words))",
        "first, second = {'a', 'b'}",
        "list(set(words) - {'the'})",
        "list(set(map()))",
        "list(set(map(*pairs)))",
        "list(set(map(str, words)))",
        "list(one.keys() & other.keys())",
        "sorted(set(words), key=len)",
        "set(words).pop()",
        "np.array(list(set(words)))",
        "next(iter(set(words)))",
        "def f():\n yield from set(words)",
        "vocabulary = set()\nvocabulary.update(words)\nlist(vocabulary)",
        "def words_of(t):\n return set(t.split())\nlist(words_of(t))",
        "class A:\n def a(self):\n  self.w = set()\n def b(self):\n  return list(self.w)",
        "def f(w: set[str]):\n return list(w)",
        "w = set(a)\ndef f():\n return tuple(w)",
        "def f():\n w = set()\n for t in texts: w = w.union(t)\n return list(w)",
        "def f(w):\n w = w if w else {'a'}\n return list(w)",
        "w = set(a)\nw = w - stop\ndef f():\n return list(w)",
    ],
)
def test_what_takes_the_order_of_a_set_is_found(line: str) -> None:
    assert [source for source, _ in found(line)] == [ORDER], found(line)
    assert found(line)[0][1] == len(line.splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "sorted(set(words))",
        "len(list(set(words)))",
        "sorted(w.lower() for w in set(words))",
        "{w.lower() for w in set(words)}",
        "any(w in text for w in set(words))",
        "sorted(list(set(words)))",
        "words = list(set(words))\nwords.sort()",
        "words = set(words)\nwords = sorted(words)\nfor w in words: print(w)",
        "list(set(range(9)))",
        "list({1, 2, 3})",
        "list(set(map(int, words)))",
        "for n in {len(w) for w in words}: print(n)",
        "'a' in set(words)",
        "list(words)",
        "for w in words: print(w)",
        "stack = [1]\nstack.pop()",
        "def f(w: set[int]):\n return list(w)",
        "w = set(a)\ndef f(w):\n return tuple(w)",
        "def f(x):\n x = x - x.mean()\n return list(x)",
        "def f():\n a = b\n b = a\n return list(a)",
    ],
)
def test_what_takes_no_order_of_text_is_not(line: str) -> None:
    assert found(line) == []


def test_long_sums_are_read_in_no_time() -> None:
    lines = (f" x{n} = x{n - 1} - x{n - 1} - x{n - 1}" for n in range(1, 99))
    assert found("\n".join(["def f(x0):", *lines, " return list(x98)"])) == []


def test_a_set_that_the_module_holds_tells_what_is_in_it() -> None:
    source = "words = read()\nwords = set(words)\nlist(words)"
    assert found(source, words={"a", "b"}) == [(TEXT_ORDER, 3)]
    assert found(source, words={1, 2}) == []
    assert found(source, words=set()) == [(ORDER, 3)]
    # What a function calls so is another one.
    inner = "def f(n):\n words = set(n)\n return list(words)"
    assert found(inner, words={1, 2}) == [(ORDER, 3)]


@pytest.mark.parametrize(
    ("line", "hashed"),
    [
        ("part = hash(name) % 5", True),
        ("part = hash('name')", True),
        ("part = hash(7)", False),
        ("part = table.hash(name)", False),
        ("class A:\n def __hash__(self):\n  return hash(self.name)", False),
    ],
)
def test_hash_of_text_is_found(line: str, hashed: bool) -> None:
    assert found(line) == ([(HASH, len(line.splitlines()))] if hashed else [])


def test_the_expression_is_shown() -> None:
    (line,) = lines_on_hash_seed(b"f(vocabulary=list( set(w) ))", {})
    assert line.text == "list(set(w))"
    with pytest.raises(SyntaxError):
        lines_on_hash_seed(b"print 1", {})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_set_in_a_function_is_of_the_steps_that_call_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.py"
    file.write_text(f"def {name}(words): return list(set(words))\n")
    steps = {"dataset": ["prepare"], "fit_preprocessing": ["prepare"]}
    steps |= {"model": ["train", "evaluate"]}
    assert steps_with_sets(file) == steps.get(name, ["train"])


def test_each_function_of_an_experiment_is_known_while_it_runs(tmp_path: Path) -> None:
    path, code = tmp_path / "experiment.py", "def {}(running, path): return running(path)"
    names = ("dataset", "fit_preprocessing", "model", "augment", "callbacks", "class_weight")
    for name in names:
        module: dict[str, Any] = {}
        exec(compile(code.format(name), str(path), "exec"), module)
        assert module[name](running, path) == name
