"""Canonical JSON: one value, one text, whatever process writes it.

Synopsis:
    canonical({"b": 1, "a": 2})      # '{"a":2,"b":1}'
    pretty({"b": 1, "a": 2})         # the same, indented, with a final newline
    decoded(Threads, {"intra": 2, "inter": 1})          # a dataclass again
    parsed(b'{"a": 1}')              # strictly: what one reader takes so, every reader does
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""A value of which nothing is known but that JSON can hold it, such as the user's settings."""


ABSENT_IF_EMPTY: Mapping[str, bool] = {"absent if empty": True}
"""Metadata of a dataclass' field that is no key where nothing is in it, as before it was there."""


def _fields(value: Any) -> dict[str, Any]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} cannot be written as JSON")
    parts = {field: getattr(value, field.name) for field in fields(value)}
    return {f.name: part for f, part in parts.items() if part or f.metadata != ABSENT_IF_EMPTY}


# Made once: a trace has a line for each step.
_COMPACT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=_fields)


def canonical(value: Any) -> str:
    """The compact JSON text of `value`, keys sorted: one line of ASCII, without a newline.

    Follows the parts of RFC 8785 that Python's `json` gives without help: sorted keys, no white
    space, shortest floats that read back the same. A dataclass' fields become keys.

    Raises:
        ValueError: NaN or an infinity.
    """
    return _COMPACT.encode(value)


def decoded(kind: type[T], value: Mapping[str, Any]) -> T:
    """The dataclass that a mapping holds, as `canonical` writes it and `json` reads it back.

    A key that the dataclass `kind` does not know is left out; one that is missing takes its
    default.

    Raises:
        TypeError: a key without a default is missing.
    """
    types = get_type_hints(kind)
    names = [field.name for field in fields(cast("Any", kind)) if field.name in value]
    return kind(**{name: _part(types[name], value[name]) for name in names})


def _part(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return decoded(cast("type[Any]", kind), value)
    inner = get_args(kind)
    if get_origin(kind) is Mapping and is_dataclass(inner[1]):
        return {name: decoded(cast("type[Any]", inner[1]), one) for name, one in value.items()}
    optional = next((each for each in inner if is_dataclass(each)), None)
    if optional and isinstance(value, Mapping):
        return decoded(cast("type[Any]", optional), cast("Mapping[str, Any]", value))
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def pretty(value: Any) -> str:
    """The indented JSON text of `value`, keys sorted, with a final newline."""
    text = json.dumps(value, sort_keys=True, indent=2, allow_nan=False, default=_fields)
    return text + "\n"


def parsed(content: bytes) -> Any:
    """The value of a JSON text, refused where two readers could take it for two values.

    I-JSON (RFC 7493) in what concerns us: UTF-8, no name twice in an object, no NaN or infinity.

    Raises:
        ValueError: it is not such a text, or nested deeper than can be read.
    """
    try:
        return json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, part in pairs:
        if name in value:
            raise ValueError(f"the key {name!r} stands twice")
        value[name] = part
    return value


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number")
