"""At start: calls that are inserted once, after the imports of the main script.

Synopsis:
    seed(source, 1)             # `keras.utils.set_random_seed(1)`
    determinism(source)         # `tf.config.experimental.enable_op_determinism()`
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from repro.repair.edits import Edit
from repro.repair.source import UserSource, names_of

Edits = Sequence[Edit]

_KERAS = ("keras", "tensorflow.keras", "tf_keras")
_SETTING = ("os.environ", "warnings.", "logging.", "sys.path", "matplotlib.use")


def seed(source: UserSource, number: int) -> Edits:
    """Sets the seeds of Python, NumPy, TensorFlow and Keras."""
    name = _named(source, *_KERAS)
    tensorflow = _named(source, "tensorflow")
    if name is None and tensorflow:
        return _inserted(source, f"{tensorflow}.keras.utils.set_random_seed({number})")
    return _inserted(source, f"{name or 'keras'}.utils.set_random_seed({number})", name, "keras")


def determinism(source: UserSource) -> Edits:
    """Asks TensorFlow for deterministic operations, which also keep the order of pipelines."""
    call = "config.experimental.enable_op_determinism()"
    name = _named(source, "tensorflow")
    return _inserted(source, f"{name or 'tf'}.{call}", name, "tensorflow as tf")


def threads(source: UserSource, count: int) -> Edits:
    """Sets the number of threads within an operation."""
    call = f"config.threading.set_intra_op_parallelism_threads({count})"
    name = _named(source, "tensorflow")
    return _inserted(source, f"{name or 'tf'}.{call}", name, "tensorflow as tf")


def variable(source: UserSource, name: str, value: str) -> Edits:
    """Sets an environment variable for the script itself, and the time zone at once."""
    lines, modules = [f'{{os}}.environ["{name}"] = "{value}"'], ["os"]
    if name == "TZ":
        lines, modules = [*lines, "{time}.tzset()"], ["os", "time"]
    names = {module: _named(source, module) for module in modules}
    called = {module: known or module for module, known in names.items()}
    imports = [f"import {module}" for module, known in names.items() if known is None]
    return _lines(source, [*imports, *(line.format(**called) for line in lines)])


def tensorflow(source: UserSource) -> Edits:
    """Imports TensorFlow as `tf`, unless the file does."""
    if _named(source, "tensorflow") == "tf":
        return ()
    place = source.line_start(_before_imports(source))
    return [Edit(source.name, place, place, f"import tensorflow as tf{source.newline}")]


def imported(source: UserSource, module: str) -> Edits:
    """Imports a module, unless the file does."""
    if _named(source, module) == module:
        return ()
    place = source.line_start(_before_imports(source))
    return [Edit(source.name, place, place, f"import {module}{source.newline}")]


def with_import(source: UserSource, module: str, edits: Edits) -> Edits:
    """Edits with the import of a module, if they use it."""
    needed = any(f"{module}." in edit.text for edit in edits)
    return (*(imported(source, module) if needed else ()), *edits)


def _inserted(source: UserSource, line: str, name: str | None = "", module: str = "") -> Edits:
    return _lines(source, [line] if name is not None else [f"import {module}", line])


def _lines(source: UserSource, lines: Sequence[str]) -> Edits:
    place = source.line_start(_after_imports(source))
    behind = source.content[:place] and not source.content[:place].endswith(b"\n")
    text = "".join(f"{each}{source.newline}" for each in lines)
    return [Edit(source.name, place, place, f"{source.newline if behind else ''}{text}")]


def _named(source: UserSource, *modules: str) -> str | None:
    """How one of some modules is called where the imports at the top end; None where it is not."""
    end = _after_imports(source)
    before = (
        node
        for node in source.tree.body
        if node.lineno < end and not (isinstance(node, ast.If) and _for_types(node))
    )
    names = names_of(inner for node in before for inner in ast.walk(node))
    return next((name for name, whole in names.items() if whole in modules), None)


def _for_types(node: ast.If) -> bool:
    """Whether only who checks types imports what is imported there."""
    return ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"


def _before_imports(source: UserSource) -> int:
    """The line of the first import that is none of the future."""
    for node in source.tree.body:
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not future:
            return node.lineno
    return _after_imports(source)


def _after_imports(source: UserSource) -> int:
    """The line behind the imports with which a script begins, and one blank line behind them.

    What only sets things for them may stand among them.
    """
    last = 0
    for node in source.tree.body:
        if _imports(node):
            last = node.end_lineno or 0
        elif not _prepares(source, node):
            break
    if not last and ast.get_docstring(source.tree) is not None:
        last = source.tree.body[0].end_lineno or 0
    lines = source.content.split(b"\n")
    if not last:  # the first comments may say which program reads the file, and how
        return 1 + next(at for at, line in enumerate([*lines, b""]) if not line.startswith(b"#"))
    blank = last < len(lines) - 1 and not lines[last].strip()
    return last + 2 if blank else last + 1


def _imports(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    inner = node.body if isinstance(node, (ast.Try, ast.If)) else []
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        return False  # the script itself, which may import something, too
    return any(map(_imports, inner))


def _prepares(source: UserSource, node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if source.text(node).startswith(_SETTING):
        return True
    made = isinstance(node, (ast.Assign, ast.AnnAssign))
    return made and not any(isinstance(each, ast.Call) for each in ast.walk(node))
