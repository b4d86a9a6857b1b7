"""Text: what a terminal or a reader sees in the end, line by line, without what a clock decides.

Synopsis:
    compare_text(findings, left, right)
    compare_cell(findings, "row 3, column loss", "loss", "0.31", "0.32", metric=True)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from urllib.parse import quote

from repro.formats.findings import FileFindings
from repro.formats.masks import FOLDERS, NUMBER, PROGRESS, is_metric, is_time, kind_of_time, masked

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_NUMBER = re.compile(rf"(?<![\w.])(?:{NUMBER}|[-+]?(?:nan|inf|NaN|Infinity))(?![\w])")
_WHOLE = re.compile(rf"\s*(?:{NUMBER}|[-+]?(?:nan|inf|NaN|Infinity))\s*")
_NAME = re.compile(
    r"([A-Za-z_][\w./@-]{0,60}(?: [A-Za-z_][\w./@-]{0,60}){0,3})[\"']?(?:\s*[:=]\s*|\s+)[\[(]?$"
)
_NAMES = re.compile(
    r"([A-Za-z_][\w./@ -]{0,60}(?:, ?[A-Za-z_][\w./@ -]{0,60})+)[:=]\s*[\[(]((?:[^][(),]+,\s*)*)$"
)
"""Several names before as many numbers in brackets, as in `test loss, test acc: [0.3, 0.9]`."""
_BAR = re.compile(r"\s*(\d+)/(\d+|Unknown) ?[━\[=>.]|(?:[^|]{0,60}?:)?\s*(\d+)%\|")
_FOLDER = "\ue0ff"
_MOST_ALIGNED = 3000


def compare_text(findings: FileFindings, left: str, right: str, place: str = "") -> None:
    """Compares two texts by line; a line that one of them lacks does not shift the others."""
    left, right = _without_folders(findings, left, right)
    if left == right:
        return
    (one, drawn), (other, drawn_there) = _seen(left), _seen(right)
    if drawn != drawn_there:
        findings.mask(PROGRESS)
    for number, a, b in _aligned(one, other):
        _lines(findings, f"{place}line {number}", a, b)


def compare_cell(
    findings: FileFindings, place: str, name: str, left: str, right: str, metric: bool
) -> None:
    """Compares two cells: numbers by value, what `name` says to be a time not at all.

    Args:
        metric: whether a number in it is a metric of this name, if the name may be one's.
    """
    if left == right:
        return
    numbers = bool(_WHOLE.fullmatch(left) and _WHOLE.fullmatch(right))
    if numbers and is_time(name):
        findings.mask(kind_of_time(name))
    elif numbers:
        metric = metric and is_metric(name, left, right)
        findings.number(place, left.strip(), right.strip(), name if metric else None)
    else:
        one, other = _without_folders(findings, left, right)
        for number, a, b in _aligned(one.splitlines(), other.splitlines()):
            _lines(findings, place if "\n" not in one else f"{place}, line {number}", a, b)


def _without_folders(findings: FileFindings, left: str, right: str) -> tuple[str, str]:
    """Both texts with a sign for the folders of the two runs."""
    if left == right:
        return left, right
    moved = {path for pair in findings.folders if pair[0] != pair[1] for path in pair}
    # The longest first, since one may lie in another; and each in both texts, since what a script
    # names by itself, as /tmp/cache, is called so in both.
    forms = sorted({form(path) for path in moved for form in (str, quote)}, key=len, reverse=True)
    if forms:
        anyone = rf"(?<![\w.-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])"
        left, count = re.subn(anyone, _FOLDER, left)
        right, other_count = re.subn(anyone, _FOLDER, right)
        if count or other_count:
            findings.mask(FOLDERS)
    return left, right


def _seen(text: str) -> tuple[list[str], list[str]]:
    """The lines that a terminal shows in the end, and what was overwritten before."""
    lines: list[str] = []
    drawn: list[str] = []
    unfinished = False  # backspaces at a line's end: where \r became \n, the next state follows
    for line in _ANSI.sub("", text).replace("\r\n", "\n").split("\n"):
        line_end = line[-1:]
        if "\r" in line or "\b" in line:
            states = [state for state in line.split("\r") if state.strip("\b ")] or [""]
            drawn += [state.strip("\b ") for state in states[:-1]]
            line = _erased(states[-1])
        if lines and _continues(lines[-1], line, unfinished):
            drawn.append(lines.pop())
        unfinished = line_end == "\b"
        lines.append(line.rstrip())
    return lines, drawn


def _erased(part: str) -> str:
    """What backspaces leave of a part of a line."""
    kept: list[str] = []
    for piece in re.split("(\b+)", part.rstrip("\b")):
        if piece.startswith("\b"):
            del kept[max(0, len(kept) - len(piece)) :]
        else:
            kept += piece
    return "".join(kept).rstrip()


def _continues(before: str, line: str, unfinished: bool) -> bool:
    """Whether two lines are one progress bar, written where no terminal is."""
    states = [_BAR.match(each) for each in (before, line)]
    if states[0] is None or states[1] is None or states[0][2] != states[1][2]:
        return False
    first, second = (int(state[1] or state[3]) for state in states if state)
    return first < second or (unfinished and first == second)


def _aligned(
    left: Sequence[str], right: Sequence[str]
) -> Iterator[tuple[int, str | None, str | None]]:
    """Which line answers which, with its number on the left, from 1; None where one is lacking."""
    if len(left) == len(right):
        yield from (
            (n, a, b) for n, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b
        )
        return
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    one, other = left[start:], right[start:]
    if max(len(one), len(other)) > _MOST_ALIGNED:
        yield from (
            (start + n, a, b) for n, (a, b) in enumerate(zip_longest(one, other), 1) if a != b
        )
        return
    keys = [[_NUMBER.sub("#", masked(line)[0]) for line in side] for side in (one, other)]
    for _, i, j, k, m in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for n, (a, b) in enumerate(zip_longest(one[i:j], other[k:m]), start + i + 1):
            if a != b:
                yield n, a, b


def _lines(findings: FileFindings, place: str, left: str | None, right: str | None) -> None:
    if left is None or right is None:
        if (left or right or "").strip():
            findings.differ(place, left or "", right or "")
        return
    (one, covered), (other, covered_there) = masked(left), masked(right)
    if covered and covered_there:  # columns are padded to the width of what was masked
        one, other = " ".join(one.split()), " ".join(other.split())
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        findings.differ(place, left, right)
        return
    for a, b in zip(_NUMBER.finditer(one), _NUMBER.finditer(other), strict=True):
        name = _name_of(one[max(0, a.start() - 200) : a.start()])
        metric = name if name and is_metric(name, a[0], b[0]) else None
        findings.number(f"{place}, {name}" if name else place, a[0], b[0], metric)
    _note_masked(findings, covered, covered_there)


def _note_masked(
    findings: FileFindings, left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]
) -> None:
    for kind in dict(left):
        texts = [[text for each, text in side if each == kind] for side in (left, right)]
        if texts[0] != texts[1]:
            findings.mask(kind)


def _name_of(before: str) -> str | None:
    """The name of a number, from what stands before it on its line."""
    if several := _NAMES.search(before):
        names, place = several[1].split(","), several[2].count(",")
        return names[place].strip() if place < len(names) else None
    found = _NAME.search(before)
    return found[1] if found else None
