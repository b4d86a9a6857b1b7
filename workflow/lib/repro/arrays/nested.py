"""Nested: structures of arrays as flat names, and back.

Synopsis:
    flat("x", {"a": left, "b": (first, second)})      # {"x.a": left, "x.b~0": first, "x.b~1": …}
    rebuilt(arrays, "x")                              # {"a": left, "b": (first, second)}

A name becomes one of a file, so what is no letter, digit, `_`, `-` or `.` of a key is written as
its bytes in hexadecimal, each behind a `=`, and so is the first digit of a key of digits: a plain
number is a place in a sequence, and all of a key that differs from another one in capitals alone:
some file systems take those for the same. A list comes back as a tuple, as Keras makes it one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from repro.core.errors import UserError

_PLAIN = re.compile(r"[A-Za-z0-9_.-]")
_LONGEST = 200
"""File systems take names of 255 bytes, with which a suffix and a temporary name must do."""
_CODED = re.compile(r"(?:=[0-9a-f]{2})+")


def holds_arrays(value: Any) -> bool:
    """Whether a list or tuple is one of arrays, mappings or the like, not of numbers or text."""
    return isinstance(value, list | tuple) and any(
        is_array(each) or isinstance(each, Mapping) or holds_arrays(each)
        for each in cast("Sequence[Any]", value)
    )


def is_array(value: Any) -> bool:
    """Whether a value has rows: an array, a tensor, a frame or one column of it."""
    return len(getattr(value, "shape", None) or ()) > 0


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame, without importing pandas."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def length(value: Any) -> int | None:
    """How many examples a structure holds, by its first array; None where nothing tells."""
    if isinstance(value, Mapping):
        value = list(cast("Mapping[Any, Any]", value).values())
    elif not holds_arrays(value):
        size = getattr(value, "shape", None) or (() if not hasattr(value, "__len__") else (0,))
        return (int(size[0]) if is_array(value) else len(value)) if size else None
    return length(value[0]) if value else None


def _stacked(value: Sequence[Any], examples: int | None) -> bool:
    """Whether a list of arrays is one of examples, an array each, and not one of inputs."""
    lengths = {length(each) for each in value}
    return len(value) == examples and lengths != {examples}


def _inner(value: Any, examples: int | None) -> Mapping[str, Any] | Sequence[Any] | None:
    """The parts of a structure; None for what is an array itself."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    if holds_arrays(value) and not _stacked(value, examples):
        return cast("Sequence[Any]", value)
    return None


def _check_keys(name: str, value: Mapping[Any, Any]) -> None:
    if odd := [key for key in value if not isinstance(key, str) or not key]:
        raise UserError(
            f"Expected text as names in the mapping `{name}` of the dataset. Received {odd[0]!r}. "
            "Rename it."
        )


def leaves(name: str, value: Any, examples: int | None = None) -> Iterator[tuple[str, Any]]:
    """The arrays of a structure by flat name, mappings in the order of their keys.

    Args:
        name: of the whole.
        value: an array, or mappings and sequences of such, to any depth.
        examples: how many there are, where it is known: a list of so many arrays is one array.

    Raises:
        UserError: a key is no text, or a part is empty.
    """
    yield from _leaves(name, value, examples, ".")


def _leaves(
    name: str, value: Any, examples: int | None, separator: str
) -> Iterator[tuple[str, Any]]:
    inner = _inner(value, examples)
    if inner is None:
        yield name, value
        return
    if not inner:
        raise UserError(
            f"Expected at least one array in `{name}` of the dataset. Received {value!r}. Return "
            "at least one."
        )
    if isinstance(inner, Mapping):
        _check_keys(name, inner)
        parts = [(text, inner[key]) for key, text in coded(name, inner).items()]
    else:
        parts = [(str(place), each) for place, each in enumerate(inner)]
    for key, each in parts:
        yield from _leaves(f"{name}{separator}{key}", each, examples, "~")


def flat(name: str, value: Any, examples: int | None = None) -> dict[str, Any]:
    """The same as a mapping."""
    return dict(leaves(name, value, examples))


def mapped(function: Callable[[Any], Any], value: Any, examples: int | None = None) -> Any:
    """The same structure, with each of its arrays given to a function."""
    inner = _inner(value, examples)
    if inner is None:
        return function(value)
    if isinstance(inner, Mapping):
        return {key: mapped(function, each, examples) for key, each in inner.items()}
    return tuple(mapped(function, each, examples) for each in inner)


def rebuilt(arrays: Mapping[str, Any], name: str) -> Any:
    """The structure whose flat names begin with `name`; None where there is none."""
    if name in arrays:
        return arrays[name]
    tree: dict[str, Any] = {}
    for path, array in arrays.items():
        if path.startswith(f"{name}."):
            *above, last = path[len(name) + 1 :].split("~")
            node = tree
            for key in above:
                node = node.setdefault(key, {})
            node[last] = array
    return _shaped(tree) if tree else None


def _shaped(node: Any) -> Any:
    if type(node) is not dict:
        return node
    named = cast("dict[str, Any]", node)
    if all(key.isdecimal() for key in named):
        return tuple(_shaped(named[key]) for key in sorted(named, key=int))
    return {_decoded(key): _shaped(value) for key, value in named.items()}


def joined(name: str, keys: Iterable[str]) -> dict[str, str]:
    """The flat name of each part, by its key and in the order of these, of what has one already."""
    separator = "~" if "." in name else "."
    return {key: f"{name}{separator}{text}" for key, text in coded(name, keys).items()}


def coded(name: str, keys: Iterable[str]) -> dict[str, str]:
    """How each key is written in a name, in the order of the keys.

    Raises:
        UserError: one is too long for a file.
    """
    written: dict[str, str] = {}
    taken = set[str]()
    for key in sorted(keys):
        text = _coded(key)
        if text.lower() in taken:
            text = "".join(map(_hexadecimal, key))
        taken.add(text.lower())
        if len(name) + len(text) > _LONGEST:
            raise UserError(
                f"Expected names in `{name[:40]}` of the dataset that fit into a file's: at most "
                f"{_LONGEST} characters, of which a letter beyond ASCII takes six or more. "
                f"Received {key!r}. Rename it."
            )
        written[key] = text
    return written


def _hexadecimal(letter: str) -> str:
    return "".join(f"={byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def _coded(key: str) -> str:
    text = "".join(letter if _PLAIN.fullmatch(letter) else _hexadecimal(letter) for letter in key)
    return _hexadecimal(text[0]) + text[1:] if text.isdecimal() else text


def _decoded(text: str) -> str:
    def letters(found: re.Match[str]) -> str:
        return bytes.fromhex(found[0].replace("=", "")).decode("utf-8", "surrogatepass")

    return _CODED.sub(letters, text)
