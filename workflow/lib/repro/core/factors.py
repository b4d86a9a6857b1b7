"""Factors: what must not matter, and is varied on purpose in a repeat.

Synopsis:
    NAMES       # varied unless the configuration switches one off
    STRESS      # varied only when asked for
"""

from __future__ import annotations

NAMES = (
    "hash seed", "time zone", "locale", "umask", "environment size", "home", "temporary folder",
    "working directory", "paths", "listing order", "clock", "process", "processors", "caches",
    "network",
)  # fmt: skip

STRESS = "load"

ALL = (*NAMES, STRESS)
