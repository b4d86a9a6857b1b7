"""At call: edits at the very call, or expression, through which two runs differ, but for seeds.

Synopsis:
    in_listed_order(source, call)    # `os.listdir(p)` becomes `sorted(os.listdir(p))`

Each gives the edits, or none where the source has another form than it can mend.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from repro.ledger.blamed import LedgerCall
from repro.ledger.set_order import HASH, lines_on_hash_seed
from repro.repair.edits import Edit
from repro.repair.source import UserSource

Edits = Sequence[Edit]

_SORTED_BY_NAME = "os.scandir"
_WALKS = ("os.walk", "tensorflow.io.gfile.walk")


def in_listed_order(source: UserSource, call: LedgerCall) -> Edits:
    """Sorts what a listing gives."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        outer = source.around(node)[0]
        if call.call in _WALKS:
            edits += _sorted_walk(source, node, outer)
        elif call.call == _SORTED_BY_NAME:
            if not isinstance(outer, ast.withitem):
                edits += source.wrapped(node, "sorted(", ", key=lambda entry: entry.name)")
        else:
            edits += _sorted(source, node)
    return edits


def _sorted(source: UserSource, node: ast.expr) -> Edits:
    """`sorted(…)` around an expression, or in place of `list` around it."""
    outer = source.around(node)[0]
    function = outer.func if isinstance(outer, ast.Call) and outer.args == [node] else None
    if isinstance(function, ast.Name) and function.id == "list":
        return [source.replaced(function, "sorted")]
    if first := _first_of(source, node):
        return first
    if isinstance(node, ast.GeneratorExp):
        return ()
    return source.wrapped(node, "sorted(", ")")


def _first_of(source: UserSource, node: ast.expr) -> Edits:
    """The smallest one in place of `next`, which takes no list."""
    outer = source.around(node)[0]
    if not (isinstance(outer, ast.Call) and outer.args[:1] == [node] and not outer.keywords):
        return ()
    if not (isinstance(outer.func, ast.Name) and outer.func.id == "next"):
        return ()
    start = [source.span(each)[0] for each in outer.args[1:]]
    default = [Edit(source.name, place, place, "default=") for place in start]
    return [source.replaced(outer.func, "min"), *default]


def _sorted_walk(source: UserSource, node: ast.Call, outer: ast.AST) -> Edits:
    """Sorts the folders, which a walk then enters in this order, and the files in its loop."""
    if not (isinstance(outer, ast.For) and outer.iter is node and node.args):
        return ()
    target, first = outer.target, outer.body[0]
    if not isinstance(target, ast.Tuple) or len(target.elts) != 3:
        return ()
    names = [ast.unparse(each) for each in target.elts[1:]]
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    place = source.line_start(min(each.lineno for each in (first, *decorators)))
    indent = source.content[place : place + first.col_offset].decode()
    if indent.strip():  # it stands in a line with the head of the loop
        return ()
    lines = "".join(f"{indent}{name}.sort(){source.newline}" for name in names)
    return [Edit(source.name, place, place, lines)]


def sorted_set(source: UserSource, call: LedgerCall) -> Edits:
    """Sorts the set that the line goes through in its own order."""
    for line in lines_on_hash_seed(source.content, {}):
        if (line.number, line.text) == (call.line, call.call) and line.source != HASH:
            node = source.here(line.node)
            if not isinstance(source.around(node)[0], ast.Attribute):  # `pop` takes one out of it
                return _sorted(source, node)
    return ()


def without_hash(source: UserSource, call: LedgerCall) -> Edits:
    """Takes a checksum in place of `hash`."""
    lines = lines_on_hash_seed(source.content, {})
    hashed = {
        ast.unparse(line.node)
        for line in lines
        if (line.number, line.source) == (call.line, HASH) and isinstance(line.node, ast.Call)
    }
    return [
        source.replaced(node, f"zlib.crc32(repr({source.text(node.args[0])}).encode())")
        for node in source.all_calls()
        if node.lineno == call.line and ast.unparse(node) in hashed
    ]


def in_asked_order(source: UserSource, call: LedgerCall) -> Edits:
    """Takes results in the order in which they were asked for."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        if call.call.endswith("as_completed") and len(node.args) == 1:
            edits.append(source.replaced(node, source.text(node.args[0])))
        elif call.call.endswith("imap_unordered") and isinstance(node.func, ast.Attribute):
            end = source.span(node.func)[1]
            edits.append(Edit(source.name, end - len("imap_unordered"), end, "imap"))
        edits += [
            source.replaced(each.value, "True")
            for each in node.keywords
            if each.arg == "deterministic" and ast.unparse(each.value) == "False"
        ]
    return edits


def one_worker(source: UserSource) -> Edits:
    """Lets every `workers=N` of the file be one, in this process."""
    found = [each for call in source.all_calls() for each in call.keywords]
    return [
        source.replaced(each.value, "1")
        for each in found
        if each.arg == "workers" and ast.unparse(each.value) not in ("0", "1", "None")
    ]


def numbered_names(source: UserSource, call: LedgerCall) -> Edits:
    """Lets the names of temporary files begin with the number of the loop that makes them."""
    for node in source.calls(call.call, call.line):
        if node.args or None in {each.arg for each in node.keywords}:
            return ()
        number = next(filter(None, map(_number, source.around(node))), None)
        if number is None:
            return ()
        given = {each.arg: each.value for each in node.keywords}
        before = given.get("prefix")
        start = "" if before is None else ast.literal_eval(before) if _is_text(before) else None
        if start is None or "{" in start:
            return ()
        text = f'f"{start}{{{number}:06d}}-"'
        if before is not None:
            return [source.replaced(before, text)]
        end = source.closing(node)
        if node.keywords:
            last = max(node.keywords, key=lambda each: source.span(each)[1])
            end = source.behind(node, last)
        return [Edit(source.name, end, end, f"{', ' * bool(node.keywords)}prefix={text}")]
    return ()


def _is_text(node: ast.expr) -> bool:
    plain = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return plain and ast.unparse(node).isprintable() and '"' not in ast.unparse(node)


def _number(outer: ast.AST) -> str | None:
    """The name that counts in a loop over `range` or `enumerate`."""
    if not (isinstance(outer, ast.For) and isinstance(outer.iter, ast.Call)):
        return None
    name, target = ast.unparse(outer.iter.func), outer.target
    if name == "range" and isinstance(target, ast.Name):
        return target.id
    if name == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        return ast.unparse(target.elts[0])
    return None


def fixed_count(source: UserSource, call: LedgerCall, count: int) -> Edits:
    """Puts a number in place of one that the machine gives."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        outer = source.around(node)[0]
        if isinstance(outer, ast.Call) and source.called(outer) == "len":
            edits.append(source.replaced(outer, str(count)))
        elif call.call.endswith("cpu_count"):
            edits.append(source.replaced(node, str(count)))
    return edits


def by_name(source: UserSource, call: LedgerCall) -> Edits:
    """Sorts files by name where they are sorted by what the system says of them."""
    name = call.call.rpartition(".")[2]
    return [
        source.left_out(node, each)
        for node in source.calls("sorted", call.line)
        for each in node.keywords
        if each.arg == "key" and source.text(each.value).rpartition(".")[2] == name
    ]
