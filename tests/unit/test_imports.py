"""What costs seconds to import is imported only by what needs it."""

import ast
import json
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
HEAVY = {"tensorflow", "keras", "yaml", "jsonschema", "safetensors", "pygraphviz"}
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


ROOMS = (
    "core", "machine", "record", "shim", "launch", "plan", "arrays", "data", "variables", "watch",
    "checkpoint", "model", "probe", "overhead", "drift", "compare", "stats", "sanity", "cause",
    "verdict", "report", "audit", "archive", "events", "hook", "reader", "content", "contain",
    "check", "cli",
)  # fmt: skip
"""From the lowest: each imports those before it alone, not even for types."""
LARGEST = 12


def _imports(module: Path, library: Path) -> Iterator[str]:
    """The modules of the library that a module's source names in imports, wherever they stand."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
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


def test_each_room_says_what_it_is_for() -> None:
    for room in ROOMS:
        said = ast.get_docstring(ast.parse((LIBRARY / f"repro/{room}/__init__.py").read_text()))
        assert said, room
        assert "Import" in said, room
        assert "Begin reading at" in said, room


def test_no_two_classes_share_a_name() -> None:
    found: dict[str, list[str]] = {}
    for file in (LIBRARY / "repro").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(file.relative_to(LIBRARY).as_posix())
    assert len(found) > 50
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def test_the_digest_of_the_host_needs_only_the_standard_library(fresh: Fresh) -> None:
    names = ["repro.record.installed", "repro.record.manifest", "repro.core.atomic"]
    done = fresh(SOURCE, json.dumps(names))
    assert "numpy" not in json.loads(done.stdout)
    assert Path(LIBRARY, "repro").is_dir()
