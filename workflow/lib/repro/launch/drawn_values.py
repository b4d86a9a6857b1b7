"""Drawn values: the values that a run's factors take, each a function of the run's name.

Synopsis:
    hash_seed("repeat-2")        # the same in every process and on every machine
    number("repeat-2", "umask", 4)

So the repeats of one experiment explore, and each can be made again. Two of them hardly ever share
a hash seed or a clock; of zones and locales there are few, and some come again.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

# Spans after which no day has the year, month, day of the month or weekday that it had, whatever
# the day, and with a day more or less as well. tests/unit/test_drawn.py
_DAYS = (
    402, 479, 556, 633, 766, 843, 920, 997, 1130, 1207, 1284, 1361, 1494, 1571, 1648, 1725, 1865,
    1942, 2019, 2096, 2229, 2306, 2383, 2460, 2593,
)  # fmt: skip
_QUARTERS = (0, 15, 30, 45)
_UMASKS = (0o022, 0o027, 0o077, 0o007, 0o002)


def number(run: str, what: str, count: int) -> int:
    """A number below `count` that looks drawn at random, from the names of run and draw."""
    digest = hashlib.sha256(f"{run}/{what}".encode()).digest()
    return int.from_bytes(digest, "big") % count


def hash_seed(run: str) -> str:
    """A PYTHONHASHSEED; never 0, the original's."""
    return str(1 + number(run, "hash seed", 2**32 - 1))


def offset(run: str) -> timedelta:
    """How far the local time is ahead of UTC, or behind: 9 to 13 hours and some quarters."""
    hours, quarter = 9 + number(run, "hours of the zone", 5), number(run, "quarters", 4)
    ahead = timedelta(hours=hours, minutes=_QUARTERS[quarter])
    return ahead if number(run, "side of the zone", 2) else -ahead


def time_zone(run: str) -> str:
    """That offset as a value of TZ, in the form of POSIX: its sign is the other way round."""
    minutes = abs(offset(run)) // timedelta(minutes=1)
    sign, against = ("+", "-") if offset(run) > timedelta() else ("-", "+")
    hours, rest = divmod(minutes, 60)
    return f"<{sign}{hours:02}{rest:02}>{against}{hours}:{rest:02}"


def shift(run: str) -> timedelta:
    """How far the clock is ahead: no field of date or time reads as it was, in UTC or that zone.

    Minutes are too few to make up with the zone's quarters a whole hour.
    """
    return timedelta(
        days=_DAYS[number(run, "days", len(_DAYS))],
        hours=1 + number(run, "hours", 6),
        minutes=1 + number(run, "minutes", 13),
        seconds=1 + number(run, "seconds", 58),
    )


def umask(run: str, before: int) -> int:
    """A umask under which a new file grants its group and all others other rights than before."""
    others = [mask for mask in _UMASKS if (mask ^ before) & 0o070 and (mask ^ before) & 0o007]
    return others[number(run, "umask", len(others))]


def mirror(run: str) -> int:
    """A moment in ns: the time t of a file becomes this less t, so that the older is the newer."""
    return (2_400_000_000 + number(run, "file times", 100_000_000)) * 10**9
