"""At call: edits at the very call, or expression, through which two runs differ.

Synopsis:
    seeded(source, call, 1)          # `default_rng()` becomes `default_rng(1)`
    in_listed_order(source, call)    # `os.listdir(p)` becomes `sorted(os.listdir(p))`

Each gives the edits, or none where the source has another form than it can mend.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from repro.divergence.named_call import LedgerCall
from repro.ledger.set_order import HASH, lines_on_hash_seed
from repro.ledger.watched_calls import SEEDS
from repro.repair.edits import Edit
from repro.repair.source import UserSource

Edits = Sequence[Edit]

_SEEDING = (
    *SEEDS, "keras.utils.set_random_seed", "tensorflow.keras.utils.set_random_seed",
    "numpy.random.RandomState", "random.Random", "tensorflow.random.Generator.from_seed",
)  # fmt: skip
_NOT_FOR_DATASETS = (
    "x", "y", "validation_split", "sample_weight", "shuffle", "steps_per_epoch",
)  # fmt: skip
_PLACE_OF_SEED = {"shuffle": 1, "list_files": 2}
"""Which argument the seed is, where it is not the first one."""
_NAMES_OF_SEED = ("seed", "entropy", "a", "x")
_SORTED_BY_NAME = "os.scandir"
_WALKS = ("os.walk", "tensorflow.io.gfile.walk")


def seeded(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Gives each unseeded generator that is made in the line a seed, each another one."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        if any(isinstance(each, ast.Starred) for each in node.args) or any(
            each.arg is None for each in node.keywords
        ):
            return ()
        value, end = str(seed + len(edits)), source.span(node)[1] - 1
        place = _PLACE_OF_SEED.get(call.call.rpartition(".")[2], 0)
        given = [*node.args[place : place + 1]]
        given += [each.value for each in node.keywords if each.arg in _NAMES_OF_SEED]
        if given:  # another call in the line may have its seed already
            absent = [each for each in given if ast.unparse(each) == "None"]
            edits += [source.replaced(each, value) for each in absent]
        elif not (node.args or node.keywords):
            edits.append(Edit(source.name, end, end, value))
        else:
            end = max(source.span(each)[1] for each in (*node.args, *node.keywords))
            edits.append(Edit(source.name, end, end, f", seed={value}"))
    return edits


def constant_seed(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Puts a number in place of what a seed is made of, where a line shows that it is one."""
    for node in source.calls(call.call, call.line):
        if source.called(node) in _SEEDING and node.args:
            return [source.replaced(node.args[0], str(seed))]
        within = node
        for outer in source.around(node):
            if isinstance(outer, ast.Call) and source.called(outer) in _SEEDING:
                if within in outer.args:
                    return [source.replaced(within, str(seed))]
            elif isinstance(outer, ast.Assign) and "seed" in ast.unparse(outer.targets[0]).lower():
                return [source.replaced(outer.value, str(seed))]
            if isinstance(outer, ast.expr):
                within = outer
        if call.source == "process id":
            return [source.replaced(node, str(seed))]
    return ()


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
    if isinstance(node, ast.GeneratorExp):
        return ()
    return source.wrapped(node, "sorted(", ")")


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
    edits = list[Edit]()
    for line in lines_on_hash_seed(source.content, {}):
        if (line.number, line.source) == (call.line, HASH) and isinstance(line.node, ast.Call):
            text = source.text(line.node.args[0])
            edits.append(source.replaced(line.node, f"zlib.crc32(repr({text}).encode())"))
    return edits


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
    many = [
        each.value
        for each in found
        if each.arg == "workers"
        and isinstance(each.value, ast.Constant)
        and isinstance(each.value.value, int)
        and each.value.value > 1
    ]
    return [source.replaced(each, "1") for each in many]


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
            edits.append(_left_out(source, node, given["batch_size"]))
        return edits
    return ()


def _left_out(source: UserSource, node: ast.Call, gone: ast.keyword) -> Edit:
    """Takes an argument away that is not the first one, with the comma before it."""
    start, end = source.span(gone)
    before = [source.span(each)[1] for each in (*node.args, *node.keywords)]
    return Edit(source.name, max(place for place in before if place <= start), end, "")


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
        _left_out(source, node, each)
        for node in source.calls("sorted", call.line)
        for each in node.keywords
        if each.arg == "key" and source.text(each.value).rpartition(".")[2] == name
    ]
