"""At silent errors: edits for what is the same in every run, and wrong.

Synopsis:
    asked_without_argument(source, call)   # `enable_op_determinism(True)` loses its argument
    set_once(source, call)                 # a seed that is set in each epoch is set before them

Each gives the edits, or none where the source has another form than it can mend. They change what
is computed, for the better.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from repro.ledger.blamed import LedgerCall
from repro.repair.edits import Edit
from repro.repair.source import UserSource

Edits = Sequence[Edit]

_NOT_FOR_DATASETS = (
    "x", "y", "validation_split", "sample_weight", "shuffle", "steps_per_epoch",
)  # fmt: skip
_SETTING = ("seed", "default_rng", "set_seed", "set_random_seed")
_DRAWN = ("normal", "uniform", "truncated_normal")
_CUTTING = ("take", "skip")
_SHUFFLED = "reshuffle_each_iteration"
_LOOPS = (ast.For, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def asked_without_argument(source: UserSource, call: LedgerCall) -> Edits:
    """Asks for deterministic operations in the one way that there is: without an argument."""
    for node in source.calls("enable_op_determinism", call.line):
        if node.args or node.keywords:
            first = min((*node.args, *node.keywords), key=lambda each: source.span(each)[0])
            return [Edit(source.name, source.span(first)[0], source.closing(node), "")]
    return ()


def in_fresh_order(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Gives `fit`, in place of arrays, a dataset of them that is shuffled anew in each epoch."""
    for node in source.calls("fit", call.line):
        given = {each.arg: each for each in node.keywords}
        if len(node.args) != 2 or not all(isinstance(each, ast.Name) for each in node.args):
            return ()
        if not given.keys().isdisjoint(_NOT_FOR_DATASETS) or None in given:
            return ()
        x, y = map(source.text, node.args)
        size = source.text(given["batch_size"].value) if "batch_size" in given else "32"
        data = f"tf.data.Dataset.from_tensor_slices(({x}, {y}))"
        start, end = source.span(node.args[0])[0], source.span(node.args[1])[1]
        made = f"{data}.shuffle(len({x}), seed={seed}).batch({size})"
        edits = [Edit(source.name, start, end, made)]
        if "batch_size" in given:
            edits.append(source.left_out(node, given["batch_size"]))
        return edits
    return ()


def going_on(source: UserSource, call: LedgerCall, steps: int | None) -> Edits:
    """Lets a Grain dataset repeat by itself, and tells `fit` where an epoch ends."""
    shuffles = [node for node in source.all_calls() if _method(node) == "shuffle"]
    repeats = any(_method(node) == "repeat" for node in source.all_calls())
    of_grain = any(name.startswith("grain") for name in source.imported.values())
    for node in source.calls("fit", call.line):
        given = {each.arg for each in node.keywords}
        if not steps or not of_grain or repeats or len(shuffles) != 1 or len(node.args) != 1:
            return ()
        if not given.isdisjoint(("steps_per_epoch", None)):
            return ()
        end, place = source.span(shuffles[0])[1], source.behind(node, node.args[0])
        return [
            Edit(source.name, end, end, ".repeat()"),
            Edit(source.name, place, place, f", steps_per_epoch={steps}"),
        ]
    return ()


def drawn_on(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Draws in a pipeline from a generator that goes on, where an operation begins again."""
    edits = list[Edit]()
    for node in source.all_calls():
        first, _, last = source.called(node).rpartition(".")
        if node.lineno != call.line or first != "tensorflow.random" or last not in _DRAWN:
            continue
        assert isinstance(node.func, ast.Attribute)
        own = ast.unparse(node.func.value)
        name = _free(source, "generator")
        edits.append(source.replaced(node.func, f"{name}.{last}"))
        edits += [source.left_out(node, each) for each in node.keywords if each.arg == "seed"]
        if len(node.args) > 4:
            return ()
        place = _line_of(source, source.around(node)[-2])
        made = f"{name} = {own}.Generator.from_seed({seed}){source.newline * 3}"
        edits.append(Edit(source.name, place, place, made))
    return edits


def set_once(source: UserSource, call: LedgerCall) -> Iterator[Edits]:
    """Sets a seed before the loop, or the function, that sets it again and again."""
    last = call.call.rpartition(".")[2]
    calls = [node for node in source.all_calls() if node.lineno == call.line]
    for node in calls:
        name = source.called(node).rpartition(".")[2]
        statement = source.around(node)[0]
        if name not in _SETTING or (last and name != last) or not _constant(node):
            continue
        alone = isinstance(statement, ast.Expr) or (
            isinstance(statement, ast.Assign)
            and statement.value is node
            and all(isinstance(each, ast.Name) for each in statement.targets)
        )
        if alone:
            assert isinstance(statement, ast.stmt)
            yield from _moved_out(source, statement)


def _moved_out(source: UserSource, statement: ast.stmt) -> Iterator[Edits]:
    around = source.around(statement)
    body: list[ast.stmt] = getattr(around[0], "body", [])
    if not source.alone_in_its_lines(statement) or body == [statement]:
        return
    loops = [each for each in around if isinstance(each, _LOOPS)]
    text = source.text(statement)
    for loop in dict.fromkeys((*loops[:1], *loops[-1:])):
        place = _line_of(source, loop)
        indent = " " * loop.col_offset
        moved = Edit(source.name, place, place, f"{indent}{text}{source.newline}")
        yield [moved, source.without_lines(statement)]
    function = around[-2] if len(around) > 1 else None
    if not loops and isinstance(function, _FUNCTIONS) and around[0] is function:
        place = _line_of(source, function)
        moved = Edit(source.name, place, place, f"{text}{source.newline * 3}")
        if not _named_elsewhere(source, statement, function):
            yield [moved, source.without_lines(statement)]


def _named_elsewhere(source: UserSource, statement: ast.stmt, function: ast.AST) -> bool:
    """Whether the names that a statement of a function gives mean something else as well."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    own = {id(node) for node in ast.walk(function)}
    names = {ast.unparse(target) for target in targets}
    for node in ast.walk(source.tree):
        outside = isinstance(node, ast.Name) and node.id in names and id(node) not in own
        given = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        again = given and ast.unparse(node) in names and node not in targets
        argument = isinstance(node, ast.arg) and node.arg in names and id(node) in own
        if outside or again or argument:
            return True
    return False


def cut_once(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Keeps the order from which parts are cut, and shuffles the part that is trained on."""
    for node in source.calls("fit", call.line):
        given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "x")]
        cut = _cut(source, given[0], call.line) if given else None
        shuffles = [
            each
            for each in source.all_calls()
            if cut and _method(each) == "shuffle" and each.lineno <= cut.lineno and each.args
        ]
        if cut is None or len(shuffles) != 1 or _keyword(shuffles[0], _SHUFFLED):
            return ()
        [shuffle] = shuffles
        last = max((*shuffle.args, *shuffle.keywords), key=lambda each: source.span(each)[1])
        inside, behind = source.behind(shuffle, last), source.span(cut)[1]
        size = source.text(shuffle.args[0])
        return [
            Edit(source.name, inside, inside, f", {_SHUFFLED}=False"),
            Edit(source.name, behind, behind, f".shuffle({size}, seed={seed})"),
        ]
    return ()


def _cut(source: UserSource, data: ast.expr, line: int, further: int = 4) -> ast.Call | None:
    """The call that cuts a part off, in an expression or where its name was given to one."""
    calls = [node for node in ast.walk(data) if isinstance(node, ast.Call)]
    if cuts := [each for each in calls if _method(each) in _CUTTING]:
        return cuts[0]
    names = [node.id for node in ast.walk(data) if isinstance(node, ast.Name)]
    given = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign)
        and node.lineno < line
        and any(ast.unparse(target) in names for target in node.targets)
    ]
    if not given or not further:
        return None
    last = max(given, key=lambda node: node.lineno)
    return _cut(source, last.value, last.lineno, further - 1)


def _method(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _keyword(node: ast.Call, name: str) -> bool:
    return any(each.arg == name for each in node.keywords)


def _constant(node: ast.Call) -> bool:
    given = (*node.args, *(each.value for each in node.keywords))
    return all(isinstance(each, ast.Constant) for each in given)


def _free(source: UserSource, name: str) -> str:
    """A name that the file does not use."""
    return name if name.encode() not in source.content else f"{name}_of_noise"


def _line_of(source: UserSource, node: ast.AST) -> int:
    """The position of the line in which a statement begins, with its decorators."""
    assert isinstance(node, ast.stmt)
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return source.line_start(min(each.lineno for each in (node, *decorators)))
