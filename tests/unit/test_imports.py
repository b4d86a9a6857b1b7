"""What costs seconds to import is imported only by what needs it."""

import ast
import functools
import json
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from samples import LIBRARY, Fresh

MODULES = sorted(
    ".".join(file.relative_to(LIBRARY).with_suffix("").parts)
    for file in LIBRARY.rglob("*.py")
    if file.name != "__init__.py"
)
HEAVY = {
    "tensorflow",
    "keras",
    "yaml",
    "jsonschema",
    "safetensors",
    "pygraphviz",
    "jinja2",
    "matplotlib",
    "markdown_it",
    "markupsafe",
}
SOURCE = """
import json, sys
for name in json.loads(sys.argv[1]):
    __import__(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_no_module_imports_what_is_heavy(fresh: Fresh) -> None:
    assert "repro.cli.make" in MODULES
    assert "repro.model.training" in MODULES
    done = fresh(SOURCE, json.dumps(MODULES))
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stdout))


LOOKED = """
import json, sys
from repro.core.parameters import Threads
from repro.model.determinism import begin_when_imported
from repro.record.environment import environment
begin_when_imported(0, Threads(2, 1))
environment()
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_what_looks_at_the_environment_does_not_import_what_is_awaited(fresh: Fresh) -> None:
    done = fresh(LOOKED)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras"} & set(json.loads(done.stdout))


LAUNCHED = """
import os, sys
from repro.cli.program import main
sys.argv[0] = "code.pyz"
os.execve = lambda *_: os._exit("numpy" in sys.modules or "repro.cli.make" in sys.modules)
main(["launch", "--run", "original", "--intra", "2", "--", "train"])
"""


def test_what_only_launches_a_step_imports_nothing_of_its_work(fresh: Fresh) -> None:
    """Else each job would import it twice, in the process that launches and in the step's own."""
    done = fresh(LAUNCHED)
    assert done.returncode == 0, done.stderr


ROOMS = (
    "core", "machine", "record", "shim", "launch", "plan", "arrays", "data", "variables", "watch",
    "checkpoint", "model", "probe", "overhead", "drift", "compare", "stats", "sanity", "events",
    "ledger", "divergence", "repair", "cause", "verdict", "report", "webpage", "audit", "archive",
    "hook", "reader", "formats", "content", "contain", "check", "side_by_side", "cli",
)  # fmt: skip
"""From the lowest: each imports those before it alone, not even for types."""
LARGEST = 12


@functools.cache
def _nodes(source: str) -> list[ast.ImportFrom | ast.ClassDef]:
    """The imports and classes of a source, wherever they stand; parsed once for all tests."""
    kinds = (ast.ImportFrom, ast.ClassDef)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def _imports(module: Path, library: Path) -> Iterator[str]:
    """The modules of the library that a module's source names in imports."""
    for node in _nodes(module.read_text("utf-8")):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("repro"):
            inner = [f"{node.module}.{each.name}" for each in node.names]
            files = [name for name in inner if _file(name, library).is_file()]
            yield from files or [node.module]


def _file(name: str, library: Path) -> Path:
    return library / f"{name.replace('.', '/')}.py"


def against_the_layers(library: Path) -> list[str]:
    """What of a library does not keep to the rooms, a line for each."""
    found: list[str] = []
    imported: dict[str, set[str]] = {}
    for room in sorted((library / "repro").iterdir()):
        files = [file for file in room.glob("*.py") if file.name != "__init__.py"]
        if room.is_dir() and files and room.name not in ROOMS:
            found.append(f"{room.name} is no room")
        elif len(files) > LARGEST:
            found.append(f"{room.name} holds {len(files)} modules")
        for file in files if room.name in ROOMS else ():
            names = set(_imports(file, library))
            imported[f"repro.{room.name}.{file.stem}"] = names
            above = ROOMS[ROOMS.index(room.name) + 1 :]
            up = sorted(name for name in names if name.split(".")[1] in above)
            found += [f"{room.name}.{file.stem} imports {name}, which stands above" for name in up]
    try:
        list(TopologicalSorter(imported).static_order())
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(error.args[1])}")
    return found


def test_rooms_import_downwards_and_in_no_circle() -> None:
    assert against_the_layers(LIBRARY) == []


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("core/a.py", "from repro.record import manifest", "core.a imports repro.record"),
        (
            "core/a.py",
            "if TYPE_CHECKING:\n    from repro.record.manifest import read",
            "core.a imports repro.record.manifest",
        ),
        ("stats/a.py", "def a():\n    from repro.stats.b import b", "a circle: "),
        ("loft/a.py", "", "loft is no room"),
    ],
)
def test_what_breaks_the_layers_is_found(
    tmp_path: Path, file: str, source: str, problem: str
) -> None:
    other = tmp_path / "repro/stats/b.py"
    for path, text in ((other, "from repro.stats import a"), (tmp_path / "repro" / file, source)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert [line for line in against_the_layers(tmp_path) if line.startswith(problem)]


def test_a_room_that_grows_too_large_is_found(tmp_path: Path) -> None:
    (tmp_path / "repro/core").mkdir(parents=True)
    for number in range(LARGEST + 1):
        (tmp_path / f"repro/core/a{number}.py").touch()
    assert against_the_layers(tmp_path) == ["core holds 13 modules"]


def said_and_done(room: Path) -> tuple[str, set[str], set[str]]:
    """What a room's page says, the rooms that it says it imports, and those that it imports."""
    page = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    sentence = re.search(r"\bImports ([^.;]+)", page)
    said = set(re.findall(r"`(\w+)`", sentence[1])) & {*ROOMS} if sentence else {"nothing"}
    names = {name for file in room.glob("*.py") for name in _imports(file, LIBRARY)}
    return page, said, {name.split(".")[1] for name in names if "." in name} - {room.name}


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_says_what_it_is_for_and_what_it_imports(room: str) -> None:
    page, said, done = said_and_done(LIBRARY / "repro" / room)
    assert "Begin reading at" in page
    assert said == done or "Imports every room" in page


def test_a_room_that_does_not_say_what_it_imports_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from repro.core.text import listed\n")
    for page, right in (
        ("Imports `core`.", True),
        ("Imports no other room.", False),
        ("Imports `core` and `launch`.", False),
        ("", False),
    ):
        (tmp_path / "__init__.py").write_text(f'"""A room.\n\n{page}\n"""\n')
        _, said, done = said_and_done(tmp_path)
        assert (said == done) is right, page


def test_no_two_classes_share_a_name() -> None:
    found: dict[str, list[str]] = {}
    for file in (LIBRARY / "repro").rglob("*.py"):
        for node in _nodes(file.read_text("utf-8")):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(file.relative_to(LIBRARY).as_posix())
    assert len(found) > 50
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def test_the_digest_of_the_host_needs_only_the_standard_library(fresh: Fresh) -> None:
    names = ["repro.record.installed", "repro.record.manifest", "repro.core.atomic"]
    done = fresh(SOURCE, json.dumps(names))
    assert "numpy" not in json.loads(done.stdout)
    assert Path(LIBRARY, "repro").is_dir()
