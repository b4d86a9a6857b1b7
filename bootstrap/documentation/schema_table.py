"""A schema as a table for readers: each field, what it may be, and what it means.

Synopsis:
    table(schema("verdict"))       # Markdown

Fields have dotted paths. `[]` stands for each item of a list, `{…}` for each key of a mapping
whose keys the user or the result chooses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repro.core.canonical_json import canonical

_LIMITS = {
    "minimum": "at least {}", "exclusiveMinimum": "above {}", "maximum": "at most {}",
    "exclusiveMaximum": "below {}", "minLength": "not empty", "minItems": "at least {} item(s)",
    "minProperties": "at least {} key(s)", "pattern": "matches `{}`",
}  # fmt: skip
_ALTERNATIVES = ("oneOf", "anyOf")

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A field: its dotted path, the values it may have, its default if any, and its meaning."""

    field: str
    values: str
    default: str
    meaning: str


def table(root: Node, start: str = "") -> str:
    """Return the table in Markdown of a schema, or of what lies at one definition of it.

    Args:
        root: a JSON Schema, parsed.
        start: the name of a definition to begin at; the root where it is empty.
    """
    node: Node = root["$defs"][start] if start else root
    lines = ["| field | values | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{row.field}` | {row.values} | {row.default} | {row.meaning} |"
        for row in rows(node, root)
    ]
    return "\n".join(lines)


def rows(node: Node, root: Node, path: str = "") -> Iterator[Row]:
    """Yield each field below a part of a schema, in the schema's order."""
    node = _resolved(node, root)
    needed: list[str] = node.get("required", [])
    for name, child in _children(node):
        below = f"{path}.{name}" if path and name != "[]" else f"{path}{name}"
        whole = _resolved(child, root)
        values = _values(whole, root)
        if name in needed and not path:
            values += "; required"
        default = (
            f"`{_literal(whole['default'])}`" if whole.get("default") not in (None, {}) else ""
        )
        yield Row(below, _cell(values), _cell(default), _cell(str(whole.get("description", ""))))
        for part in _alternatives(whole):
            yield from rows(part, root, below)


def _children(node: Node) -> Iterator[tuple[str, Node]]:
    yield from node.get("properties", {}).items()
    if isinstance(other := node.get("additionalProperties"), dict):
        yield "{…}", other
    if isinstance(items := node.get("items"), dict):
        yield "[]", items


def _resolved(node: Node, root: Node) -> Node:
    """A node with what it refers to."""
    if "$ref" not in node:
        return node
    there = root["$defs"][str(node["$ref"]).removeprefix("#/$defs/")]
    return {**there, **{key: value for key, value in node.items() if key != "$ref"}}


def _alternatives(node: Node) -> list[Node]:
    """What a value may be: one node, or several."""
    several = [part for word in _ALTERNATIVES for part in node.get(word, [])]
    several += [node[word] for word in ("then", "else") if "if" in node and word in node]
    several = [part for part in several if part.keys() - {"required"}]
    own = {key: value for key, value in node.items() if key not in (*_ALTERNATIVES, "if")}
    return [*several, *([own] if "type" in own or not several else [])]


def _values(node: Node, root: Node) -> str:
    """The values that a node allows, in words."""
    if "const" in node:
        return f"`{_literal(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{_literal(value)}`" for value in node["enum"])
    parts = [_resolved(part, root) for part in _alternatives(node)]
    if len(parts) > 1:
        return " or ".join(dict.fromkeys(_values(part, root) for part in parts))
    kind: str | list[str] = node.get("type", "any")
    words = kind if isinstance(kind, str) else " or ".join(kind)
    limits = [text.format(node[key]) for key, text in _LIMITS.items() if key in node]
    return ", ".join([words, *limits])


def _literal(value: object) -> str:
    """A value as YAML has it, in one line."""
    return canonical(value).strip('"')


def _cell(text: str) -> str:
    """One cell of a table, in which a bar would end it."""
    return " ".join(text.split()).replace("|", "\\|")
