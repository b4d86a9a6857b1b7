"""The rooms of bootstrap/: what each may import, how large it is, and what the scripts carry."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import project
import pytest
from conda import render

BOOTSTRAP = project.ROOT / "bootstrap"
LAYERS = (
    "__main__", "documentation", "export", "verbs", "answers", "earlier", "check", "user_project",
    "environments", "fetch_ahead", "local_channel", "conda", "outcome", "tools", "post_deploy",
    "wheels", "project", "locks", "failures", "display", "cache",
)  # fmt: skip
"""From above to below: rooms, and modules that lie in none."""
OF_THE_LOCAL_CHANNEL = ("environments.channel", "fetch_ahead")
MODULES, LINES = 12, 250


def modules(folder: Path) -> dict[str, Path]:
    """Every module by its dotted name; a room's page has the name of the room."""
    files = sorted([*folder.glob("*.py"), *folder.glob("*/*.py")])
    names = (".".join(file.relative_to(folder).with_suffix("").parts) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imported(file: Path) -> Iterator[str]:
    """What a module imports, also inside of functions and for the types alone."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(folder: Path) -> dict[str, set[str]]:
    """The modules that each module imports, by the longest name that is one."""
    known = modules(folder)

    def target(name: str) -> str:
        parts = name.split(".")
        candidates = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((one for one in candidates if one in known), "")

    return {
        name: {t for one in imported(file) if (t := target(one))} - {name}
        for name, file in known.items()
    }


def unit(name: str) -> str:
    return name.partition(".")[0]


def problems(folder: Path) -> list[str]:
    """A sentence for each rule that does not hold."""
    found: list[str] = []
    edges = arrows(folder)
    found += [f"{name} has no layer" for name in edges if unit(name) not in LAYERS]
    for name, targets in edges.items() if not found else ():
        for target in sorted(targets):
            here, there = unit(name), unit(target)
            if here != there and LAYERS.index(here) > LAYERS.index(there):
                found.append(f"{name} imports {target}, which lies above")
            if there == "local_channel" and here != there and name not in OF_THE_LOCAL_CHANNEL:
                found.append(f"{name} imports {target}, which is fenced off")
    found += [f"{name} imports itself, by way of {by}" for name, by in _circles(edges)]
    rooms = {name: page for name, page in modules(folder).items() if page.name == "__init__.py"}
    for room, page in rooms.items():
        found += _room_problems(room, page, edges)
    for name, file in modules(folder).items():
        if (lines := len(file.read_text("utf-8").splitlines())) > LINES:
            found.append(f"{name} has {lines} lines")
    if len(outside := [name for name in edges if "." not in name and name not in rooms]) > MODULES:
        found.append(f"{len(outside)} modules lie in no room")
    return found + [f"{n} lies in no room" for n in edges if "." in n and unit(n) not in rooms]


def _room_problems(room: str, page: Path, edges: dict[str, set[str]]) -> Iterator[str]:
    inside = [name for name in edges if name.startswith(f"{room}.")]
    if len(inside) > MODULES:
        yield f"{room} has {len(inside)} modules"
    text = ast.get_docstring(ast.parse(page.read_text("utf-8"))) or ""
    if not re.search(r"\bBegin with ", text):
        yield f"{room} does not say where to begin"
    said = re.search(r"^May import: (.+?)\.$", text, re.MULTILINE | re.DOTALL)
    may = set(" ".join(said[1].split()).split(", ")) - {"nothing"} if said else set[str]()
    does = {unit(target) for name in inside for target in edges[name]} - {room}
    if may != does:
        yield f"{room} says that it imports {sorted(may)}, and imports {sorted(does)}"


def _circles(edges: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    for name, targets in edges.items():
        for target in sorted(targets):
            if name in _reached(target, edges):
                yield name, target


def _reached(name: str, edges: dict[str, set[str]]) -> set[str]:
    seen, left = set[str](), [name]
    while left:
        if (one := left.pop()) not in seen:
            seen.add(one)
            left += edges[one]
    return seen


def test_rooms_are_small_say_what_they_import_and_import_what_is_below() -> None:
    assert problems(BOOTSTRAP) == []


def test_what_the_post_deploy_scripts_carry_needs_nothing_else() -> None:
    carried = {name for name in render.CARRIED if name.endswith(".py")}
    room = (BOOTSTRAP / "post_deploy").glob("[!_]*.py")
    assert {f"post_deploy/{file.name}" for file in room} <= carried
    for name in carried:
        for target in imported(render.CARRIED[name]):
            path = target.replace(".", "/")
            found = f"{path}.py" in carried or f"{path.rpartition('/')[0]}.py" in carried
            late = name == "repro/record/installed.py" and unit(target) == "repro"
            assert found or late or unit(target) in sys.stdlib_module_names, (name, target)


ROOM = '"""A room.\n\nBegin with `a`.\nMay import: {}.\n"""\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"conda/a.py": "from wheels import a\n"}, []),
        ({"wheels/a.py": "from conda import a\n"}, ["wheels.a imports conda.a, which lies above"]),
        (
            {"wheels/a.py": "def f():\n    from conda import a\n"},
            ["wheels.a imports conda.a, which lies above"],
        ),
        (
            {"wheels/a.py": "if TYPE_CHECKING:\n    from conda.a import A\n"},
            ["wheels.a imports conda.a, which lies above"],
        ),
        (
            {"wheels/a.py": "from wheels import b\n", "wheels/b.py": "import wheels.a\n"},
            ["wheels.a imports itself, by way of wheels.b"],
        ),
        (
            {"verbs/b.py": "import local_channel.a\n"},
            ["verbs.b imports local_channel.a, which is "],
        ),
        (
            {"conda/a.py": "import cache\n", "cache.py": ""},
            ["conda says that it imports ['wheels']"],
        ),
        ({"wheels/a.py": "\n" * 251}, ["wheels.a has 251 lines"]),
        ({f"wheels/m{n}.py": "" for n in range(12)}, ["wheels has 13 modules"]),
        ({"wheels/__init__.py": '"""May import: nothing."""\n'}, ["wheels does not say where to"]),
        ({"attic/a.py": ""}, ["attic.a has no layer", "attic.a lies in no room"]),
    ],
)
def test_a_rule_that_is_broken_is_found(
    files: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    whole = {"conda/__init__.py": ROOM.format("wheels"), "conda/a.py": "from wheels import a\n"}
    whole |= {"wheels/__init__.py": ROOM.format("nothing"), "wheels/a.py": ""}
    whole |= {"local_channel/__init__.py": ROOM.format("nothing"), "local_channel/a.py": ""}
    whole |= {"verbs/__init__.py": ROOM.format("nothing"), "verbs/a.py": ""}
    for name, text in {**whole, **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = problems(tmp_path)
    for sentence in expected:
        assert [one for one in found if one.startswith(sentence)], found
    assert bool(found) == bool(expected), found
