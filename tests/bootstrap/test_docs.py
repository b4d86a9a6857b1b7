"""`./run docs`: a page with a wrong link fails, and schemas and parsers are shown whole."""

import subprocess
from pathlib import Path

import project
import pytest
import yaml
from documentation import build, schema_table
from documentation.command_help import command_line, help_of
from repro.core.errors import UserError

SCHEMAS = sorted((project.ROOT / "workflow" / "schemas").glob("*.schema.yaml"))


def built(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = build.sphinx(source, out, out.parent / "parsed")
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "warning"),
    [("[there](#a-title)\n\n```{schema} check run\n```", ""), ("[lost](#nowhere)", "nowhere")],
    ids=["sound", "a wrong link"],
)
def test_a_warning_is_an_error(text: str, warning: str, tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    settings = (build.SOURCE / "conf.py").read_text("utf-8").replace('"furo"', '"basic"')
    (source / "conf.py").write_text(
        settings.replace("Path(__file__).resolve().parents[1]", f"Path({str(project.ROOT)!r})")
    )
    (source / "index.md").write_text(f"# A title\n\n{text}\n")
    done = built(source, tmp_path / "out")
    assert bool(done.returncode) == bool(warning), done.stderr
    assert warning in done.stderr
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert warning or "exit status, or 128 + n by signal n" in page


def test_a_copy_without_pages_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "SOURCE", tmp_path / "docs")
    with pytest.raises(UserError, match=r"^Expected a clone, which holds docs/\. Received "):
        build.main([])


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name.partition(".")[0])
def test_every_field_of_a_schema_is_in_its_table(file: Path) -> None:
    root = yaml.safe_load(file.read_text("utf-8"))
    shown = {row.field.rpartition(".")[2] for row in schema_table.rows(root, root)}

    def named(node: object) -> set[str]:
        """What stands below `properties`, wherever; no condition names a field of its own."""
        if isinstance(node, list):
            return set[str]().union(*map(named, node))
        if not isinstance(node, dict):
            return set()
        inner = [part for key, part in node.items() if key not in ("if", "properties")]
        own: dict[str, object] = node.get("properties", {})
        return {*own}.union(*map(named, [*inner, *own.values()]))

    assert len(shown) > 5
    assert named(root) <= shown
    reference = "".join(page.read_text("utf-8") for page in build.SOURCE.glob("reference/*.md"))
    assert f"```{{schema}} {file.name.partition('.')[0]}" in reference


def test_a_row_says_values_default_and_meaning() -> None:
    root = {
        "required": ["a"],
        "properties": {
            "a": {"enum": ["x", None], "description": "one | two"},
            "b": {"oneOf": [{"type": "integer", "minimum": 2}, {"const": "auto"}], "default": 3},
            "c": {"type": "array", "items": {"$ref": "#/$defs/d"}},
        },
        "$defs": {"d": {"additionalProperties": {"type": "string"}, "type": "object"}},
    }
    assert schema_table.table(root).splitlines()[2:] == [
        r"| `a` | `x`, `null`; required |  | one \| two |",
        "| `b` | integer, at least 2 or `auto` | `3` |  |",
        "| `c` | array |  |  |",
        "| `c[]` | object |  |  |",
        "| `c[].{…}` | string |  |  |",
    ]


@pytest.mark.parametrize("verb", sorted(command_line()["VERBS"].keys() - {"check.pyz"}))
def test_the_help_of_each_verb_is_on_its_page(verb: str) -> None:
    assert help_of(verb).startswith("usage: ")
    page = (build.SOURCE / "reference" / "command-line.md").read_text("utf-8")
    assert f"```{{help}} {verb}\n```" in page
    assert f"`./run {verb}" in page


def test_an_unknown_verb_has_no_help() -> None:
    with pytest.raises(KeyError):
        help_of("chekc")
