"""The snippets of the pages: those of a page run in order, in one folder, but for what is marked.

A comment before a block, `<!-- needs: minutes -->`, says what it needs that a test has not. Such a
block is counted among the skipped ones. `<!-- exits with 1 -->` names another status than 0. A
Python or YAML block whose first line is `# NAME.py` is written to that file; every other Python
block is at least Python. What the page on nondeterminism shows by TensorFlow runs in
tests/keras/test_facts.py.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import project
import pytest
import yaml

PAGES = [project.ROOT / "README.md", *sorted((project.ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^[ ]*<!-- (?:needs: (?P<needs>[^\n]+?)|exits with (?P<status>\d)) -->\n+)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w+)\n(?P<text>.*?)^[ ]*```$",
    re.M | re.S,
)
FILE = re.compile(r"# ([\w./-]+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Snippet:
    """A block of a page: where it begins, its language, and what it needs that a test has not."""

    page: Path
    line: int
    language: str
    text: str
    needs: str
    status: int


def snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text("utf-8")
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("language")) + 1
        inner = textwrap.dedent(block["text"])
        status = int(block["status"] or 0)
        yield Snippet(page, line, block["language"], inner, block["needs"] or "", status)


ALL = [snippet for page in PAGES for snippet in snippets(page)]
SHELL = [snippet for snippet in ALL if snippet.language == "sh"]


def name(snippet: Snippet) -> str:
    return f"{snippet.page.relative_to(project.ROOT)}:{snippet.line}"


@pytest.mark.parametrize("snippet", [s for s in ALL if s.needs], ids=name)
def test_what_a_snippet_needs(snippet: Snippet) -> None:
    """Counted aloud: in the summary of skipped tests."""
    pytest.skip(f"not run, since it needs {snippet.needs}")


def test_every_language_is_known() -> None:
    assert {snippet.language for snippet in ALL} <= {
        "sh", "python", "yaml", "text", "json", "diff",
    }  # fmt: skip


@pytest.mark.parametrize("snippet", [s for s in ALL if s.language == "python"], ids=name)
def test_python_is_python(snippet: Snippet) -> None:
    ast.parse(snippet.text)


@pytest.mark.parametrize("snippet", [s for s in ALL if s.language == "yaml"], ids=name)
def test_yaml_is_yaml(snippet: Snippet) -> None:
    assert yaml.safe_load(snippet.text)


@pytest.mark.parametrize("snippet", SHELL, ids=name)
def test_commands_are_those_that_there_are(snippet: Snippet) -> None:
    from documentation.command_help import command_line

    names = command_line()
    known = {*names["VERBS"], *names["TARGETS"]}
    commands = [shlex.split(line, comments=True) for line in snippet.text.splitlines()]
    called = {words[1] for words in commands if words[:1] == ["./run"]}
    assert called <= known


def pages_to_run() -> list[Path]:
    return [page for page in PAGES if any(s.page == page and not s.needs for s in SHELL)]


@pytest.mark.parametrize("page", pages_to_run(), ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    command = f'#!/bin/sh\nexec {shlex.quote(str(project.ROOT / "run"))} "$@"\n'
    project.write(tmp_path / "run", command, mode=0o755)
    python = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for snippet in snippets(page):
        if snippet.needs:
            continue
        if (file := FILE.match(snippet.text)) and snippet.language in ("python", "yaml"):
            path = tmp_path / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text)
        if snippet.language == "sh":
            done = subprocess.run(
                ["bash", "-eu", "-c", snippet.text], cwd=tmp_path, check=False,
                env={**os.environ, "PATH": python, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == snippet.status, (
                f"{name(snippet)}:\n{done.stdout}{done.stderr}"
            )


def test_enough_of_them_run() -> None:
    assert {page.stem for page in pages_to_run()} >= {
        "tutorial", "from-fit-to-an-experiment", "nondeterminism",
    }  # fmt: skip
