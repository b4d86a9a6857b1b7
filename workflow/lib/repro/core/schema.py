"""Schema: values checked against the YAML schemas, faults told as sentences.

Synopsis:
    value = checked(value, "config", "config.yaml")      # with the schema's defaults filled in
    verdict = read(Path("results/digits/verdict.json"), "verdict")
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

from repro.core.canonical_json import canonical
from repro.core.errors import UserError


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema `config`, `manifest`, `verdict` or any other of `workflow/schemas`, parsed.

    From the packed program or the source tree; read once, so it is not to be written to.
    """
    import yaml

    file = resources.files("repro") / "schemas" / f"{name}.schema.yaml"
    if not file.is_file():
        file = Path(__file__).parents[3] / "schemas" / f"{name}.schema.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _with_defaults(value: Any, node: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        node = {**root["$defs"][name], **{k: v for k, v in node.items() if k != "$ref"}}
    if not isinstance(value, dict):
        return value
    known: dict[str, Any] = node.get("properties", {})
    other: Any = node.get("additionalProperties")
    filled: dict[str, Any] = {}
    for key, part in cast("dict[str, Any]", value).items():
        child = known.get(key, other)
        named = isinstance(child, dict)
        filled[key] = _with_defaults(part, cast("dict[str, Any]", child), root) if named else part
    for key, child in known.items():
        if key not in filled and "default" in child:
            filled[key] = _with_defaults(deepcopy(child["default"]), child, root)
    return filled


def _where(path: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in path) or "the file"


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(sorted(known))}."


def _shown(value: Any) -> str:
    try:
        text = canonical(value)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_EXPECTED = {
    "type": "a value of type {0}",
    "enum": "one of {0}",
    "const": "{0}",
    "minimum": "at least {0}",
    "maximum": "at most {0}",
    "pattern": "text that matches {0}",
    "minItems": "at least {0} item(s)",
    "minProperties": "at least {0} key(s)",
    "minLength": "at least {0} character(s)",
    "uniqueItems": "no item twice",
}


_ALTERNATIVES = {
    "repeat": "full, off, {epochs: N} or {steps: N}, with N at least 1",
    "trials": "0, which searches nothing, or a whole number from 4 to 999, with which it can",
    "checkpoint": "a whole number of seconds, 0 for every epoch, or off",
}


def _expected(error: Any) -> str:
    template = _EXPECTED.get(error.validator, "a value that the schema allows")
    return template.format(_shown(error.validator_value).strip('"'))


def _sentence(error: Any, file: str) -> str:
    where = _where(error.absolute_path)
    if error.validator == "additionalProperties":
        known: Mapping[str, Any] = error.schema.get("properties", {})
        extra = sorted(set(error.instance) - set(known))[0]
        place = f" in `{where}`" if error.absolute_path else ""
        return (
            f"{file}: Expected only known keys{place}. Received `{extra}`. "
            f"{_near(str(extra), known)} Correct or remove it."
        )
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))[0]
        return f"{file}: Expected the key `{missing}` in `{where}`. Received none. Add it."
    allowed = _ALTERNATIVES.get(where.rpartition(".")[2])
    if error.validator == "oneOf" and allowed:
        return (
            f"{file}: Expected `{where}` to be {allowed}. Received {_shown(error.instance)}. "
            "Correct it."
        )
    if "propertyNames" in error.absolute_schema_path:
        return (
            f"{file}: Expected names in `{where}` to match {error.validator_value}. "
            f"Received {_shown(error.instance)}. Rename it."
        )
    return (
        f"{file}: Expected `{where}` to be {_expected(error)}. "
        f"Received {_shown(error.instance)}. Correct it."
    )


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@cache
def _strict(name: str) -> Any:
    """What checks values against the schema of that name; made once, since that takes long."""
    import jsonschema.validators

    library = cast("Any", jsonschema.validators)  # its types are partly unknown
    standard = library.Draft202012Validator
    # To JSON Schema 1.0 is an integer; to what is done with a seed or a count it is not.
    types = standard.TYPE_CHECKER.redefine("integer", _is_integer)
    return library.extend(standard, type_checker=types)(schema(name))


def checked(value: Any, name: str, file: str) -> Any:
    """A copy of the value with the schema's defaults, or a sentence on its first fault in `file`.

    Raises:
        UserError: the value breaks the schema; names the key, what was expected and received.
    """
    rules = schema(name)
    value = _with_defaults(value, rules, rules)
    faults: list[Any] = sorted(
        _strict(name).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path]
    )
    if faults:
        raise UserError(_sentence(faults[0], file))
    return value


def read(path: Path, name: str) -> Any:
    """The value of a JSON file among the results, checked.

    Raises:
        UserError: it cannot be read, or is not as its schema says.
    """
    try:
        return checked(json.loads(path.read_text("utf-8")), name, path.name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected a {name} at {path}. Received a file that cannot be read as one ({error}). "
            "Delete it and run `snakemake all`."
        ) from error
