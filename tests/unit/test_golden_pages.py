"""Pages as they were: a change of wording or order shows in the diff of a file.

After a change that is meant, run this file with REPRO_GOLDEN=write, and read the diff.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.core.schema import checked
from repro.report.reproduction_page import page
from repro.report.verdict_page import markdown

GOLDEN = Path(__file__).parent / "golden"
PAGES: dict[str, Callable[[dict[str, Any]], str]] = {"verdict": markdown, "reproduction": page}
NAMES = sorted(file.name.removesuffix(".json") for file in GOLDEN.glob("*.json"))


def test_there_are_pages_of_each_kind() -> None:
    assert {name.split(".")[1] for name in NAMES} == set(PAGES)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_as_it_was(name: str) -> None:
    kind = name.split(".")[1]
    value = checked(json.loads((GOLDEN / f"{name}.json").read_text("utf-8")), kind, name)
    written = PAGES[kind](value)
    file = GOLDEN / f"{name}.md"
    if os.environ.get("REPRO_GOLDEN") == "write":
        file.write_text(written, encoding="utf-8")
    assert written == file.read_text("utf-8")
