"""Fact: a value, or why there is none.

Synopsis:
    known(lambda: Path("/proc/version").read_text())     # the text, or {"unknown": "…"}
    lacking({"unknown": "no such file"})                 # 'no such file'

Two things may stand in the place of a value. `{"unknown": reason}`: it could be learnt here, and
was not. `{"not applicable": reason}`: there is no such thing here, or nothing tells it to
anybody. Which of them it is, whoever looks for the fact decides, and nobody later.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any, cast

UNKNOWN, NOT_APPLICABLE = "unknown", "not applicable"


class NotApplicable(LookupError):
    """There is no such thing here, or nothing tells it to anybody; the message says why."""


def unknown(reason: str) -> dict[str, str]:
    """What stands for something that could have been learnt, and was not."""
    return {UNKNOWN: reason}


def inapplicable(reason: str) -> dict[str, str]:
    """What stands for something that is not there, or that nothing tells to anybody."""
    return {NOT_APPLICABLE: reason}


def lacking(value: Any) -> str | None:
    """Why a fact has no value; None where it has one."""
    if not isinstance(value, Mapping):
        return None
    fact = cast("Mapping[str, Any]", value)
    return next((str(fact[key]) for key in (UNKNOWN, NOT_APPLICABLE) if set(fact) == {key}), None)


def known(probe: Callable[[], Any]) -> Any:
    """What a probe finds, or for which error of the system or the format it finds nothing."""
    try:
        return probe()
    except NotApplicable as error:
        return inapplicable(str(error))
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        return unknown(f"{type(error).__name__}: {error}")


def excused(value: Any, why: str) -> Any:
    """The same fact, or mapping of facts: what was unknown in it is not applicable."""
    if not isinstance(value, Mapping):
        return value
    facts = cast("Mapping[str, Any]", value)
    if set(facts) == {UNKNOWN}:
        return inapplicable(f"{why}: {facts[UNKNOWN]}")
    return {key: excused(part, why) for key, part in facts.items()}
