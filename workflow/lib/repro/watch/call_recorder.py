"""Call recorder: where the user's code asks for what may differ between two runs.

Synopsis:
    with watched(path, inputs) as calls:       # before the user's code is loaded
        code = load(path)
        ...
    calls.write(out / "detail.json", tensors)

Nothing that the user's code calls is replaced. While its files are loaded, every call in them is
rewritten (`repro.watch.ast_hooks`), so that the called function is looked up in a table first:
`f(x)` becomes `recorder.call(f, file, line)(x)`, which gives `f` back unless there may be something
to note. So types stay what they are, and what libraries call among themselves is not noted.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path, PurePath
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any, TypedDict

from repro.core.atomic import write_text
from repro.core.canonical_json import pretty
from repro.data.user_errors import name_in
from repro.watch.ast_hooks import RECORDER, rewritten
from repro.watch.call_conditions import is_path, salted, started_by
from repro.watch.call_sites import converted, converting, running
from repro.watch.nondeterminism_sources import WatchedCall, modules, of, table
from repro.watch.op_trace import TensorRow
from repro.watch.walks_over_sets import goes_through, is_set, leaves_ties, sets_in

_FIELDS = ("call", "source", "function", "file", "line")
LARGEST_SET = 8
"""Of a larger set no order is noted: by chance, two runs hardly ever give it the same."""
_ORDERS = 20


class CodeLine(TypedDict):
    """A line of the user's code."""

    file: str
    line: int


class SetOrders(CodeLine):
    """Where a small set was iterated over, and each order of its elements, as Python writes it."""

    orders: list[list[str]]


class CallReport(TypedDict):
    """What was noted: calls, where each Keras layer was made, and orders of sets."""

    calls: list[dict[str, object]]
    layers: dict[str, CodeLine]
    sets: list[SetOrders]


class Calls:
    """What was noted; rewritten code calls `call`, `iterated` and `seen`.

    Args:
        inputs: files and folders that the user's code may read.
        otherwise: the function of the experiment at work where none is found on the stack.
    """

    def __init__(self, path: Path, inputs: Iterable[Path], otherwise: str) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 (links stay, as in tracebacks)
        self._inputs = [Path(os.path.realpath(each)) for each in (*inputs, path)]
        self._otherwise = otherwise
        self._counts: Counter[tuple[Any, ...]] = Counter()
        self._layers: dict[str, CodeLine] = {}
        self._orders: dict[tuple[str, int], dict[tuple[str, ...], None]] = {}
        self._awaited, self._modules = modules(), 0
        self._table: dict[Any, tuple[WatchedCall, ...]] = {}
        self._lock, self._undone, self._active = Lock(), ExitStack(), True

    def report(self) -> CallReport:
        """What was noted."""
        counts = sorted(self._counts.items(), key=str)
        calls: list[dict[str, object]] = [
            {**dict(zip(_FIELDS, k, strict=True)), "count": n} for k, n in counts
        ]
        sets: list[SetOrders] = [
            {"file": file, "line": line, "orders": [list(order) for order in orders]}
            for (file, line), orders in sorted(self._orders.items())
        ]
        return {"calls": calls, "layers": dict(self._layers), "sets": sets}

    def write(self, path: Path, tensors: Sequence[TensorRow] = ()) -> None:
        """Writes detail.json: what was noted, and the tensors of one step where one was traced."""
        write_text(path, pretty({**self.report(), "tensors": list(tensors)}))

    def end(self) -> None:
        """Notes no more; rewritten code still runs."""
        self._active = False
        self._undone.close()

    def call(self, function: Any, file: str, line: int, free: bool = False) -> Any:
        """What to call in place of a function: itself, unless there may be something to note.

        The file is relative to the experiment; `free` says that the order of the result plays no
        part.
        """
        if self._active and self._asks(function):
            return partial(self._called, function, file, line, free)
        return function

    def iterated(self, value: Any, file: str, line: int) -> Any:
        """Notes an iteration over a set whose order depends on hashes; gives the value back."""
        if self._active and is_set(value) and salted(tuple(value)):
            self._note("iteration over a set", "hash", file, line)
            self._note_order(value, file, line)
        return value

    def _note_order(self, value: Any, file: str, line: int) -> None:
        if 2 <= len(value) <= LARGEST_SET:
            with self._lock:
                orders = self._orders.setdefault((file, line), {})
                if len(orders) < _ORDERS:
                    # A text of NumPy's, or of an enumeration, has the hash of the plain one.
                    texts = (str.__str__(v) if isinstance(v, str) else v for v in value)
                    orders[tuple(map(repr, texts))] = None

    def seen(self, value: Any, file: str, line: int, call: str, source: str) -> Any:
        """Notes the reading of an attribute; gives its value back."""
        if self._active:
            self._note(call, source, file, line)
        return value

    def set_on(self, value: Any, file: str, line: int, name: str, owner: Any) -> Any:
        """Notes that `workers` or `use_multiprocessing` of a `PyDataset` is set; gives it back."""
        for source in started_by(owner, name, value) if self._active else ():
            self._note(f"keras.utils.PyDataset.{name}", source, file, line)
        return value

    def part_of_path(self, value: Any, file: str, line: int, name: str) -> Any:
        """An attribute of a value; notes it where it tells the place of a file."""
        if self._active and isinstance(value, PurePath) and value.is_absolute():
            self._note(f"pathlib.Path.{name}", "place of a file", file, line)
        return getattr(value, name)

    def called_converted(
        self, function: Any, args: Sequence[Any], named: Mapping[str, Any]
    ) -> None:
        """Notes a call in code that TensorFlow's autograph made from the user's."""
        sources = self._varying(function, args, named) if self._active else []
        place = converted(self.path) if sources else None
        for source in sources if place else []:
            assert place
            self._note(source.call, source.source, place.file, place.line, place.function)

    def _asks(self, function: Any) -> bool:
        if self._sources(function):
            return True
        # Most functions are written in Python; none of those is looked at for more.
        if type(function) is FunctionType:
            return False
        return goes_through(function) or leaves_ties(function, ()) or _is_layer(function)

    def _called(
        self, function: Any, file: str, line: int, free: bool, /, *args: Any, **named: Any
    ) -> Any:
        for source in self._varying(function, args, named):
            if not (free and source.ordered):
                self._note(source.call, source.source, file, line)
        if goes_through(function) and not free:
            for value in sets_in(function, args):
                self.iterated(value, file, line)
        if leaves_ties(function, args) and not (free and not args):
            self._note("collections.Counter.most_common", "ties", file, line)
        result = function(*args, **named)
        if _is_layer(function):
            self._layers[result.name] = {"file": file, "line": line}
        return result

    def _sources(self, function: Any) -> tuple[WatchedCall, ...]:
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            self._look_again()
        return of(function, self._table)

    def _look_again(self) -> None:
        """What was imported since may be in the table, or make code of the user's."""
        loaded = {name for name in self._awaited if name in sys.modules}
        if loaded:
            self._awaited -= loaded
            self._table = table()
        if "tensorflow" in loaded:
            self._undone.enter_context(converting(self.called_converted))

    def _varying(
        self, function: Any, args: Sequence[Any], named: Mapping[str, Any]
    ) -> list[WatchedCall]:
        return [
            source
            for source in self._sources(function)
            if source.when(args, named) and not (source.reads and self._is_input(function, args))
        ]

    def _is_input(self, function: Any, args: Sequence[Any]) -> bool:
        owner = getattr(function, "__self__", None)
        file = owner if is_path(owner) else args[0] if args else None
        if file is None or not is_path(file):
            return True  # a buffer, a tensor or a descriptor: not to be told
        real = Path(os.path.realpath(file))
        return any(real.is_relative_to(each) for each in self._inputs)

    def _note(
        self, call: str, source: str, file: str, line: int, function: str | None = None
    ) -> None:
        function = function or running(self.path) or self._otherwise
        with self._lock:
            self._counts[call, source, function, file, line] += 1


def _is_layer(function: Any) -> bool:
    kind = getattr(sys.modules.get("keras"), "Layer", None)
    return kind is not None and isinstance(function, type) and issubclass(function, kind)


@contextmanager
def watched(
    path: Path, inputs: Iterable[Path] = (), otherwise: str = "training"
) -> Generator[Calls]:
    """Notes what the user's code calls, and yields it; to be entered before the code is loaded.

    Args:
        inputs: files and folders that the user's code may read, such as raw data.
        otherwise: the function of the experiment that calls are counted for where none of its
            functions is on the stack: `dataset` where data is prepared.
    """
    calls = Calls(path, inputs, otherwise)
    original = SourceFileLoader.exec_module

    def exec_module(self: SourceFileLoader, module: ModuleType) -> None:
        file = self.path
        name = name_in(calls.path, file)
        if name is None:
            return original(self, module)
        vars(module)[RECORDER] = calls
        tree = rewritten(self.get_data(file), name, file)
        exec(compile(tree, file, "exec", dont_inherit=True), vars(module))
        return None

    SourceFileLoader.exec_module = exec_module
    try:
        yield calls
    finally:
        SourceFileLoader.exec_module = original
        calls.end()
