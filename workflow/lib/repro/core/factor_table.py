"""Factor table: what must not matter to a result, one row each.

Synopsis:
    for name in FACTORS: ...                  # every factor; `load` is varied only when asked for
    FACTORS["home"].remedy
    likely(["clock"])

A new factor is a row here, and in `repro.launch.variations` the way to vary it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """What an error may have to do with a factor that was varied.

    Errors go by name, since TensorFlow, with errors of its own, is not imported for this.
    """

    errors: frozenset[str]
    sentence: str


@dataclass(frozen=True)
class Factor:
    """One factor: what it is, and what to say and do where it changes bits."""

    name: str
    words: str
    remedy: str
    source: str | None = None
    """The source, among the calls of the user's code, through which it acts."""
    also: str | None = None
    """Another one, which says less."""
    hints: tuple[Hint, ...] = ()


STRESS = "load"
"""The factor that is varied only when asked for."""

_UNDECLARED = Hint(
    frozenset({"FileNotFoundError", "ModuleNotFoundError", "NotFoundError"}),
    "This run sees nothing but its declared inputs, and those at other places: declare files "
    "under `data` and read them by the paths given to `dataset`, or make the code a folder "
    "and keep them in it.",
)
_OFFLINE = Hint(
    frozenset({"gaierror", "URLError", "ConnectionError", "ConnectionRefusedError"}),
    "This run has no network: declare what is fetched from there under `data`.",
)
_READ_ONLY = Hint(
    frozenset({"EROFS"}),
    "This run may not write into its inputs: write to a temporary folder.",
)

_ROWS = (
    Factor(
        "hash seed",
        words="Python's hash seed, which orders sets",
        remedy="Sort sets before they are used, and take hashlib in place of hash().",
        source="hash",
        also="ties",
    ),
    Factor(
        "time zone",
        words="the time zone",
        remedy="Convert times with an explicit time zone, such as UTC.",
        source="clock",
    ),
    Factor(
        "locale",
        words="the locale",
        remedy="Format, parse and sort text without the locale.",
        source="locale",
    ),
    Factor(
        "umask",
        words="the umask, which sets the rights of new files",
        remedy="Let no value depend on the rights of a file.",
        source="file rights",
    ),
    Factor(
        "environment size",
        words="the size of the environment variables",
        remedy="Let no value depend on the environment variables or on addresses (id()).",
        source="environment variable",
    ),
    Factor(
        "home",
        words="the home folder",
        remedy="Read files by the paths that `dataset` receives, not from the home folder.",
        source="home",
        hints=(_UNDECLARED,),
    ),
    Factor(
        "temporary folder",
        words="the folder for temporary files",
        remedy="Let no value depend on the temporary folder, its name or its content.",
        source="temporary folder",
        hints=(_UNDECLARED,),
    ),
    Factor(
        "working directory",
        words="the working directory",
        remedy="Read files by the paths that `dataset` receives, or beside `__file__`.",
        source="working directory",
        hints=(_UNDECLARED,),
    ),
    Factor(
        "file times",
        words="the times of the input files",
        remedy="Let no value depend on when a file was written or on its inode: sort files by "
        "their names.",
        source="file times",
    ),
    Factor(
        "paths",
        words="the place where data and code lie",
        remedy="Let no value depend on where data and code lie; take labels from below the "
        "data's own folder.",
        source="place of a file",
        hints=(_UNDECLARED, _READ_ONLY),
    ),
    Factor(
        "listing order",
        words="the order in which folders are listed",
        remedy="Sort what is listed from a folder.",
        source="listing order",
    ),
    Factor(
        "clock",
        words="the date and time",
        remedy="Take dates from the data or the settings, not from the clock.",
        source="clock",
    ),
    Factor(
        "process",
        words="the process id or the moment of the start",
        remedy="Let no value depend on the process id or on how long the start took.",
        source="process id",
    ),
    Factor(
        "processors",
        words="the number of processors",
        remedy="Take the number of workers or chunks from `settings`, not from the machine.",
        source="processors",
    ),
    Factor(
        "caches",
        words="what earlier runs left on the disk",
        remedy="Name every file that the code reads under `data`; a cache must give the very "
        "bits of a fresh computation.",
        source="file outside the inputs",
        hints=(_UNDECLARED,),
    ),
    Factor(
        "network",
        words="the access to the network",
        remedy="Name every file that the code reads under `data`, and fetch nothing while it runs.",
        source="network",
        hints=(_OFFLINE,),
    ),
    Factor(
        STRESS,
        words="the load on the machine",
        remedy="Let no result depend on which thread comes first, or on how long something takes.",
    ),
)

FACTORS: Mapping[str, Factor] = {row.name: row for row in _ROWS}
"""Every factor by its name, in the order in which they are varied and reported."""


def likely(sources: Sequence[str]) -> list[str]:
    """The factors that act through one of these sources; of two, first the one named like it."""
    order = list(dict.fromkeys(row.source for row in _ROWS))
    acting = [row for row in _ROWS if {row.source, row.also} & set(sources)]
    acting.sort(key=lambda row: (order.index(row.source), row.name != row.source))
    return [row.name for row in acting]


def remedies(factors: Sequence[str]) -> str:
    """What to do where these factors, alone or together, change the bits."""
    return " ".join(dict.fromkeys(FACTORS[factor].remedy for factor in factors))
