"""In what the present machine and environment differ from those that made a result.

Synopsis:
    differences = drift(recorded["environment"], present)
    differences[0].effect                  # 'metrics may change'
    claims(differences).sentence           # 'Of the goals …'

What may be the matter with a difference stands in `repro.drift.effects`. Reading and printing
are done by `repro.cli.drift`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from repro.core.canonical_json import canonical
from repro.drift.effects import BITS, EFFECTS, METRICS, effect
from repro.drift.facts import keyed, loaded_packages
from repro.machine.fact import lacking
from repro.machine.processor import IDLE

GOALS = ("bitwise", "metrics", "documented")
_SHOWN = 160
_NAMES = (
    (r"locked/[^/]+/([^/]+)(?:/(.+))?", "package {}"),
    (r"installed/([^/]+)(?:/(.+))?", "environment: {}"),
    (r"variables/([^/]+)(?:/(.+))?", "environment variable {}"),
    (r"loaded/host/([^/]+)(?:/(.+))?", "library of the system {}"),
    (r"loaded/([^/]+)(?:/(.+))?", "loaded: {}"),
    (r"bits/([^/]+)(?:/value)?(?:/(.+))?", "{}"),
    (r"cpu/([^/]+)(?:/(.+))?", "processor: {}"),
    (r"packages/([^/]+)(?:/(.+))?", "version of {}"),
    (r"cuda/([^/]+)(?:/(.+))?", "CUDA: {}"),
    (r"python/([^/]+)(?:/(.+))?", "Python: {}"),
    (r"system/([^/]+)(?:/(.+))?", "system: {}"),
)


@dataclass(frozen=True)
class Difference:
    """One fact that is no longer what it was.

    `what` names it; `was` and `now` are in words; `effect` is one of `effects.EFFECTS`, and `why`
    the reason.
    """

    what: str
    was: str
    now: str
    effect: str
    why: str


@dataclass(frozen=True)
class Claims:
    """The goals that can still be claimed, best first, and a sentence that says so."""

    goals: tuple[str, ...]
    sentence: str


def drift(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[Difference]:
    """Every difference between two environments, each as `repro.drift.facts` takes it, worst first.

    `present` comes from a process like that of the job. What one side alone knows differs too.
    """
    before, after = keyed(recorded), keyed(present)
    loaded = loaded_packages(recorded)
    differences: list[Difference] = []
    for path, was, now in _apart("", before, after):
        kind, why = effect(_kind(path, was, now, loaded))
        differences.append(Difference(_named(path), *_in_words(was, now), kind, why))
    return sorted(
        differences, key=lambda difference: (EFFECTS.index(difference.effect), difference.what)
    )


def claims(differences: Sequence[Difference]) -> Claims:
    """Which goals can still be claimed for a result, given what differs now."""
    effects = {difference.effect for difference in differences}
    if METRICS in effects:
        goals, why = GOALS[2:], (
            "its metrics may come out differently here by more than rounding does. What was done "
            "stays documented"
        )  # fmt: skip
    elif BITS in effects:
        goals, why = GOALS[1:], (
            "its bits may come out differently here. Differences in rounding grow in training: "
            "expect the metrics again within their spread, not to the last digit"
        )  # fmt: skip
    else:
        goals, why = GOALS, "nothing differs that may change a bit"
    still = {3: "all three", 2: "metrics and documented", 1: "documented only"}[len(goals)]
    return Claims(
        goals, f"Of the goals bitwise, metrics and documented you can still claim {still}: {why}."
    )


class _Missing:
    """What is not there on one side."""


_MISSING = _Missing()


def _apart(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The paths at which two values differ, with both values, as deep as both are mappings."""
    if _same(was, now):
        return
    if not (_mapping(was) and _mapping(now)):
        yield path, was, now
        return
    keys = sorted({*was, *now})
    if path.startswith("locked/") and "sha256" in was:
        # Another version is another build, and that has another digest: one of them is enough.
        odd = (key for key in ("version", "build", "sha256") if was.get(key) != now.get(key))
        keys = [next(odd, "sha256")]
    for key in keys:
        below = f"{path}/{key}" if path else key
        yield from _apart(below, was.get(key, _MISSING), now.get(key, _MISSING))


def _same(was: Any, now: Any) -> bool:
    if _MISSING in (was, now):
        return was is now
    return canonical(was) == canonical(now)  # 1, 1.0 and True differ


def _mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and lacking(cast(Any, value)) is None


def _kind(path: str, was: Any, now: Any, loaded: frozenset[str] | None) -> str:
    """The path, or what tells its case apart where the path alone does not."""
    if path == "cpu/flags" and isinstance(was, list) and isinstance(now, list):
        apart = set(map(str, was)) ^ set(map(str, now))  # pyright: ignore
        return f"{path}: idle" if apart and apart <= IDLE else path
    if path.startswith("loaded/host/") and was is _MISSING:
        return "loaded/host: extra"
    if path.startswith("bits/") and str(lacking(was)).startswith("this step does not load"):
        return "bits: not loaded"
    if path.startswith("locked/") and path.count("/") >= 2 and loaded is not None:
        name = path.split("/")[2]
        if name not in loaded and name != "python" and was is not _MISSING:
            return "locked: not loaded"
    return path


def _named(path: str) -> str:
    for pattern, name in _NAMES:
        if match := re.fullmatch(pattern, path):
            rest = f" ({match[2].replace('/', ' ')})" if match[2] else ""
            return f"{name.format(match[1])}{rest}"
    return path.replace("/", " ")


def _in_words(was: Any, now: Any) -> tuple[str, str]:
    if isinstance(was, list) and isinstance(now, list) and len(was) + len(now) > 8:  # pyright: ignore
        gone, added = ([item for item in a if item not in b] for a, b in ((was, now), (now, was)))  # pyright: ignore
        return (f"with {_words(gone)}" if gone else "without that",
                f"with {_words(added)}" if added else "without that")  # fmt: skip
    return _words(was), _words(now)


def _words(value: Any) -> str:
    if value is _MISSING:
        return "not there"
    if (reason := lacking(value)) is not None:
        return f"{next(iter(value))} ({reason})"
    if isinstance(value, list) and all(isinstance(item, str) for item in cast(list[Any], value)):
        text = ", ".join(map(_words, cast(list[str], value))) or "none"
    elif isinstance(value, str) and re.fullmatch(r"(sha256:)?[0-9a-f]{64}", value):
        return f"sha256 {value.removeprefix('sha256:')[:12]}…"
    else:
        text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
