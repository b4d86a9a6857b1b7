"""What the documentation names is there: modules and what is in them, files, and parts of pages."""

import ast
import re
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from repro.core import layout
from repro.core.factor_table import FACTORS
from repro.core.schema import schema
from repro.drift.effects import IRRELEVANT, effect
from repro.launch import launcher
from repro.machine.processor import processor
from samples import NAMES

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT)
    for pattern in ("*.md", "config/*.md", "docs/**/*.md", "tests/*/*.md", "tests/unit/nvidia/*.md")
    for page in ROOT.glob(pattern)
)
SOURCES = sorted(
    file.relative_to(ROOT)
    for folder in ("workflow", "bootstrap", "tests")
    for pattern in ("*.py", "*.smk", "*.yaml")
    for file in (ROOT / folder).rglob(pattern)
    if not file.is_relative_to(ROOT / "workflow" / "envs")
)
OWN = [file for file in SOURCES if file.parts[0] != "tests"]
"""Not the tests, which name files that they make."""
FILE = re.compile(
    r"(?<![\w./-])(?:workflow|bootstrap|tests|config|profiles|docs)(?:/[\w-]+)+(?:\.\w+)*"
)
IMAGE = "repro.def"
"""No module: a file that `./run containerfile` writes."""
BUILT = "docs/_build"
"""What `./run docs` makes."""
RESULT = re.compile(r"(?<![\w./-])results/([\w./-]+\.\w+)\b")
QUOTED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def test_the_pages_are_found() -> None:
    assert {Path("README.md"), Path("config/README.md"), Path("docs/index.md")} <= set(PAGES)
    assert Path("docs/reference/configuration.md") in PAGES
    assert Path("workflow/rules/model.smk") in SOURCES


def anchors(page: Path) -> set[str]:
    """The parts of a page, by the names that links give them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_what_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    for place, part in LINK.findall(text):
        if "://" in place:
            continue
        target = (ROOT / page.parent / place) if place else ROOT / page
        assert target.exists(), place
        assert not part or part in anchors(target), f"{place}#{part}"
        if page.parts[0] == "docs" and target.suffix == ".md":
            assert (ROOT / "docs").resolve() in target.resolve().parents, "no page for Sphinx"


def defined(module: Path) -> set[str]:
    """The names that a module or a room gives at its top."""
    tree = ast.parse(module.read_text("utf-8"))
    names = set[str]()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {f"{node.name}.{inner.name}" for inner in node.body
                          if isinstance(inner, ast.FunctionDef)}  # fmt: skip
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


def is_there(name: str) -> bool:
    """Whether a dotted name is a room, a module, or something that one defines."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        place = (ROOT / "workflow/lib").joinpath(*parts[:cut])
        rest = ".".join(parts[cut:])
        module = place.with_suffix(".py")
        if module.is_file():
            return not rest or rest in defined(module)
        if place.is_dir():
            return not rest or rest in defined(place / "__init__.py")
    return False


@pytest.mark.parametrize("file", [*PAGES, *SOURCES], ids=str)
def test_quoted_names_of_the_library_are_there(file: Path) -> None:
    text = (ROOT / file).read_text("utf-8")
    quoted = [
        word
        for word in QUOTED.findall(text)
        if re.fullmatch(r"repro(\.\w+)+", word) and word != IMAGE
    ]
    assert not [name for name in quoted if not is_there(name)]


@pytest.mark.parametrize("file", [*PAGES, *OWN], ids=str)
def test_files_that_are_named_are_there(file: Path) -> None:
    named = FILE.findall((ROOT / file).read_text("utf-8"))
    assert not [name for name in named if name != BUILT and not (ROOT / name).exists()]


def test_results_that_pages_name_are_made() -> None:
    named = {
        file: page for page in PAGES for file in RESULT.findall((ROOT / page).read_text("utf-8"))
    }
    assert "mine/original/seed-0/metrics.json" in named
    assert {
        file: page
        for file, page in named.items()
        if file != layout.INDEX and not layout.place(file)
    } == {}


def shown_calls(module: ast.Module) -> Iterator[ast.Call]:
    """Every call in the synopsis of a module's docstring, be it in one line or several."""
    found = re.search(r"Synopsis:\n((?: {4}.*\n|\n)+)", f"{ast.get_docstring(module)}\n")
    lines = textwrap.dedent(found[1]).splitlines() if found else []
    while lines:
        for length in range(len(lines), 0, -1):
            text = "\n".join(lines[:length])
            with suppress(SyntaxError):
                text += "\n    pass" if text.rstrip().endswith(":") else ""
                yield from (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call))
                break
        del lines[:length]


def takes(function: ast.FunctionDef, call: ast.Call) -> bool:
    """Whether a function can be called so; what is left out by `...` may be anything."""
    if any(isinstance(a, ast.Starred) or ast.unparse(a) == "..." for a in call.args):
        return True
    of = function.args
    names = [argument.arg for argument in (*of.posonlyargs, *of.args)]
    named, given = {k.arg for k in call.keywords}, set(names[: len(call.args)])
    single = {a.arg: d for a, d in zip(of.kwonlyargs, of.kw_defaults, strict=True)}
    needed = {*names[: len(names) - len(of.defaults)], *(n for n, d in single.items() if d is None)}
    return (
        (of.vararg is not None or len(call.args) <= len(names))
        and (of.kwarg is not None or named <= {*names, *single})
        and needed <= given | named
    )


@pytest.mark.parametrize("file", [file for file in OWN if file.suffix == ".py"], ids=str)
def test_a_synopsis_calls_functions_as_they_are(file: Path) -> None:
    module = ast.parse((ROOT / file).read_text("utf-8"))
    functions = {n.name: n for n in module.body if isinstance(n, ast.FunctionDef)}
    for call in shown_calls(module):
        function = functions.get(ast.unparse(call.func))
        assert function is None or takes(function, call), ast.unparse(call)


def test_every_room_is_in_the_picture_of_the_house() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    house = set(re.findall(r"\w+", text[text.index("## Where things are") :]))
    rooms = {folder.parent.name for folder in (ROOT / "workflow/lib/repro").glob("*/__init__.py")}
    assert len(rooms) > 10
    assert not rooms - house


def test_every_key_of_the_configuration_is_explained() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
    known = schema("config")["$defs"]["experiment"]["properties"]
    keys = {key for key in known if key not in ("training", "search", "archive")}
    for key in ("training", "search", "archive"):
        keys |= {f"{key}.{inner}" for inner in known[key]["properties"]}
    assert keys == set(re.findall(r"^\| `([\w.]+)` \|", text, re.M))


def test_every_factor_is_explained() -> None:
    text = (ROOT / "docs/reference/factors.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[\w ]+`(?:, `[\w ]+`)*) \|", text, re.M)
    assert sorted(re.findall(r"`([^`]+)`", ", ".join(rows))) == sorted(FACTORS)


def test_every_variable_that_a_step_sees_is_named() -> None:
    text = (ROOT / "docs/how-to/data-and-models.md").read_text("utf-8")
    part = text[text.index("## Environment variables") :].partition("alone")[0]
    assert set(re.findall(r"`([A-Z_]+)`", part)) == set(launcher.KEPT)


def test_what_makes_another_setup_is_named_where_the_claims_end() -> None:
    goals = (ROOT / "docs/explanation/goals.md").read_text("utf-8")
    part = " ".join(goals[goals.index("## One setup") :].partition("\n## ")[0].split())
    facts = processor()
    deciding = [name for name in facts if effect(f"cpu/{name}")[0] != IRRELEVANT]
    assert {"model", "stepping", "caches"} <= set(deciding)
    assert not [name for name in deciding if name not in part]
    guarantees = (ROOT / "docs/explanation/guarantees.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    scope = "model and stepping of processor or model of GPU"
    for text in (goals, guarantees):
        ends = [line for line in text.splitlines() if "same bits" in line and line.startswith("|")]
        claims = [line for line in ends if "factors varied" in line]
        assert len(claims) == 1
        assert scope in claims[0]
    for text in (guarantees, readme):
        assert f"with up to {len(NAMES)} factors varied" in text


def test_the_pages_count_the_negative_controls() -> None:
    count = len([*(ROOT / "tests/irreproducible/cases").glob("*.py")])
    assert f"| {count} experiments with one known fault" in (ROOT / "README.md").read_text("utf-8")
    measured = (ROOT / "docs/explanation/measurements.md").read_text("utf-8")
    assert f"runs {count} small experiments with one fault" in measured


def test_the_readme_can_be_read_in_two_minutes() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 200
    screen = "\n".join(lines[:15])
    assert "./run check -- python train.py" in screen
    assert "./run all" in screen
