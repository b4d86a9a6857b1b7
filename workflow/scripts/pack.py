"""Packs the library into three programs: what makes results, what judges and what shows them.

Synopsis:
    python -I -B workflow/scripts/pack.py --out results --log logs/code.log

code.pyz holds what the steps import, judge.pyz what looks at results, and what that imports: so an
edit of what only it holds trains nothing again. report.pyz makes pages: an edit of what only it
holds judges nothing again either. What only ./run imports is in none, nor what only `check`
needs; `./run check.pyz` makes a program of that. Standard library's zip, stored, in the order of
names, with one fixed date: the same source, the same bytes. Snakemake looks into files of up to
1 MB by default, and so into these.
"""

import argparse
import ast
import functools
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
LIBRARY, SCHEMAS = HERE / "lib", HERE / "schemas"
MAKES, JUDGES, CHECKS = "repro.cli.program", "repro.cli.judge", "repro.cli.check"
SHOWS = "repro.cli.report"
BEGINS = {"code": [MAKES], "judge": [JUDGES], "report": [SHOWS]}
PAGES = (".html", ".css")  # templates and style, by how their names end
CHECKING = (
    "events",
    "ledger",
    "divergence",
    "hook",
    "reader",
    "formats",
    "content",
    "contain",
    "repair",
    "check",
)  # rooms of `check`, of which judge.pyz has what it imports
# what only ./run needs
ON_THE_HOST = ("repro/side_by_side/", "repro/schemas/comparison.schema.yaml")
JUDGED = ("config", "cost", "reproduction", "verdict")  # schemas of what is made of results
MAIN = "import sys\nfrom {module} import main\n\nsys.exit(main())\n"
# Until its own handlers are there, Ctrl-C ends `check` without a traceback.
FIRST = "import signal\n\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"


def members(program: str) -> dict[str, str]:
    """The files of one of the `BEGINS`: name in the zip, and text, with one kind of line end."""
    every = library()
    shared = judged(every)
    texts = {name: text for name, text in every.items() if not in_neither(name, shared)}
    kinds = (".yaml", *PAGES) if program == "report" else (".yaml",)
    chosen = imported(BEGINS[program], texts) | {name for name in texts if name.endswith(kinds)}
    if program == "code":
        chosen -= {f"repro/schemas/{name}.schema.yaml" for name in JUDGED}
    texts = {name: text for name, text in texts.items() if name in chosen}
    return {**texts, "__main__.py": MAIN.format(module=BEGINS[program][0])}


def programs() -> dict[str, bytes]:
    """All that a workflow's results are made with, by name."""
    return {f"{name}.pyz": packed(members(name)) for name in BEGINS}


def members_of_check() -> dict[str, str]:
    """The same of check.pyz: all of its rooms, since a hook is no import, and what they import."""
    texts = library()
    own = {name for name in texts if of_check(name) and name.endswith(".py")}
    chosen = own | imported((name.removesuffix(".py").replace("/", ".") for name in own), texts)
    chosen |= {name for name in texts if name.endswith(".css")}  # the style of all pages
    begin = FIRST + MAIN.format(module=CHECKS)
    return {**{name: texts[name] for name in chosen}, "__main__.py": begin}


def library() -> dict[str, str]:
    """All files that a program may hold."""
    kinds = ("*.py", *(f"*{ending}" for ending in PAGES))
    files = {f.relative_to(LIBRARY).as_posix(): f for kind in kinds for f in LIBRARY.rglob(kind)}
    files |= {f"repro/schemas/{file.name}": file for file in SCHEMAS.glob("*.yaml")}
    # Copies that a workflow service hands out may lack the last newline; that is no other program.
    return {name: file.read_text("utf-8").rstrip("\n") + "\n" for name, file in files.items()}


def of_check(name: str) -> bool:
    """Whether a file, by its path from the library, belongs to `check` alone."""
    single = ("repro/cli/check.py", "repro/schemas/check.schema.yaml")
    return name in single or name.startswith(tuple(f"repro/{room}/" for room in CHECKING))


def judged(texts: dict[str, str]) -> set[str]:
    """The files of `check` that judge.pyz has too."""
    return {name for name in imported([JUDGES], texts) if of_check(name)}


def in_neither(name: str, shared: set[str]) -> bool:
    """Whether neither program holds a file, so that no result rests on it."""
    return (of_check(name) and name not in shared) or name.startswith(ON_THE_HOST)


def imported(modules: Iterable[str], texts: dict[str, str]) -> set[str]:
    """The files of modules, and of all of ours that they import anywhere."""
    wanted, found = [*modules], set[str]()
    while wanted:
        path = wanted.pop().replace(".", "/")
        for name in (f"{path}.py", f"{path}/__init__.py"):
            if name in texts and name not in found:
                found.add(name)
                wanted += names_in(texts[name])
        if "/" in path:  # a package is imported before what is in it
            wanted.append(path.rpartition("/")[0].replace("/", "."))
    return found


@functools.cache
def names_in(source: str) -> list[str]:
    """The modules that a source may import; parsed once for both programs."""
    found: list[str] = []
    for node in statements(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names]
    return found


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node: imports are nothing else, and expressions are many more."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, field, ()):
            yield child
            yield from statements(child)


def sources() -> dict[str, Path]:
    """All files that decide what the workflow does, by their path from the Snakefile."""
    shared = judged(library())
    return {n: file for n, file in all_files().items() if not in_neither(_packed(n), shared)}


def all_files() -> dict[str, Path]:
    """The same and those of `check` alone: nothing is read to know them."""
    home = HERE.parent
    endings = ("py", *(ending.removeprefix(".") for ending in PAGES))
    kinds = [f"lib/**/*.{kind}" for kind in endings]
    kinds += ["schemas/*.yaml", "scripts/*.py", "rules/*.smk", "report/*.rst", "envs/*"]
    files = (file for kind in kinds for file in HERE.glob(kind))
    every = [*files, home / "Snakefile", home / "environment.yml"]
    return {file.relative_to(home).as_posix(): file for file in every if file.is_file()}


def _packed(source: str) -> str:
    """The name in a program of a source, by its path from the Snakefile."""
    if source.startswith("workflow/schemas/"):
        return f"repro/schemas/{source.removeprefix('workflow/schemas/')}"
    return source.removeprefix("workflow/lib/")


def packed(files: dict[str, str]) -> bytes:
    """A zip of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, text in sorted(files.items()):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, text)
    return buffer.getvalue()


def main() -> int:
    """Packs the programs and writes their manifest."""
    parser = argparse.ArgumentParser(description="Packs the library into the programs.")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--log", required=True, type=Path, metavar="FILE")
    options = parser.parse_args()
    sys.path.insert(0, str(LIBRARY))
    from repro.core.atomic import write_bytes
    from repro.launch.reporting import reported
    from repro.record import installed, manifest
    from repro.record.environment import surroundings
    from repro.record.statement import Making, resources

    def work() -> None:
        found = installed.require(Path(sys.prefix))
        contents = {options.out / name: content for name, content in programs().items()}
        here = surroundings(found, [LIBRARY, Path(__file__)])
        for path, content in contents.items():
            write_bytes(path, content)
        making = Making(
            names={"step": "code"},
            parameters={},
            inputs=resources(sources()),
            installed=found.facts,
            environment=here,
        )
        manifest.write(options.out / "code.manifest.json", making, list(contents))

    return reported(options.log, lambda _: work())


if __name__ == "__main__":
    sys.exit(main())
