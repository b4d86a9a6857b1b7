"""Masks: what of a line is different in every run and says nothing of the result.

Synopsis:
    masked("2024-01-01 10:00:00,123 [77] INFO loss: 0.31 - 3s")     # ("… loss: 0.31 - …", kinds)
    is_time("epoch_time_s"), is_time("time_step")                    # (True, False)
    is_metric("val_loss", "3"), is_metric("epoch", "3")              # (True, False)

A mask covers the date, the duration, the process id alone, never the number beside it; what was
covered is named by kind, and counts only where the same kind stands at the same place of both.
A number with a name of its own that measures no time ("accuracy: 0.91s") is never covered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from repro.core.text import TEMPORARY_NAME

DATES, DURATIONS, IDS = "dates and times of day", "durations and speeds", "process and thread ids"
ADDRESSES, TEMPORARY = "memory addresses", "names of temporary files"
PROGRESS, FOLDERS = "overwritten states of progress bars", "folders of the runs"
OBJECTS = "generated ids"

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_UNSIGNED = r"\d+(?:\.\d+)?(?:e[-+]?\d+)?"
# A comma begins milliseconds only as logging writes them: a table's next column may follow a time.
_FRACTION = r"(?:\.\d+|,\d{3}(?![\d.,]))?"
_TIME = rf"\d{{1,2}}:\d\d(?::\d\d{_FRACTION})?(?:\s?[AaPp]\.?[Mm]\b\.?)?"
# A number may follow a time: after a space, only what a bracket closes is a zone.
_ZONE = (
    r"(?:Z\b|[+-]\d\d:?\d\d(?![\d.])| [+-]\d{4}(?=\])| ?(?:UTC|GMT|CES?T|[ECMP][SD]T)\b|"
    r" [A-Z]{3,4}(?= \d{4}\b))?"
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_ISO = r"(?:19|20)\d\d(?P<by>[-/.])\d\d(?P=by)\d\d"
# "mean 0.5 min 0.1": where a number follows, the word is the name of that one.
_SPANS = (
    r"ns|us|[µμ]s|ms|msecs?|milliseconds?|s|secs?|seconds|minutes?|mins|hrs?|hours?|days?"
    r"|(?:second|min)(?!\s*[:=]|\s+[-+]?\.?\d)"
)
_UNITS = (
    r"it|iters?|iterations?|steps?|samples?|examples?|images?|imgs?|tokens?|batch(?:es)?|epochs?"
)
_MOST_UNITS = rf"{_UNITS}|records?|rows?|[kKMGT]?i?B|[kKMGT]?bytes"
_LEVEL = r"(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|NOTICE|TRACE)\b"

_SOURCES: tuple[tuple[str, str, str], ...] = (
    # TensorFlow's own lines: `I0000 00:00:1714000000.123456   12345 file.cc:123]`
    (DATES, "]", r"(?<=^[IWEF])\d{4} \d\d:\d\d:\d+\.\d+\s+\d+(?= \S+:\d+\])"),
    (DATES, ":", rf"{_DAY},? +(?:{_MONTH} +\d{{1,2}}|\d{{1,2}} +{_MONTH}),?(?: +\d{{4}})? +{_TIME}"
                 rf"(?: [+-]\d{{4}})?{_ZONE}(?: +(?:19|20)\d\d\b)?"),
    (DATES, "", rf"\b(?:{_DAY},? +)?(?:{_MONTH} +\d{{1,2}},? +(?:19|20)\d\d|\d{{1,2}} +{_MONTH},? +"
                rf"(?:19|20)\d\d)\b(?:,? +(?:at +)?{_TIME}{_ZONE})?"),
    (DATES, ":", rf"^{_MONTH} +\d{{1,2}} +{_TIME}"),
    (DATES, "", rf"(?<![\d.]){_ISO}(?:(?:[T @]| - |, ){_TIME}|[T_-]\d\d[-:h]?\d\d(?:[-:m]?\d\d)?)?"
                rf"(?!\d){_ZONE}"),
    (DATES, "/", rf"(?<![\d./])\d\d?/\d\d?/(?:(?:19|20)\d\d(?:,? +{_TIME})?|\d\d,? +{_TIME}){_ZONE}"
                 r"(?![\d./])"),
    (DATES, "", r"(?<![\d.])(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d[-_T][0-2]\d[0-5]\d[0-5]\d"
                r"(?:Z|_\d{6})?(?!\d)"),
    (DURATIONS, "<", r"(?<=\[)\d+:\d\d(?::\d\d)?<(?:\d+:\d\d(?::\d\d)?|\?)"),  # tqdm
    (DURATIONS, " day", r"(?<![\w.:])\d+ days?, \d+:\d\d:\d\d(?:\.\d+)?"),
    (DATES, ":", rf"(?<![\d:.,])\d{{1,2}}:\d\d:\d\d{_FRACTION}(?:\s?[AaPp][Mm]\b)?(?![\d:])"),
    (DURATIONS, "/s", rf"(?<![\w.,+-])(?:{_UNSIGNED}|\?)\s?(?:{_MOST_UNITS})/(?:s|sec|second)\b"),
    (DURATIONS, "/", rf"(?<![\w.,+-]){_UNSIGNED}\s?(?:{_SPANS})/(?:{_UNITS})\b"),
    (DURATIONS, "", rf"(?<![\w.,+-])(?:\d+\s?(?:d|h|hrs?|hours?|m|mins?|minutes?),?\s?){{1,3}}"
                    rf"(?:and )?{_UNSIGNED}\s?(?:s|secs?|seconds?|m|mins?|minutes?)"
                    r"(?![\w/]|\s*[:=])"),
    (DURATIONS, "", rf"(?<![\w.,+-]){_UNSIGNED}\s?(?:{_SPANS})(?![\w/])"),
    # A word after it is what was counted ("took 10 steps"), or the name of the next number.
    (DURATIONS, "took ", rf"(?<=\btook )\s*(?:{_UNSIGNED}(?!\s*[\w%.:])"
                         r"|\d+\.\d+(?=\s+[A-Za-z][\w./%-]*(?: [A-Za-z]\w*)?"
                         rf"(?:\s*[:=]|\s)\s*{NUMBER}))"),
    (IDS, "id", r"(?:(?<=\bpid )|(?<=\bpid=)|(?<=\bpid:)|(?<=\bpid: )|(?<=\bprocess id )"
                r"|(?<=\bthread id ))\d+\b"),
    # As what says where it runs: another number after this word may be a rank.
    (IDS, "rocess ", r"(?<=\b[Pp]rocess )\d+(?= (?:in|on|at|is|started|starts|running|runs)\b)"),
    (IDS, "PID", r"(?:(?<=\bPID )|(?<=\bPID=)|(?<=\bPID:)|(?<=\bPID: ))\d+\b"),
    (ADDRESSES, "0x", r"\b0x(?:0000)?(?:7[ef]|5[56])[0-9a-f]{10}\b"
                      r"|(?<=\bat )0x[0-9a-fA-F]{6,16}\b"),
    # As Keras names what an export captures.
    (ADDRESSES, "TensorSpec", r"(?<=^  )\d{12,16}(?=: TensorSpec\()"),
    (TEMPORARY, "tmp", rf"\b{TEMPORARY_NAME}\b"),
    (TEMPORARY, "/T", r"/var/folders/\w\w/\w+/T\b"),
)  # fmt: skip
"""The kind, a word without which the pattern cannot match (it saves most of the time), and it."""

_PATTERNS = tuple((kind, word, re.compile(source)) for kind, word, source in _SOURCES)
_SIGNS = {
    kind: chr(0xE000 + index)
    for index, kind in enumerate((DATES, DURATIONS, IDS, ADDRESSES, TEMPORARY))
}
"""What stands for what was masked: characters for private use, which no text has by chance."""

# The process id between a log line's date and its level.
_LOG_ID = re.compile(rf"({_SIGNS[DATES]}\]?[\s|:,-]*\[?)(\d+)(?=\]?[\s|:,-]*\[?{_LEVEL})")
_NAME_BEFORE = re.compile(
    r"([A-Za-z_][\w./%-]{0,60}(?: [A-Za-z_(][\w./%()-]{0,60}){0,4})(?:\s*[:=]\s*|\s+)$"
)
_NAMED = re.compile(
    r"(?<![\w./%-])([A-Za-z_][\w./%-]{0,60}(?: [A-Za-z_(][\w./%()-]{0,60}){0,4})(\s*[:=]\s*)"
    rf"({_UNSIGNED}|\d+(?::\d\d)+)(?![\w.:])"
)
_SPOKEN = re.compile(r"\b([Tt]ime)( +)(\d+\.\d+)(?![\w.:])")

_DIGIT = re.compile(r"\d")
_WITHOUT_DIGITS = tuple(word for kind, word, _ in _SOURCES if kind == TEMPORARY)
"""What stands in the line where something is masked that has no digit, by chance."""
_LONGEST = 1000
_PER = re.compile(r"/(?=(?:s|sec|second|epoch|step|batch|it|iter|iteration|sample|image)s?\b)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_OF_DATES = frozenset((
    "timestamp", "timestamps", "date", "datetime", "created", "updated", "modified", "started",
    "finished", "clock",
))  # fmt: skip
_OF_TIME = _OF_DATES | frozenset((
    "time", "elapsed", "duration", "durations", "took", "latency", "runtime", "eta", "seconds",
    "secs", "ms", "walltime", "wallclock", "uptime", "fps", "throughput", "speed",
))  # fmt: skip
_AFTER_TIME = frozenset((
    "taken", "spent", "used", "total", "elapsed", "avg", "average", "mean", "std", "min", "max",
))  # fmt: skip
_UNIT_WORDS = frozenset((
    "s", "sec", "secs", "second", "seconds", "ms", "us", "ns", "minutes", "mins", "hours",
    "hrs", "h",
))  # fmt: skip
_METRICS = frozenset((
    "loss", "acc", "accuracy", "error", "err", "auc", "roc", "precision", "recall", "f", "score",
    "mae", "mse", "msle", "rmse", "mape", "r", "perplexity", "bleu", "rouge", "iou", "dice",
    "reward", "kl", "entropy", "crossentropy", "hinge", "huber", "poisson", "divergence",
    "similarity", "positives", "negatives", "correct",
))  # fmt: skip
"""Words in the names of metrics, Keras' own among them; digits are no part of a word ("f1")."""
_MEASURES = _METRICS | frozenset(("lr", "norm", "seed", "horizon", "lag", "window", "rate"))
_IDENTIFIERS = frozenset((
    "epoch", "step", "iteration", "iter", "batch", "fold", "trial", "round", "run", "version",
    "seed", "pid", "id", "uid", "gid", "user", "host", "port", "job", "process", "thread", "worker",
    "index", "number", "line", "size",
))  # fmt: skip
"""What a number may count or name without measuring anything, whatever its digits."""


def is_time(name: str) -> bool:
    """Whether a name says that its number is a time, a duration or a speed, and no measure."""
    words = [word.lower() for word in _WORD.findall(_PER.sub(" per ", name))]
    if any(word in _MEASURES for word in words):
        return False
    for index, word in enumerate(words[:-1]):
        if word == "per":
            if words[index + 1] in _UNIT_WORDS:
                return True
            words = words[:index]
            break
    while len(words) > 1 and words[-1] in _UNIT_WORDS and words[-1] not in _OF_TIME:
        words.pop()
    if words and words[-1] in _OF_TIME:
        return True
    return bool(words) and words[-1] in _AFTER_TIME | _UNIT_WORDS and "time" in words


def kind_of_time(name: str) -> str:
    """Which kind the number is of which `is_time` is true."""
    words = [word.lower() for word in _WORD.findall(name)]
    return DATES if words and words[-1] in _OF_DATES else DURATIONS


def is_metric(name: str, *values: str) -> bool:
    """Whether numbers of this name, as they are written, are a metric.

    One with a known name is; else one with a fraction, unless its name says what it counts.
    """
    words = [word.lower() for word in _WORD.findall(_PER.sub(" per ", name))]
    words = words[: words.index("per")] if "per" in words[1:] else words
    if {*words[-1:], *(word.removesuffix("s") for word in words[-1:])} & _IDENTIFIERS:
        return False
    return (
        words[:1] == ["val"]
        or any(word in _METRICS for word in words)
        or any(not value.strip().lstrip("+-").isdigit() for value in values)
    )


def masked(line: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A line with a sign where something is masked, and what stood there, with its kind."""
    if not _DIGIT.search(line) and not any(word in line for word in _WITHOUT_DIGITS):
        return line, ()
    parts = [_masked(part) for part in _pieces(line)]
    return "".join(text for text, _ in parts), tuple(
        each for _, covered in parts for each in covered
    )


def _pieces(line: str) -> Iterator[str]:
    """A line, cut at spaces where it is very long, so that no pattern has to look too far."""
    while len(line) > _LONGEST:
        cut = line.rfind(" ", _LONGEST // 2, _LONGEST)
        cut = cut if cut > 0 else _LONGEST
        yield line[:cut]
        line = line[cut:]
    yield line


def _masked(line: str) -> tuple[str, list[tuple[str, str]]]:
    covered: list[tuple[str, str]] = []

    def hide(kind: str, text: str) -> str:
        covered.append((kind, text))
        return _SIGNS[kind]

    def hide_unless_measured(found: re.Match[str]) -> str:
        named = _NAME_BEFORE.search(found.string[max(0, found.start() - 200) : found.start()])
        return found[0] if named and _is_measured(named[1]) else hide(DURATIONS, found[0])

    def hide_timed(found: re.Match[str]) -> str:
        name, between, number = found.groups()
        return name + between + hide(kind_of_time(name), number) if is_time(name) else found[0]

    for kind, word, pattern in _PATTERNS:
        if word not in line:
            continue
        if kind == DURATIONS:
            line = pattern.sub(hide_unless_measured, line)
        else:
            line = pattern.sub(lambda found, kind=kind: hide(kind, found[0]), line)
    line = _LOG_ID.sub(lambda found: found[1] + hide(IDS, found[2]), line)
    for pattern in (_NAMED, _SPOKEN):
        line = pattern.sub(hide_timed, line)
    return line, covered


def _is_measured(name: str) -> bool:
    return any(word.lower() in _MEASURES for word in _WORD.findall(name))
