"""Programs: code.pyz, judge.pyz and report.pyz of an archive against the sources beside them.

Synopsis:
    for problem in problems(inside): ...

A program is packed once more from the sources, and compared byte by byte: what `zipfile` finds in a
zip is not all that Python may run of it.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping

from repro.archive.contents import Inside
from repro.archive.zip_writer import DATE
from repro.audit.results import CODE
from repro.record.statement import digest

_LIBRARY, _SCHEMAS = "workflow/lib/", "workflow/schemas/"
_MAIN = "import sys\nfrom {module} import main\n\nsys.exit(main())\n"
# By program, the module that it begins with: of this version, and of earlier ones.
_MODULES = {
    "code.pyz": ("repro.cli.program", "repro.cli.make", "repro.steps"),
    "judge.pyz": ("repro.cli.judge", "repro.judge.command"),
    "report.pyz": ("repro.cli.report",),
}


def problems(inside: Inside) -> Iterator[str]:
    """What of the workflow's own files is not what the programs were made from, a line for each."""
    code = inside.results.steps[CODE]
    for name, resource in code.inputs.items():
        if inside.digests(name) != {"": digest(resource)}:
            yield f"{name} is not what the programs were made from"
    library = {n for n in code.inputs if n.startswith((_LIBRARY, _SCHEMAS)) and n in inside.kept}
    sources = {_packed(name): _text(inside.read(name)) for name in library}
    for program, modules in _MODULES.items():
        if program == "report.pyz" and program not in code.outputs:
            continue  # of a version that had none
        module = next((m for m in modules if f"{m.replace('.', '/')}.py" in sources), modules[0])
        yield from _differences(program, inside.read(f"results/{program}"), module, sources)


def _differences(
    program: str, content: bytes, module: str, sources: Mapping[str, bytes]
) -> Iterator[str]:
    expected = {**sources, "__main__.py": _MAIN.format(module=module).encode()}
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        there = {info.filename: info for info in zipped.infolist()}
        for name, info in there.items():
            stored = info.compress_type == zipfile.ZIP_STORED
            if not stored or expected.get(name) != zipped.read(info):
                yield f"results/{program} holds another {name} than the sources"
                return
    if lacking := _imported(there.keys() & sources.keys(), sources) - there.keys():
        yield f"results/{program} lacks {min(lacking)}"
    elif content != _zip({name: expected[name] for name in there}):
        yield f"results/{program} is packed otherwise than from the sources"


def _imported(names: Iterable[str], sources: Mapping[str, bytes]) -> set[str]:
    """Those of the sources that some of them import, and the packages that these are in."""
    found: set[str] = set()
    for name in names:
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(sources[name])):
            modules: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            elif isinstance(node, ast.Import):
                modules = [each.name for each in node.names]
            for path in (module.replace(".", "/") for module in modules):
                found |= {f"{path}.py", f"{path}/__init__.py"} & sources.keys()
    return found


def _text(source: bytes) -> bytes:
    """With one kind of line end, and one at the end, as pack.py reads sources."""
    lines = io.StringIO(source.decode("utf-8", "surrogateescape"), newline=None).read()
    return lines.rstrip("\n").encode("utf-8", "surrogateescape") + b"\n"


def _packed(source: str) -> str:
    """The name in a program of a source."""
    if source.startswith(_SCHEMAS):
        return f"repro/schemas/{source.removeprefix(_SCHEMAS)}"
    return source.removeprefix(_LIBRARY)


def _zip(files: Mapping[str, bytes]) -> bytes:
    """As workflow/scripts/pack.py does it, in every version that wrote archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, DATE)
            member.create_system, member.external_attr = 3, 0o644 << 16
            zipped.writestr(member, content)
    return buffer.getvalue()
