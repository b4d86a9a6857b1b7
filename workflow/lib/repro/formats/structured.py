"""Structured: JSON, JSON lines and notebooks, by the path of each value.

Synopsis:
    compare_json(findings, first, second)              # texts
    compare_json_lines(findings, first, second)        # open files
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, cast

from repro.formats.findings import FileFindings
from repro.formats.masks import OBJECTS
from repro.formats.text import compare_cell, compare_text

_IDS = {"shared_object_id"}  # Keras writes the address of an object that several layers share
_MISSING = object()


class _Written(str):
    """A number as it is written: 0.10 is not 0.1, and -0.0 not 0.0."""


def compare_json(findings: FileFindings, left: str, right: str) -> None:
    """Compares two JSON texts by value; the order of an object's keys plays no part.

    Raises:
        ValueError: one of them is no JSON, or nested too deeply.
    """
    try:
        one, other = _parsed(left), _parsed(right)
        _compare(findings, "", "", one, other)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def compare_json_lines(findings: FileFindings, left: Iterable[str], right: Iterable[str]) -> None:
    """Compares two texts with a JSON value on each line, while they are read.

    Raises:
        ValueError: a line is no JSON.
    """
    for number, (a, b) in enumerate(zip_longest(left, right), 1):
        if a == b:
            continue
        place = f"line {number}"
        if not (a or "").strip() or not (b or "").strip():
            findings.differ(place, a or "", b or "")
            continue
        try:
            _compare(findings, place, "", _parsed(a), _parsed(b))
        except RecursionError:
            raise ValueError("nested too deeply") from None


def compare_strings(findings: FileFindings, place: str, left: str, right: str) -> None:
    """Compares two texts of which nothing is known: as JSON where both are, else by line."""
    try:
        one, other = (_parsed(text) for text in (left, right))
        if not all(isinstance(each, dict | list) for each in (one, other)):
            raise ValueError("no object")
        _compare(findings, place, "", one, other)
    except (ValueError, RecursionError):
        compare_text(findings, left, right, f"{place}, " if place else "")


def _parsed(text: str) -> Any:
    return json.loads(text, parse_int=_Written, parse_float=_Written, parse_constant=_Written)


def _compare(findings: FileFindings, place: str, name: str, left: Any, right: Any) -> None:
    if isinstance(left, dict) and isinstance(right, dict):
        one, other = cast(Mapping[str, Any], left), cast(Mapping[str, Any], right)
        for key in {**one, **other}:
            inner = f"{place}.{key}" if place else key
            _compare(findings, inner, key, one.get(key, _MISSING), other.get(key, _MISSING))
    elif isinstance(left, list) and isinstance(right, list):
        first, second = cast(Sequence[Any], left), cast(Sequence[Any], right)
        if len(first) != len(second):
            findings.differ(place, f"{len(first)} elements", f"{len(second)} elements")
        for index, (a, b) in enumerate(zip(first, second, strict=False)):
            _compare(findings, f"{place}[{index}]", name, a, b)
    elif isinstance(left, _Written) and isinstance(right, _Written) and name in _IDS:
        findings.generated(place, left, right, OBJECTS)
    elif isinstance(left, str) and isinstance(right, str) and type(left) is type(right):
        compare_cell(findings, place, name, left, right, metric=isinstance(left, _Written))
    else:
        _plain(findings, place, cast(object, left), cast(object, right))


def _plain(findings: FileFindings, place: str, left: object, right: object) -> None:
    if type(left) is not type(right) or left != right:
        findings.differ(place, _shown(left), _shown(right))


def _shown(value: object) -> str:
    return "" if value is _MISSING else json.dumps(value)
