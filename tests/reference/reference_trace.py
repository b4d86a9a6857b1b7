"""What a line of a trace may hold, apart from the code that writes and reads it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

RULES: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("trace.schema.yaml").read_text("utf-8")
)


def check_lines(trace: Path) -> None:
    """Fails at the first line of a trace that is none."""
    jsonschema.Draft202012Validator.check_schema(RULES)
    for line in trace.read_text("utf-8").splitlines():
        jsonschema.Draft202012Validator(RULES).validate(json.loads(line))
